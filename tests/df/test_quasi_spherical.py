"""Eddington's inversion against closed forms, and the spheroids' reference values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.constants import G
from galactions.df.deficit import deficit
from galactions.df.quasi_spherical import QuasiSpherical, eddington
from galactions.potential.field import POISSON_GRID, solve_poisson

RADII = POISSON_GRID.r
MASS, SCALE = 5e10, 4.0


def hernquist_density(r):
    return MASS * SCALE / (2 * np.pi * r * (r + SCALE) ** 3)


def hernquist_df(E):
    """Hernquist (1990), eq. 17, in Msun / (kpc km/s)^3."""
    e = -E * SCALE / (G * MASS)
    bracket = (1 - 2 * e) * (8 * e**2 - 8 * e - 3) + 3 * np.arcsin(np.sqrt(e)) / np.sqrt(e * (1 - e))
    return (
        MASS
        / (np.sqrt(2) * (2 * np.pi) ** 3 * (G * MASS * SCALE) ** 1.5)
        * np.sqrt(e)
        / (1 - e) ** 2
        * bracket
    )


def plummer_density(r):
    return 3 * MASS / (4 * np.pi * SCALE**3) * (1 + (r / SCALE) ** 2) ** -2.5


def plummer_df(E):
    """Binney & Tremaine (2008), eq. 4.83."""
    return 24 * np.sqrt(2) / (7 * np.pi**3) * SCALE**2 / (G**5 * MASS**4) * (-E) ** 3.5


def solved(density):
    r = np.hypot(*POISSON_GRID.Rz)
    return jax.jit(solve_poisson)(jnp.asarray(density(r)))


@pytest.mark.parametrize(
    "density, exact",
    [(hernquist_density, hernquist_df), (plummer_density, plummer_df)],
    ids=["Hernquist", "Plummer"],
)
def test_eddington(density, exact):
    profile = solved(density).spherical_average()
    f = np.asarray(
        jax.jit(lambda rho, p: eddington(rho, POISSON_GRID, p))(jnp.asarray(density(RADII)), profile)
    )
    E = np.asarray(profile(jnp.asarray(RADII)))
    relevant = (RADII > 0.1 * SCALE) & (RADII < 300)
    np.testing.assert_allclose(f[relevant], exact(E[relevant]), rtol=3e-3)


@pytest.mark.parametrize("name", ["bulge", "halo"])
def test_reference_values(initial, reference, name):
    """Within 1e-3 wherever f exceeds 1e-6 of its peak (the agreement asked for is 3e-2)."""
    expected = reference[f"df_value_{name}"]
    ours = np.asarray(initial.df(name)(*jnp.asarray(reference["df_actions"]).T))
    relevant = expected > 1e-6 * np.max(expected)
    np.testing.assert_allclose(ours[relevant], expected[relevant], rtol=1e-3)


def test_mass_of_the_bulge(initial):
    """(2 pi)^3 int f d^3J is the mass of the density that the DF was made from."""
    t = np.arcsinh(2e4 / 0.5) * (np.arange(160) + 0.5) / 160
    J, dJ = 0.5 * np.sinh(t), 0.5 * np.cosh(t) * np.arcsinh(2e4 / 0.5) / 160
    # f depends on J_r and L = J_z + |J_phi| only, and int dJ_z dJ_phi = int 2 L dL.
    f = np.asarray(initial.df("bulge")(J[:, None], jnp.asarray(J), 0.0))
    mass = (2 * np.pi) ** 3 * np.einsum("ij,i,j,j->", f, dJ, 2 * J, dJ)
    rho = np.asarray(initial.ingredients.means["bulge"])
    x = np.log(RADII)
    expected = np.trapezoid(4 * np.pi * RADII**3 * rho, x)
    assert mass == pytest.approx(expected, rel=3e-3)


class TestFunctionOfTheActions:
    """The DF of a Plummer sphere in its own potential."""

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls):
        potential = solved(plummer_density)
        profile, central = potential.spherical_average(), potential.central
        return jax.jit(lambda rho: QuasiSpherical.of(rho, POISSON_GRID, profile, central))

    def test_linear_in_the_density(self, made):
        rho = jnp.asarray(plummer_density(RADII))
        J = jnp.asarray([[10.0, 20.0, 300.0], [300.0, 40.0, -50.0], [50.0, 0.0, 0.0]]).T
        np.testing.assert_allclose(made(3 * rho)(*J), 3 * made(rho)(*J), rtol=1e-10)

    def test_circular_orbits_have_the_exact_value(self, made):
        """There the energy is known: f = f(E_c) at J_phi = L_c."""
        df = made(jnp.asarray(plummer_density(RADII)))
        r = np.array([1.0, 4.0, 15.0])
        v2 = G * MASS * r**2 / (r**2 + SCALE**2) ** 1.5
        E = 0.5 * v2 - G * MASS / np.hypot(r, SCALE)
        np.testing.assert_allclose(df(0.0, 0.0, jnp.asarray(r * np.sqrt(v2))), plummer_df(E), rtol=5e-3)

    def test_positive_and_falling(self, made):
        """Level to 2e-3 in the core, where the energy hardly changes; falling from there on."""
        df = made(jnp.asarray(plummer_density(RADII)))
        J = jnp.asarray(np.geomspace(0.1, 3e3, 40))
        for actions in ((J, 0 * J, 0 * J), (0 * J, J, 0 * J), (0 * J, 0 * J, -J)):
            f = np.asarray(df(*actions))
            assert np.all(f > 0)
            assert np.all(np.diff(f) < 2e-3 * f[0])
            assert np.all(np.diff(f[J > 30.0]) < 0)

    def test_derivatives_in_the_actions(self, made):
        df = made(jnp.asarray(plummer_density(RADII)))
        J = jnp.asarray([40.0, 25.0, 500.0])
        slope = jax.grad(lambda J: jnp.log(df(*J)))(J)
        for i in range(3):
            step = jnp.zeros(3).at[i].set(1e-2)
            numeric = float(jnp.log(df(*(J + step)) / df(*(J - step)))) / 2e-2
            assert float(slope[i]) == pytest.approx(numeric, rel=1e-6)


class TestDeficit:
    """How much of a component no isotropic DF can hold."""

    def test_none_where_the_exact_function_is_positive(self):
        rho = jnp.asarray(plummer_density(RADII))
        profile = solved(plummer_density).spherical_average()
        lost = deficit(eddington(rho, POISSON_GRID, profile), POISSON_GRID.axis.nodes, profile)
        assert float(lost.share) < 1e-6

    def test_share_of_a_known_sign_change(self):
        """The DF of a Plummer sphere with its sign reversed below an energy: masses by another quadrature."""
        profile = solved(plummer_density).spherical_average()
        E = np.asarray(profile(jnp.asarray(RADII)))
        inside = RADII < 2.0
        turn = 0.5 * (E[inside][-1] + E[~inside][0])
        f = np.where(turn < E, 1.0, -1.0) * plummer_df(E)
        lost = deficit(jnp.asarray(f), POISSON_GRID.axis.nodes, profile)
        u = (np.arange(2000) + 0.5) / 2000

        def states(E):
            """int r^2 sqrt(E - Phi) dr up to the radius where Phi = E."""
            limit = np.sqrt((G * MASS / E) ** 2 - SCALE**2)
            depth = np.maximum(E + G * MASS / np.hypot(limit * u, SCALE), 0.0)
            return limit**3 * np.mean(u**2 * np.sqrt(depth))

        x = np.linspace(np.log(0.01), np.log(3e4), 2000)
        e = -G * MASS / np.hypot(np.exp(x), SCALE)
        mass = np.array([states(value) for value in e]) * plummer_df(e) * np.gradient(e)
        assert float(lost.share) == pytest.approx(mass[e < turn].sum() / mass.sum(), rel=0.05)
        assert float(lost.radius) == pytest.approx(2.0, rel=0.1)
