"""Poisson's equation against potentials known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import i0e, i1e, k0e, k1e

from galactions.constants import RHO_CRIT, G
from galactions.potential import Disk, Potential, Spheroid, solve_poisson
from galactions.potential.field import POISSON_GRID, spheroid_density

R, Z = (
    a.ravel() for a in np.meshgrid(np.geomspace(0.05, 200, 25), [0.0, 0.02, 0.3, 2.0, 30.0], indexing="ij")
)
RADIUS = np.hypot(R, Z)
NFW = Spheroid(*(jnp.asarray(x) for x in (8.52e6, 19.25, 1.0, 3.0, 1.0, 1.0)), cutoff=False)
solve = jax.jit(lambda density, disks: solve_poisson(density, disks))


def nfw_mass(r):
    x = r / 19.25
    return 4 * np.pi * 8.52e6 * 19.25**3 * (np.log1p(x) - x / (1 + x))


@pytest.fixture(scope="module")
def nfw() -> Potential:
    return solve(spheroid_density(NFW), [])


@pytest.fixture(scope="module")
def plummer() -> Potential:
    r2 = POISSON_GRID.Rz[0] ** 2 + POISSON_GRID.Rz[1] ** 2
    return solve(jnp.asarray(3e10 / (4 * np.pi) * 3 * 2.0**2 * (r2 + 2.0**2) ** -2.5), [])


def test_nfw_halo(nfw):
    exact = -4 * np.pi * G * 8.52e6 * 19.25**3 * np.log1p(RADIUS / 19.25) / RADIUS
    np.testing.assert_allclose(nfw(R, Z), exact, rtol=1e-5)


def test_force_of_the_nfw_halo(nfw):
    inner = RADIUS > 0.2
    F_R, F_z = nfw.gradient(R, Z)
    exact = G * nfw_mass(RADIUS) / RADIUS**2
    error = np.hypot(F_R - exact * R / RADIUS, F_z - exact * Z / RADIUS) / exact
    assert np.max(error[inner]) < 3e-4
    assert np.median(error) < 2e-5


def test_mass_and_virial_radius_of_the_nfw_halo(nfw):
    r = jnp.asarray([1.0, 10.0, 100.0, 300.0])
    np.testing.assert_allclose(nfw.enclosed_mass(r), nfw_mass(np.asarray(r)), rtol=3e-5)
    r200 = float(nfw.virial_radius())
    assert nfw_mass(r200) / (4 / 3 * np.pi * r200**3) == pytest.approx(200 * RHO_CRIT, rel=1e-4)


@pytest.mark.parametrize("q", [0.6, 0.8, 1.3])
def test_flattened_halo(q):
    """v_circ of a spheroid with axis ratio q by quadrature over its homoeoids (Binney & Tremaine 2008, eq.
    2.132), and the mass within spheres by quadrature of the density.
    """
    halo = Spheroid(NFW.rho0, NFW.r0, NFW.gamma, NFW.beta, jnp.asarray(q), NFW.r_cut, cutoff=False)
    potential = solve(spheroid_density(halo), [])
    radii = np.array([0.5, 2.0, 8.0, 20.0, 60.0])
    t, w = np.polynomial.legendre.leggauss(200)
    t, w = 0.5 * (t + 1), 0.5 * w
    m = radii[:, None] * t**2

    def density(m):
        return 8.52e6 / (m / 19.25 * (1 + m / 19.25) ** 2)

    depth = np.sqrt(radii[:, None] ** 2 - m**2 * (1 - q**2))
    squared = 4 * np.pi * G * q * np.sum(density(m) * m**2 / depth * 2 * radii[:, None] * t * w, axis=1)
    np.testing.assert_allclose(potential.circular_velocity(jnp.asarray(radii)), np.sqrt(squared), rtol=1e-5)
    c, r = t[:, None], 20.0 * t**2
    within = density(r * np.sqrt(1 - c**2 + (c / q) ** 2)) * r**2 * 2 * 20.0 * t * w
    mass = 4 * np.pi * np.sum(within * w[:, None])
    assert float(potential.enclosed_mass(jnp.asarray(20.0))) == pytest.approx(mass, rel=1e-5)


def test_derivative_of_the_virial_radius():
    """d ln r200 / d ln rho0 = 1/(3 - d ln M/d ln r), by the implicit function theorem."""
    _, slope = jax.jvp(
        lambda scale: jnp.log(solve_poisson(scale * spheroid_density(NFW)).virial_radius()), (1.0,), (1.0,)
    )
    r200 = float(solve(spheroid_density(NFW), []).virial_radius())
    x = r200 / 19.25
    log_slope = x**2 / (1 + x) ** 2 / (np.log1p(x) - x / (1 + x))
    assert float(slope) == pytest.approx(1 / (3 - log_slope), rel=1e-4)


def test_plummer_sphere(plummer):
    """Its density falls with r^-5: the mass beyond the grid is nothing, and the centre is smooth."""
    np.testing.assert_allclose(plummer(R, Z), -G * 3e10 / np.sqrt(RADIUS**2 + 4), rtol=1e-5)
    assert float(plummer.central) == pytest.approx(-G * 3e10 / 2, rel=1e-5)
    kappa, nu, Omega = plummer.frequencies(jnp.asarray([0.5, 2.0, 8.0]))
    r2 = np.array([0.25, 4.0, 64.0]) + 4
    np.testing.assert_allclose(Omega**2, G * 3e10 * r2**-1.5, rtol=1e-4)
    np.testing.assert_allclose(nu, Omega, rtol=2e-3)
    np.testing.assert_allclose(kappa**2, G * 3e10 * (4 * r2**-1.5 - 3 * (r2 - 4) * r2**-2.5), rtol=1e-3)


def freeman(R, Sigma0, R_d):
    """Circular velocity of an infinitely thin exponential disc (Freeman 1970; Binney & Tremaine 2008, eq.
    2.165).
    """
    y = R / (2 * R_d)
    return np.sqrt(4 * np.pi * G * Sigma0 * R_d * y**2 * (i0e(y) * k0e(y) - i1e(y) * k1e(y)))


def test_thin_exponential_disc():
    """The thickness lowers v_circ^2 in proportion to h: two thin discs extrapolate to an infinitely thin
    one.
    """
    zero = jnp.zeros(POISSON_GRID.Rz[0].shape)
    R = jnp.asarray(np.linspace(1.0, 20.0, 20))
    squares = []
    for h in (0.02, 0.04):
        disk = Disk(*(jnp.asarray(x) for x in (9e8, 2.5, h, 0.0)), vertical="exponential")
        squares.append(solve(zero, [disk]).circular_velocity(R) ** 2)
    np.testing.assert_allclose(
        np.sqrt(2 * squares[0] - squares[1]), freeman(np.asarray(R), 9e8, 2.5), rtol=1e-3
    )


@pytest.mark.parametrize("vertical", ["exponential", "sech2"])
def test_disc_far_away_is_a_point_mass(vertical):
    disk = Disk(*(jnp.asarray(x) for x in (5e7, 3.0, 0.1, 4.0)), vertical=vertical)
    radii = np.linspace(1e-3, 120, 200001)
    mass = np.trapezoid(2 * np.pi * radii * np.asarray(disk.surface_density(radii)), radii)
    potential = solve(jnp.zeros(POISSON_GRID.Rz[0].shape), [disk])
    far = jnp.asarray([1e3, 0.0]), jnp.asarray([0.0, 1e3])
    np.testing.assert_allclose(potential(*far), -G * mass / 1e3, rtol=2e-4)


def test_potentials_add(nfw, plummer):
    """Poisson's equation is linear, and so is every step of its solution."""
    r2 = POISSON_GRID.Rz[0] ** 2 + POISSON_GRID.Rz[1] ** 2
    both = solve(spheroid_density(NFW) + 3e10 / (4 * np.pi) * 3 * 4 * (r2 + 4) ** -2.5, [])
    np.testing.assert_allclose(both(R, Z), nfw(R, Z) + plummer(R, Z), rtol=1e-12)


def test_derivative_with_respect_to_a_scale():
    """dPhi/d r0 of the NFW halo, through the solver."""

    def potential(r0):
        halo = Spheroid(NFW.rho0, r0, NFW.gamma, NFW.beta, NFW.q, NFW.r_cut, cutoff=False)
        return solve_poisson(spheroid_density(halo))(
            jnp.asarray([0.5, 8.0, 40.0]), jnp.asarray([0.1, 1.0, 10.0])
        )

    _, slope = jax.jvp(potential, (jnp.asarray(19.25),), (jnp.asarray(1.0),))
    r = np.hypot([0.5, 8.0, 40.0], [0.1, 1.0, 10.0])
    x = r / 19.25
    exact = -4 * np.pi * G * 8.52e6 * 19.25 * (3 * np.log1p(x) / x - 1 / (1 + x))
    np.testing.assert_allclose(slope, exact, rtol=2e-5)


@pytest.mark.parametrize(("h", "R_max"), [(0.15, 8.0), (0.3, 16.0)])
def test_thin_discs_without_an_ansatz(h, R_max):
    """Those of the iterations are tables: all of the force that their thin layers make is in multipoles,
    which resolve layers of h > R/55."""
    disk = Disk(*(jnp.asarray(x) for x in (8.95e8, 2.48, h, 0.0)), vertical="sech2")
    R, z = (
        a.ravel() for a in np.meshgrid(R_max * np.array([0.1, 0.2, 0.5, 1.0]), [0.02, 0.1, 0.2, 0.5, 1.5])
    )
    whole, tabulated = (
        solve(jnp.zeros(POISSON_GRID.Rz[0].shape), [disk]),
        solve(disk.density(*POISSON_GRID.Rz), []),
    )
    (F_R, F_z), (own_R, own_z) = whole.gradient(R, z), tabulated.gradient(R, z)
    np.testing.assert_allclose(own_z, F_z, rtol=2e-3)
    np.testing.assert_allclose(own_R, F_R, atol=5e-4 * np.abs(F_R).max())
