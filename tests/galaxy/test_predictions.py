"""Profiles by component, escape speed and stability."""

import numpy as np
import pytest

import galactions as ga
from galactions.constants import G
from galactions.errors import ModelError
from galactions.galaxy import ComponentSpec, Galaxy, ModelSpec

R = np.array([2.0, 4.0, 8.11, 15.0])


@pytest.fixture(scope="module")
def hernquist():
    """A Hernquist sphere of 1e11 Msun and 5 kpc: density and potential in closed form."""
    halo = ComponentSpec("sphere", "sphere", "spheroid", dark=True)
    values = {"rho0": 1e11 / (2 * np.pi * 125.0), "r0": 5.0, "gamma": 1.0, "beta": 4.0, "q": 1.0}
    parameters = {**{f"{k}_sphere": v for k, v in values.items()}, "d_sun": 8.0}
    return ga.build(ModelSpec("Hernquist", (halo,), parameters, source="Hernquist 1990"), iterations=0)


def test_escape_speed_of_the_hernquist_sphere(hernquist):
    r = np.hypot(R, 3.0)
    np.testing.assert_allclose(hernquist.escape_speed(R, 3.0), np.sqrt(2 * G * 1e11 / (r + 5)), rtol=1e-5)
    exact = np.sqrt(2 * G * 1e11 * (1 / (R + 5) - 1 / 105))
    np.testing.assert_allclose(hernquist.escape_speed(R, limit=100.0), exact, rtol=1e-5)


def test_escape_speed_needs_a_limit_outside(hernquist):
    with pytest.raises(ModelError, match=r"limit = 5.0 kpc: must lie beyond all points"):
        hernquist.escape_speed(R, limit=5.0)


def test_circular_velocity_split(initial):
    split = initial.circular_velocity_split(R)
    np.testing.assert_allclose(np.hypot(split.baryons, split.dark), split.total, rtol=1e-5)
    x = R / 19.25
    nfw = 4 * np.pi * G * 8.52e6 * 19.25**3 * (np.log1p(x) - x / (1 + x)) / R
    np.testing.assert_allclose(split.dark, np.sqrt(nfw), rtol=1e-5)


def test_a_halo_alone_is_all_dark(hernquist):
    split = hernquist.circular_velocity_split(R)
    np.testing.assert_array_equal(split.baryons, 0.0)
    np.testing.assert_allclose(split.dark, split.total, rtol=1e-10)


def test_density_profiles(initial):
    midplane, vertical = initial.midplane_densities(R), initial.vertical_densities([0.0, 0.3, 0.6])
    assert tuple(midplane) == tuple(vertical) == initial.components
    np.testing.assert_allclose(midplane["thin_disk"], 8.95e8 / 0.6 * np.exp(-R / 2.48), rtol=1e-12)
    thin = np.asarray(vertical["thin_disk"])
    np.testing.assert_allclose(thin, thin[0] * np.exp([0.0, -1.0, -2.0]), rtol=1e-12)
    assert thin[0] == pytest.approx(float(initial.density("thin_disk", 8.11, 0.0)))
    assert float(initial.vertical_densities(0.0, 4.0)["halo"]) == float(initial.density("halo", 4.0, 0.0))


class TestOfTheSettledModel:
    """Mc17a after five iterations."""

    def test_thick_disc_streams_more_slowly(self, settled):
        """Fig. 18: asymmetric drift grows with the dispersion."""
        v_circ = settled.circular_velocity(R)
        thin, thick = (settled.mean_streaming(name, R) for name in ("thin_disk", "thick_disk"))
        assert np.all(np.asarray(thick) < np.asarray(thin))
        assert np.all(np.asarray(thin)[1:] < v_circ[1:])
        assert float(v_circ[2] - thin[2]) < 20.0

    def test_epicyclic_ratio_of_a_cold_disc(self, settled):
        """sigma_phi/sigma_R tends to kappa/(2 Omega) (Binney & Tremaine 2008, eq. 4.317)."""
        kappa, _, Omega = settled.frequencies(8.11)
        ratio = settled.dispersion_ratios("thin_disk", 8.11)
        assert float(ratio.phi_to_R) == pytest.approx(float(kappa / (2 * Omega)), rel=0.05)
        moments = settled.velocity_moments("thin_disk", 8.11, 0.0)
        assert float(ratio.z_to_R) == pytest.approx(float(moments.sigma_z / moments.sigma_R), rel=1e-12)

    def test_halo_is_nearly_isotropic(self, settled):
        ratio = settled.dispersion_ratios("halo", 20.0)
        np.testing.assert_allclose([ratio.z_to_R, ratio.phi_to_R], 1.0, atol=0.1)

    def test_toomre_q(self, settled):
        """By hand for one disc; two discs together are less stable than either."""
        kappa = settled.frequencies(8.11)[0]
        surface = settled.surface_density("thin_disk", 8.11)
        sigma = settled.velocity_moments("thin_disk", 8.11, 0.0).sigma_R
        thin = settled.toomre_q(8.11, ["thin_disk"])
        assert float(thin) == pytest.approx(float(kappa * sigma / (3.36 * G * surface)), rel=1e-6)
        both = settled.toomre_q(8.11)
        thick = settled.toomre_q(8.11, ["thick_disk"])
        assert float(1 / both) == pytest.approx(float(1 / thin + 1 / thick), rel=1e-12)


def test_toomre_q_needs_a_disc(hernquist):
    with pytest.raises(ModelError, match="Hernquist has no disc with a distribution function"):
        hernquist.toomre_q(8.0)


def test_every_prediction_is_a_method():
    from galactions.galaxy import predictions

    for name in ("escape_speed", "toomre_q", "circular_velocity_split", "mean_streaming"):
        assert getattr(Galaxy, name) is getattr(predictions, name)
