"""The exponential and the tapered exponential DFs of discs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.df.exponential import Exponential
from galactions.df.mass import total_mass
from galactions.df.tapered_exponential import TaperedExponential
from galactions.numerics.quadrature import gauss_legendre

YOUNG = {
    "mass": 1.75e9,
    "J_r0": 10.0,
    "J_z0": 0.65,
    "J_phi0": 650.0,
    "p_r": -0.7,
    "p_z": -0.3,
    "J_vel": 100.0,
}
"""Young disc of Binney & Vasiliev (2023)."""
BULGE = {
    "mass": 1.27374e10, "J_r0": 122.157, "J_z0": 34.2056, "J_phi0": 127.516, "p_r": 0.817415,
    "p_z": -0.134007, "J_den": 150.0, "J_vel": 20.0, "J_cut": 611.194, "J_width": 217.467,
}  # fmt: skip
"""Bulge of Binney & Vasiliev (2024)."""
HIGH_ALPHA = {
    "mass": 7.6607e9, "J_r0": 116.364, "J_z0": 64.6019, "J_phi0": 399.044, "p_r": 0.101178, "p_z": 0.172538,
    "J_den": 150.0, "J_vel": 40.0, "J_cut": 2212.03, "J_width": 207.767,
}  # fmt: skip
"""High-alpha disc of Binney & Vasiliev (2024), with an outer taper."""
INNER_TAPER = {
    "mass": 4.5e9, "J_r0": 2.80578, "J_z0": 1.29637, "J_phi0": 977.929, "p_r": -0.756167, "p_z": -0.234657,
    "J_den": 152.098, "J_vel": 102.1, "J_taper": 186.92, "J_trans": 278.0,
}  # fmt: skip
"""Young disc of Binney & Vasiliev (2024), with an inner taper."""

ACTIONS = np.array([[10.0, 2.0, 1800.0], [60.0, 1.0, 500.0], [0.0, 0.0, 40.0], [5.0, 8.0, -300.0]]).T


def exponential(**changes):
    return Exponential(**{name: jnp.asarray(value) for name, value in (YOUNG | changes).items()})


def test_mass_of_the_exponential():
    assert float(total_mass(exponential())) == pytest.approx(YOUNG["mass"], rel=1e-6)


def test_exponential_by_hand():
    J_r, J_z, J_phi = 12.0, 3.0, 1500.0
    x_r, x_z = (1600 / 650) ** -0.7 / 10, (1600 / 650) ** -0.3 / 0.65
    f = 1.75e9 / (2 * np.pi) ** 3 * J_phi / 650**2 * np.exp(-J_phi / 650)
    f *= x_r * np.exp(-x_r * J_r) * x_z * np.exp(-x_z * J_z)
    assert float(exponential()(J_r, J_z, jnp.asarray(J_phi))) == pytest.approx(f, rel=1e-12)


def test_angular_momenta_of_the_exponential():
    """Integrated over J_r and J_z the distribution is J e^(-J/J_phi0)/J_phi0^2, whatever the dispersions."""
    t, w = gauss_legendre(200, 0.0, 1.0)
    J_phi = np.array([50.0, 700.0, 2500.0])[:, None, None]
    J_r, J_z = 600.0 * t[:, None], 60.0 * t
    f = exponential()(jnp.asarray(J_r), jnp.asarray(J_z), jnp.asarray(J_phi))
    density = (2 * np.pi) ** 3 * np.einsum("ijk,j,k->i", f, 600.0 * w, 60.0 * w)
    J = J_phi.ravel()
    np.testing.assert_allclose(density, YOUNG["mass"] * J / 650**2 * np.exp(-J / 650), rtol=1e-9)


def test_normalisation_of_the_published_bulge():
    """The file of the published model states mass and normalisation of its bulge: 1.4445e8."""
    assert float(jnp.exp(TaperedExponential.of(**BULGE).log_norm)) == pytest.approx(1.4445e8, rel=1e-5)


@pytest.mark.parametrize("parameters", [BULGE, HIGH_ALPHA, INNER_TAPER], ids=["bulge", "outer", "inner"])
def test_mass_by_another_quadrature(parameters):
    """In J_t and its shares, with many nodes."""
    df = TaperedExponential.of(**parameters)
    t, w = gauss_legendre(400, 0.0, 1.0)
    largest = 25 * parameters["J_phi0"]
    total = largest * t**2
    x, w_x = gauss_legendre(200, 0.0, 1.0)
    u = np.sinh(9.0 * x) / np.sinh(9.0)  # crowds where J_r + J_z is a small part of J_t
    du = 9.0 * np.cosh(9.0 * x) / np.sinh(9.0) * w_x
    split, d_split = gauss_legendre(24, 0.0, 1.0)
    J = total[:, None, None]
    across = u[:, None] * J
    f = df(across * split, across * (1 - split), J - across)
    weights = (w * 2 * largest * t * total**2, du * u, d_split)
    mass = (2 * np.pi) ** 3 * float(jnp.einsum("ijk,i,j,k->", f, *weights))
    assert mass == pytest.approx(parameters["mass"], rel=1e-4)


def test_tapers():
    """Far on the inside of both tapers they change nothing but the normalisation; beyond, f vanishes."""
    plain = {**BULGE, "J_cut": 0.0, "J_width": 0.0}
    df, untapered = TaperedExponential.of(**BULGE), TaperedExponential.of(**plain)
    inside, outside = (jnp.asarray(J) for J in ((5.0, 5.0, 1e-3), (5.0, 5.0, 3000.0)))
    ratio = np.exp(float(df.log_norm - untapered.log_norm))
    expected = ratio / (1 + np.exp(-2 * 611.194 / 217.467))
    assert float(df(*inside) / untapered(*inside)) == pytest.approx(expected, rel=1e-6)
    expected = ratio * np.exp(-2 * (3000 - 611.194) / 217.467)
    assert float(df(*outside) / untapered(*outside)) == pytest.approx(expected, rel=1e-6)


def test_without_rises_and_tapers_it_is_an_exponential_of_the_sum():
    """p_r = p_z = 0, no J_den: f / (J_t exp(-J_t/J_phi0 - J_r/J_r0 - J_z/J_z0)) is one constant."""
    df = TaperedExponential.of(mass=1e10, J_r0=30.0, J_z0=5.0, J_phi0=500.0)
    J_r, J_z, J_phi = ACTIONS[:, :3]
    total = J_r + J_z + J_phi
    shape = total * np.exp(-total / 500 - J_r / 30 - J_z / 5)
    ratio = np.asarray(df(*jnp.asarray(ACTIONS[:, :3]))) / shape
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)


@pytest.mark.parametrize("df", [exponential(), TaperedExponential.of(**BULGE)], ids=["plain", "tapered"])
def test_positive_and_without_counter_rotation(df):
    f = np.asarray(df(*jnp.asarray(ACTIONS)))
    assert np.all(f[:3] > 0)
    assert f[3] == 0


@pytest.mark.parametrize("name", ["mass", "J_r0", "J_phi0", "p_r", "J_vel", "J_den", "J_cut", "J_width"])
def test_derivatives_in_the_parameters(name):
    def log_f(value):
        return jnp.log(TaperedExponential.of(**{**BULGE, name: value})(20.0, 3.0, jnp.asarray(400.0)))

    value = BULGE[name]
    _, slope = jax.jvp(log_f, (value,), (1.0,))
    h = 1e-4 * abs(value)
    assert float(slope) == pytest.approx(float(log_f(value + h) - log_f(value - h)) / (2 * h), rel=1e-5)


def test_gradients_are_finite_at_the_edges():
    """At J = 0 and where J_phi changes sign."""
    for df in (exponential(), TaperedExponential.of(**BULGE)):
        for J_phi in (-5.0, 0.0, 5.0):
            J = jnp.asarray([0.0, 0.0, J_phi])
            slopes = eqx.filter_grad(lambda df, J=J: df(*J))(df), jax.grad(lambda J, df=df: df(*J))(J)
            assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(slopes))
