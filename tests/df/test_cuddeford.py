"""Anisotropic spherical DFs: closed forms, and the anisotropy and density they were made for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.actions.shells import labelled_energy
from galactions.constants import G
from galactions.df.cuddeford import Cuddeford, cuddeford_inversion
from galactions.df.mass import total_mass
from galactions.df.quasi_spherical import QuasiSpherical, eddington
from galactions.numerics.quadrature import gauss_legendre
from galactions.potential.field import POISSON_GRID, solve_poisson

RADII = POISSON_GRID.r
MASS, SCALE = 5e11, 4.0
RELEVANT = (RADII > 0.1 * SCALE) & (RADII < 100)
UNIT = MASS / (G * MASS * SCALE) ** 1.5
"""Of f, Msun/(kpc km/s)^3."""


def hernquist_density(r):
    return MASS * SCALE / (2 * np.pi * r * (r + SCALE) ** 3)


@pytest.fixture(scope="module")
def potential():
    return jax.jit(solve_poisson)(jnp.asarray(hernquist_density(np.hypot(*POISSON_GRID.Rz))))


@pytest.fixture(scope="module")
def profile(potential):
    return potential.spherical_average()


@jax.jit
def _inversion(profile, beta, r_a):
    rho = jnp.asarray(hernquist_density(RADII))
    return cuddeford_inversion(rho, POISSON_GRID, profile, jnp.log(RADII), beta, r_a)


def inversion(profile, beta, r_a):
    F = _inversion(profile, beta, r_a)
    return np.asarray(F), -np.asarray(profile(jnp.asarray(RADII))) * SCALE / (G * MASS)


def isotropic_hernquist(e):
    """Hernquist (1990), eq. 17, at the binding energy `e` in units of G M/a."""
    bracket = (1 - 2 * e) * (8 * e**2 - 8 * e - 3) + 3 * np.arcsin(np.sqrt(e)) / np.sqrt(e * (1 - e))
    return UNIT / (np.sqrt(2) * (2 * np.pi) ** 3) * np.sqrt(e) / (1 - e) ** 2 * bracket


def test_isotropic_limit_is_eddingtons(profile):
    F, e = inversion(profile, 0.0, np.inf)
    np.testing.assert_allclose(F[RELEVANT], isotropic_hernquist(e)[RELEVANT], rtol=1e-3)
    by_eddington = eddington(jnp.asarray(hernquist_density(RADII)), POISSON_GRID, profile)
    np.testing.assert_allclose(F[RELEVANT], by_eddington[RELEVANT], rtol=1e-4)


def test_constant_anisotropy_of_one_half(profile):
    """f = 3 e^2/(4 pi^3 L) in units G = M = a = 1 (Baes & Dejonghe 2002)."""
    F, e = inversion(profile, 0.5, np.inf)
    expected = 3 * e**2 / (4 * np.pi**3) * UNIT * np.sqrt(G * MASS * SCALE)
    np.testing.assert_allclose(F[RELEVANT], expected[RELEVANT], rtol=1e-3)


def test_osipkov_merritt(profile):
    """Hernquist (1990), eq. 19: the isotropic DF plus sqrt(2) (a/r_a)^2 sqrt(Q) (1 - 2 Q)/(2 pi^3)."""
    r_a = 6.0
    F, e = inversion(profile, 0.0, r_a)
    expected = isotropic_hernquist(e)
    expected += UNIT / (np.sqrt(2) * np.pi**3) * (SCALE / r_a) ** 2 * np.sqrt(e) * (1 - 2 * e)
    # Beyond the grid, at 3e4 kpc, there is r^2 rho too: 0.3% of the integral at 100 kpc.
    np.testing.assert_allclose(F[RELEVANT], expected[RELEVANT], rtol=4e-3)


value = jax.jit(lambda df, *actions: df(*actions))

CASES = [(0.0, np.inf), (0.5, np.inf), (-0.3, np.inf), (0.3, 8.0)]


@jax.jit
def made(potential, profile, beta, r_a):
    rho = jnp.asarray(hernquist_density(RADII))
    return Cuddeford.of(rho, POISSON_GRID, profile, potential.central, beta, r_a)


@pytest.mark.parametrize("beta, r_a", CASES)
def test_mass(potential, profile, beta, r_a):
    """The Hernquist model has 0.5% of its mass beyond the radius (1600 kpc) where the tables end."""
    df = made(potential, profile, beta, r_a)
    assert float(jax.jit(total_mass)(df)) == pytest.approx(MASS, rel=1e-2)


@pytest.mark.parametrize("beta, r_a", CASES)
def test_density_and_anisotropy(potential, profile, beta, r_a):
    """Integrated over velocities in the potential it was made for, f gives back density and anisotropy.

    Actions are exact there: J_z + |J_phi| = L, and J_r by inverting the DF's own label of the energy.
    """
    df = made(potential, profile, beta, r_a)
    r = 5.0
    escape = np.sqrt(-2 * float(profile(jnp.asarray(r))))
    t, w = gauss_legendre(48, 0.0, 1.0)
    v_r = escape * t[:, None]
    limit = np.sqrt(escape**2 - v_r**2)
    v_t = limit * t**2  # where L^(-2 beta) diverges, its integral needs nodes
    E = -0.5 * escape**2 + 0.5 * (v_r**2 + v_t**2)
    L = r * v_t
    J_r = _radial_action(df, E, L)
    f = np.asarray(value(df, jnp.asarray(J_r), jnp.zeros(L.shape), jnp.asarray(L)))
    weight = f * 4 * np.pi * v_t * (w * escape)[:, None] * limit * 2 * t * w
    rho = weight.sum()
    sigma_r2, sigma_t2 = (weight * v_r**2).sum() / rho, (weight * v_t**2).sum() / rho / 2
    assert rho == pytest.approx(hernquist_density(r), rel=3e-3)
    expected = beta if np.isinf(r_a) else (r**2 + beta * r_a**2) / (r**2 + r_a**2)
    assert 1 - sigma_t2 / sigma_r2 == pytest.approx(expected, abs=3e-3)


@jax.jit
def _energy(df, J, share):
    return labelled_energy(df.label(jnp.log(J), share), df.central)


def _radial_action(df, E, L):
    """J_r for which the DF's table of the energy gives E at L, by bisection."""
    low, high = np.full(E.shape, -6.0), np.full(E.shape, np.log(1e5))
    for _ in range(45):
        middle = 0.5 * (low + high)
        J = np.exp(middle) + L
        above = np.asarray(_energy(df, jnp.asarray(J), jnp.asarray(L / J))) > E
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.exp(low)


def test_isotropic_limit_is_the_quasi_spherical_df(potential, profile):
    rho = jnp.asarray(hernquist_density(RADII))
    ours = made(potential, profile, 0.0, np.inf)
    theirs = jax.jit(QuasiSpherical.of, static_argnums=1)(rho, POISSON_GRID, profile, potential.central)
    J = jnp.asarray([[10.0, 20.0, 300.0], [300.0, 40.0, -50.0], [2000.0, 300.0, 1000.0]]).T
    np.testing.assert_allclose(value(ours, *J), value(theirs, *J), rtol=2e-3)


def test_nothing_where_Q_is_positive(potential, profile):
    """With a small r_a there are no orbits of large angular momentum."""
    df = made(potential, profile, 0.0, 6.0)
    assert float(value(df, 1.0, 0.0, 8000.0)) == 0.0
    assert float(value(df, 8000.0, 0.0, 1.0)) > 0.0


@jax.jit
def log_f(potential, profile, parameters):
    return jnp.log(made(potential, profile, *parameters)(200.0, 30.0, 400.0))


@jax.jit
def slope_of_log_f(potential, profile, parameters, direction):
    return jax.jvp(lambda p: log_f(potential, profile, p), (parameters,), (direction,))[1]


@pytest.mark.parametrize("name, size", [("beta", 0.2), ("r_a", 30.0)])
def test_derivatives_in_the_parameters(potential, profile, name, size):
    given = np.array([0.2, 30.0])
    direction = np.array([name == "beta", name == "r_a"], dtype=float)
    h = 1e-4 * size
    up, down = (log_f(potential, profile, given + step * direction) for step in (h, -h))
    slope = slope_of_log_f(potential, profile, given, direction)
    assert float(slope) == pytest.approx(float(up - down) / (2 * h), rel=1e-5)


def test_gradients_are_finite_at_the_edges(potential, profile):
    df = made(potential, profile, 0.3, 30.0)
    gradient = jax.jit(jax.grad(lambda J, df: df(*J)))
    for J in ([0.0, 0.0, 0.0], [0.0, 0.0, 50.0], [50.0, 0.0, 0.0], [1.0, 0.0, 5e4]):
        assert bool(jnp.all(jnp.isfinite(gradient(jnp.asarray(J), df))))
