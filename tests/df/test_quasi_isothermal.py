"""The discs' distribution function: reference values, mass, scaling, sense of rotation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.df.dispersions import (
    ExponentialDispersion,
    Floor,
    ScaleHeightDispersion,
    constant_floor,
)
from galactions.df.mass import total_mass
from galactions.df.quasi_isothermal import QuasiIsothermal
from galactions.galaxy.components import analytic_density
from galactions.galaxy.moments import velocity_moments
from galactions.numerics.quadrature import gauss_legendre
from galactions.potential.epicycles import Epicycles


def values(df, actions):
    return np.asarray(jax.jit(lambda df, J: df(*J))(df, jnp.asarray(actions).T))


def vertical_exponent(df, actions):
    """nu J_z / sigma_z^2 at the actions."""
    J_r, J_z, J_phi = actions.T
    L = np.abs(J_phi) + float(df.coef_jr) * J_r + float(df.coef_jz) * J_z
    return np.exp(np.asarray(df.table.all(jnp.log(L))[2])) * J_z


def test_thick_disc_at_the_reference_actions(initial, reference):
    ours = values(initial.df("thick_disk"), reference["df_actions"])
    np.testing.assert_allclose(ours, reference["df_value_thick"], rtol=1e-3)


def test_thin_disc_at_the_reference_actions(initial, reference):
    """Within 1e-3, and a little more where the vertical exponent is large.

    The reference's vertical frequency nu lies 3e-4 above the one that follows from the density in the
    midplane by Poisson's equation (perhaps its finite multipole order). The value of f has exp(-nu J_z /
    sigma_z^2) in it: where the exponent is 10, a nu that is 3e-4 larger makes f smaller by 0.3%. The
    tolerance follows that exponent.
    """
    df, actions = initial.df("thin_disk"), reference["df_actions"]
    with np.errstate(divide="ignore"):
        error = np.abs(np.log(values(df, actions) / reference["df_value_thin"]))
    tolerance = 1e-3 + 5.5e-4 * vertical_exponent(df, actions)
    relevant = reference["df_value_thin"] > 1e-30 * np.max(reference["df_value_thin"])
    assert relevant.sum() > 250
    assert np.all(error[relevant] <= tolerance[relevant])


def test_mass(initial):
    """(2 pi)^3 int f d^3J: 3.46e10 Msun in the thin and 1.09e10 Msun in the thick disc (the reference's
    figures).
    """
    assert float(total_mass(initial.df("thin_disk"))) == pytest.approx(3.46e10, rel=2e-3)
    assert float(total_mass(initial.df("thick_disk"))) == pytest.approx(1.09e10, rel=5e-3)


@pytest.mark.parametrize("name", ["thin_disk", "thick_disk"])
def test_mass_in_actions_is_the_mass_in_space(settled, name):
    """The density that the iteration uses holds the mass of the DF."""
    x, w = gauss_legendre(120, 0.0, 1.0)
    a, b = np.arcsinh(45 / 1.0), np.arcsinh(20 / 0.2)
    R, dR = np.sinh(a * x), np.cosh(a * x) * a * w
    z, dz = 0.2 * np.sinh(b * x), 0.2 * np.cosh(b * x) * b * w
    rho = settled.density(name, R[:, None], z)
    in_space = float(4 * np.pi * jnp.einsum("ij,i,i,j->", rho, R, dR, dz))
    assert in_space == pytest.approx(float(total_mass(settled.df(name))), rel=1e-3)


@pytest.fixture(scope="module")
def epicycles(initial):
    parameters = {name: jnp.asarray(value) for name, value in initial.spec.parameters.items()}
    densities = [analytic_density(component, parameters) for component in initial.spec.components]
    return Epicycles.of(
        initial.total_potential, lambda R: sum(d.density(R, jnp.zeros_like(R)) for d in densities)
    )


def disc(epicycles, **changes):
    parameters = {"Sigma0": 9e8, "R_d": 2.5, "coef_jr": 1.0, "coef_jz": 0.25}
    floor = constant_floor(0.5)
    parameters |= {"sigma_r": exponential(64.0, 12.0, floor), "sigma_z": exponential(30.0, 12.0, floor)}
    return QuasiIsothermal.of(epicycles, **jax.tree.map(jnp.asarray, parameters | changes))


def exponential(sigma0, R_sigma, floor):
    return ExponentialDispersion(jnp.asarray(sigma0), jnp.asarray(R_sigma), floor)


ACTIONS = np.array([[10.0, 5.0, 1800.0], [100.0, 1.0, 900.0], [0.0, 30.0, 3000.0], [40.0, 10.0, -500.0]])


def test_proportional_to_the_surface_density(epicycles):
    one, two = (values(disc(epicycles, Sigma0=s), ACTIONS) for s in (9e8, 1.8e9))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-10)


def test_depends_on_one_circular_orbit_where_the_coefficients_vanish(epicycles):
    """With coef_jr = coef_jz = 0, as eq. 10 is printed, ln f is linear in J_r and J_z at fixed J_phi."""
    df = disc(epicycles, coef_jr=0.0, coef_jz=0.0)
    J = np.array(
        [
            [0.0, 0.0, 1500.0],
            [20.0, 0.0, 1500.0],
            [40.0, 0.0, 1500.0],
            [0.0, 7.0, 1500.0],
            [0.0, 14.0, 1500.0],
        ]
    )
    log_f = np.log(values(df, J))
    assert log_f[2] - log_f[1] == pytest.approx(log_f[1] - log_f[0], rel=1e-10)
    assert log_f[4] - log_f[3] == pytest.approx(log_f[3] - log_f[0], rel=1e-10)


def test_value_is_that_of_equation_10(epicycles):
    df = disc(epicycles)
    J_r, J_z, J_phi = 30.0, 8.0, 1700.0
    R, kappa, nu, Omega = (float(x) for x in epicycles(jnp.asarray(J_phi + J_r + 0.25 * J_z)))
    sigma_r2 = 64.0**2 * np.exp(-2 * R / 12) + 0.25
    sigma_z2 = 30.0**2 * np.exp(-2 * R / 12) + 0.25
    surface = 9e8 * np.exp(-R / 2.5)
    f = surface * Omega / (2 * np.pi**2 * kappa**2) * kappa / sigma_r2 * np.exp(-kappa * J_r / sigma_r2)
    f *= nu / sigma_z2 * np.exp(-nu * J_z / sigma_z2)
    assert values(df, [[J_r, J_z, J_phi]])[0] == pytest.approx(f, rel=2e-3)


def test_counter_rotating_stars_are_fewer_by_the_last_factor(epicycles):
    df = disc(epicycles)
    forward, backward = values(df, [[10.0, 5.0, 400.0], [10.0, 5.0, -400.0]])
    R, _, _, Omega = (float(x) for x in epicycles(jnp.asarray(400 + 10 + 1.25)))
    sigma_r2 = 64.0**2 * np.exp(-2 * R / 12) + 0.25
    assert backward / forward == pytest.approx(np.exp(-2 * Omega * 400 / sigma_r2), rel=1e-3)


def test_derivatives_with_respect_to_actions(epicycles):
    df = disc(epicycles)
    J = jnp.asarray([25.0, 6.0, 1600.0])
    slope = jax.grad(lambda J: jnp.log(df(*J)))(J)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-3
        numeric = np.diff(np.log(values(df, np.stack([J - step, J + step]))))[0] / 2e-3
        assert float(slope[i]) == pytest.approx(numeric, rel=1e-6)


def test_floor_is_all_that_is_left_far_out(epicycles):
    """Beyond some scale lengths the dispersions are those of the floor, level or rising with radius."""
    L_z = jnp.asarray([4000.0, 12000.0])
    R = np.asarray(epicycles(L_z).R)
    for R_flare in (np.inf, 10.0):
        floor = Floor(jnp.asarray(7.0), jnp.asarray(R_flare))
        df = disc(epicycles, sigma_r=exponential(64.0, 1.0, floor), sigma_z=exponential(30.0, 1.0, floor))
        expected = 7.0 * np.sqrt(1 + (R / R_flare) ** 2)
        for sigma in df.dispersions(L_z):
            np.testing.assert_allclose(sigma, expected, rtol=1e-3)


def test_without_a_floor_the_dispersions_are_exponential(epicycles):
    L_z = jnp.asarray([800.0, 2500.0])
    R = np.asarray(epicycles(L_z).R)
    none = constant_floor(0.0)
    df = disc(epicycles, sigma_r=exponential(64.0, 12.0, none), sigma_z=exponential(30.0, 9.0, none))
    sigma_r, sigma_z = df.dispersions(L_z)
    np.testing.assert_allclose(sigma_r, 64.0 * np.exp(-R / 12), rtol=1e-5)
    np.testing.assert_allclose(sigma_z, 30.0 * np.exp(-R / 9), rtol=1e-5)


def test_scale_height_sets_the_vertical_dispersion(epicycles):
    """sigma_z = sqrt(2) nu h, so that f falls with J_z on the scale 2 nu h^2."""
    none = constant_floor(0.0)
    df = disc(epicycles, sigma_z=ScaleHeightDispersion(jnp.asarray(0.25), none))
    L_z = jnp.asarray([800.0, 2500.0])
    nu = np.asarray(epicycles(L_z).nu)
    np.testing.assert_allclose(df.dispersions(L_z)[1], np.sqrt(2) * nu * 0.25, rtol=1e-4)
    np.testing.assert_allclose(df.action_scales(L_z)[1], 2 * nu * 0.25**2, rtol=1e-4)


@pytest.mark.parametrize("change", ["sigma", "R_flare", "h"])
def test_derivatives_with_respect_to_floor_flare_and_height(epicycles, change):
    values = {"sigma": 7.0, "R_flare": 10.0, "h": 0.25}

    def log_f(value):
        p = {name: jnp.asarray(v) for name, v in (values | {change: value}).items()}
        floor = Floor(p["sigma"], p["R_flare"])
        sigma_z = ScaleHeightDispersion(p["h"], floor)
        df = disc(epicycles, sigma_r=exponential(64.0, 12.0, floor), sigma_z=sigma_z)
        return jnp.log(df(25.0, 6.0, jnp.asarray(2600.0)))

    value = values[change]
    _, slope = jax.jvp(log_f, (value,), (1.0,))
    h = 1e-4 * value
    assert float(slope) == pytest.approx(float(log_f(value + h) - log_f(value - h)) / (2 * h), rel=1e-6)


def test_positive_and_finite_wherever_stars_are(epicycles):
    J = np.meshgrid([0.0, 1.0, 100.0], [0.0, 1.0, 100.0], [-3000.0, -1.0, 0.0, 1.0, 500.0, 5000.0])
    f = values(disc(epicycles), np.stack([a.ravel() for a in J], axis=1))
    assert np.all(np.isfinite(f))
    assert np.all(f >= 0)
    assert np.all(f[J[2].ravel() > 0] > 0)


class TestColdDisc:
    """In the limit of small dispersions the DF is the disc that it is named after."""

    SIGMA = 3.0

    @pytest.fixture(scope="class")
    @classmethod
    def cold(cls, epicycles):
        none = constant_floor(0.0)
        sigma = exponential(cls.SIGMA, 15.0, none)
        return disc(epicycles, sigma_r=sigma, sigma_z=sigma, coef_jr=0.0, coef_jz=0.0)

    def test_mass_is_that_of_the_surface_density(self, cold):
        """(2 pi)^3 int f d^3J = 2 pi int Sigma R dR, since dJ_phi/dR = R kappa^2/(2 Omega) on circular
        orbits.
        """
        assert float(total_mass(cold)) == pytest.approx(2 * np.pi * 9e8 * 2.5**2, rel=2e-3)

    def test_epicyclic_motion(self, cold, initial):
        """sigma_R and sigma_z are the DF's own, sigma_phi/sigma_R = kappa/(2 Omega), no asymmetric drift."""
        R = np.array([5.0, 8.0, 12.0])
        moments = jax.jit(velocity_moments)(cold, initial.action_table, jnp.asarray(R), jnp.zeros(3))
        kappa, _, Omega = initial.frequencies(R)
        sigma = self.SIGMA * np.exp(-R / 15.0)
        np.testing.assert_allclose(np.sqrt(moments.v_R2 / moments.density), sigma, rtol=1e-2)
        mean = moments.v_phi / moments.density
        np.testing.assert_allclose(mean, initial.circular_velocity(R), rtol=1e-3)
        sigma_phi = np.sqrt(moments.v_phi2 / moments.density - mean**2)
        np.testing.assert_allclose(sigma_phi, sigma * np.asarray(kappa / (2 * Omega)), rtol=2e-2)
