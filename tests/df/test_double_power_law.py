"""The double power law: exact limits, mass, core, anisotropy, rotation."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import beta as beta_function

from galactions.df.double_power_law import DoublePowerLaw

HALO = {
    "mass": 9.8e11, "J0": 1e4, "slope_in": 1.6, "slope_out": 2.7, "L0": 1e5, "alpha": 0.6, "beta": 0.0,
    "F_in": 1.4, "F_out": 1.2, "J_cut": 2e4, "cut_power": 2.0, "J_core": 100.0,
}  # fmt: skip
"""Dark halo of Binney & Vasiliev (2023)."""
BULGE = {
    "mass": 1.1e10, "J0": 19.5, "slope_in": 0.5, "slope_out": 1.8, "beta": 0.6, "F_in": 3.0, "F_out": 2.0,
    "J_cut": 200.0, "J_core": 5.0,
}  # fmt: skip
STARS = {
    "mass": 1e9, "J0": 600.0, "slope_in": 1.0, "slope_out": 3.5, "beta": 0.5, "F_in": 1.8, "F_out": 1.2,
    "J_cut": 1e5, "J_core": 5.0,
}  # fmt: skip

ACTIONS = jnp.asarray([[30.0, 5.0, 900.0], [0.1, 0.2, 0.05], [4000.0, 800.0, -2000.0], [1.0, 50.0, 0.0]]).T


def power_law(h, J0, slope_in, slope_out):
    return (1 + J0 / h) ** slope_in * (1 + h / J0) ** -slope_out


@pytest.mark.parametrize("parameters", [HALO, BULGE, STARS], ids=["halo", "bulge", "stars"])
def test_mass_by_another_quadrature(parameters):
    df = DoublePowerLaw.of(**parameters)
    x = np.linspace(-12.0, 18.0, 400)
    J = np.exp(x)[:, None, None]
    t, w = np.polynomial.legendre.leggauss(40)
    s, w = 0.5 * (t + 1), 0.5 * w
    f = df((1 - s[:, None]) * J, s[:, None] * (1 - s) * J, s[:, None] * s * J)
    mass = 2 * (2 * np.pi) ** 3 * np.einsum("ijk,i,j,k->", f, J.ravel() ** 3 * (x[1] - x[0]), w * s, w)
    assert mass == pytest.approx(parameters["mass"], rel=1e-5)


def test_closed_form_of_the_mass():
    """Without cut and core, h = J_r + L/2 for L0 -> infinity: (2 pi)^3 4 int h^2 f dh, a Beta function."""
    slope_in, slope_out, J0 = 1.5, 5.0, 300.0
    df = DoublePowerLaw.of(mass=1e10, J0=J0, slope_in=slope_in, slope_out=slope_out, L0=1e40)
    # d^3J = 2 L dL dJ_r, and int over the plane h = J_r + L/2 of 2 L dL is 4 h^2.
    expected = (2 * np.pi) ** 3 * 4 * J0**3 * beta_function(3 - slope_in, slope_out - 3)
    assert float(jnp.exp(-df.log_norm)) * 1e10 == pytest.approx(expected, rel=1e-5)


def test_slopes():
    """ln f falls with the inner slope at small and with the outer slope at large actions."""
    df = DoublePowerLaw.of(mass=1e10, J0=300.0, slope_in=1.5, slope_out=5.0, L0=1e40)
    for scale, slope in ((1e-5, 1.5), (1e7, 5.0)):
        low, high = (df(*(factor * scale * ACTIONS[:, 0])) for factor in (1.0, 2.0))
        assert float(jnp.log2(low / high)) == pytest.approx(slope, rel=1e-3)


def test_combination_in_its_limits():
    """F = 1, beta = 0: h = J_r + (1 + c xi) L/2; xi goes from 0 to 1 with the actions."""
    df = DoublePowerLaw.of(mass=1e10, J0=300.0, slope_in=1.0, slope_out=4.0, L0=1e30)
    J_r, J_z, J_phi = ACTIONS[:, 0]
    L = J_z + J_phi
    assert float(df.combination(J_r, J_z, J_phi)) == pytest.approx(float(J_r + 0.5 * L), rel=1e-9)
    df = eqx.tree_at(lambda df: df.L0, df, jnp.asarray(1e-30))
    h = J_r + 0.5 * (1 + L / (L + J_r)) * L
    assert float(df.combination(J_r, J_z, J_phi)) == pytest.approx(float(h), rel=1e-9)


def test_circular_and_radial_orbits_trade_places_with_beta():
    """exp(beta sin) divides J_r and multiplies L: f favours radial orbits for beta > 0."""
    isotropic, radial = (DoublePowerLaw.of(**{**STARS, "beta": beta}) for beta in (0.0, 0.5))
    mostly_radial, mostly_circular = (900.0, 50.0, 50.0), (50.0, 50.0, 900.0)
    ratio = [float(df(*mostly_radial) / df(*mostly_circular)) for df in (isotropic, radial)]
    assert ratio[1] > 1.5 * ratio[0]


def test_core():
    """f is finite at J = 0, where without core it diverges; far outside the two agree to J_core/J."""
    cored, cusped = (DoublePowerLaw.of(**{**HALO, "J_core": core}) for core in (100.0, 0.0))
    inner = [float(cored(j, j, j)) for j in (1e-3, 1e-2)]
    assert inner[0] == pytest.approx(inner[1], rel=1e-2)
    assert float(cusped(1e-3, 1e-3, 1e-3)) > 1e3 * inner[0]
    assert float(cored(8e3, 8e3, 8e3) / cusped(8e3, 8e3, 8e3)) == pytest.approx(1.0, abs=3e-3)


def test_core_keeps_the_mass():
    """zeta is chosen such that the core takes no mass: the normalisations agree (no cut-off here)."""
    common = {"mass": 1e10, "J0": 300.0, "slope_in": 1.5, "slope_out": 5.0, "L0": 1e40}
    norms = [float(DoublePowerLaw.of(**common, J_core=core).log_norm) for core in (0.0, 30.0)]
    assert norms[1] == pytest.approx(norms[0], abs=1e-6)


def test_core_coefficient_of_the_published_halo():
    """0.1141 for the halo of Binney & Vasiliev (2023) by a 20-point rule on a compressed axis."""
    assert float(DoublePowerLaw.of(**HALO).zeta) == pytest.approx(0.1141, rel=2e-3)


def test_rotation():
    """It moves stars from one sense to the other, and takes nothing away."""
    still, turning = DoublePowerLaw.of(**STARS), DoublePowerLaw.of(**STARS, rotation=0.7, J_rotation=200.0)
    J_r, J_z, J_phi = jnp.abs(ACTIONS)
    both = turning(J_r, J_z, J_phi) + turning(J_r, J_z, -J_phi)
    np.testing.assert_allclose(both, 2 * still(J_r, J_z, J_phi), rtol=1e-12)
    expected = (1 + 0.7 * np.tanh(4.5)) / (1 - 0.7 * np.tanh(4.5))
    assert float(turning(30.0, 5.0, 900.0) / turning(30.0, 5.0, -900.0)) == pytest.approx(expected, rel=1e-12)


def test_symmetric_and_positive():
    df = DoublePowerLaw.of(**BULGE)
    J_r, J_z, J_phi = ACTIONS
    f = np.asarray(df(J_r, J_z, J_phi))
    assert np.all(f >= 0)
    assert np.all(f[:2] > 0)
    np.testing.assert_allclose(f, df(J_r, J_z, -J_phi), rtol=1e-14)


@pytest.mark.parametrize("name", [name for name in HALO if name != "beta"])
def test_derivatives_in_the_parameters(name):
    def log_f(value):
        return jnp.log(DoublePowerLaw.of(**{**HALO, name: value})(300.0, 100.0, 2000.0))

    _, slope = jax.jvp(log_f, (HALO[name],), (1.0,))
    h = 1e-4 * HALO[name]
    numeric = float(log_f(HALO[name] + h) - log_f(HALO[name] - h)) / (2 * h)
    assert float(slope) == pytest.approx(numeric, rel=1e-5)


def test_gradients_are_finite_at_the_edges():
    """At J = 0, on circular, on radial and on vertical orbits; with and without core."""
    for core in (0.0, 5.0):
        df = DoublePowerLaw.of(**{**BULGE, "J_core": core})
        for J in ([0.0, 0.0, 0.0], [0.0, 0.0, 50.0], [50.0, 0.0, 0.0], [0.0, 50.0, 0.0]):
            J = jnp.asarray(J)
            slopes = (
                eqx.filter_grad(lambda df, J=J: jnp.log(df(*J)))(df),
                jax.grad(lambda J, df=df: df(*J))(J),
            )
            assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(slopes))
