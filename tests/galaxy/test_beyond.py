"""Models beyond the paper's, for its open problem: the disc at 15-20 kpc is hotter than any of its models."""

import numpy as np
import pytest

import galactions as ga
from galactions.errors import ModelError


@pytest.fixture(scope="module", params=["Mc17a_flare", "Mc17a_three"])
def model(request):
    return ga.build(request.param, iterations=0)


def stellar_dispersions(galaxy, R):
    """Mass-weighted sigma_R and sigma_z of all discs in the midplane, km/s."""
    moments = [galaxy.velocity_moments(name, R, 0.0) for name in galaxy.components if name.endswith("_disk")]
    density = sum(m.density for m in moments)
    return [
        np.sqrt(sum(m.density * getattr(m, name) ** 2 for m in moments) / density)
        for name in ("sigma_R", "sigma_z")
    ]


def test_hotter_than_the_fiducial_model_outside(model, initial):
    R = np.array([15.0, 20.0])
    for ours, fiducial in zip(stellar_dispersions(model, R), stellar_dispersions(initial, R), strict=True):
        assert np.all(ours > 1.1 * fiducial)


def test_as_fast_as_the_fiducial_model_at_the_sun(model, initial):
    assert float(model.circular_velocity(8.11)) == pytest.approx(
        float(initial.circular_velocity(8.11)), rel=0.02
    )


def test_its_parameters_can_be_changed(model):
    name = "sigma_r_floor_thin" if "flare" in model.spec.name else "h_outer_df"
    assert model.spec.replace(**{name: 1.5}).parameters[name] == 1.5
    with pytest.raises(ModelError, match=f"{name} = -1.5: must be positive"):
        model.spec.replace(**{name: -1.5})


def test_floor_may_be_added_to_any_quasi_isothermal_disc():
    spec = ga.named_model("Mc17c").replace(sigma_z_floor_thick=10.0, R_flare_thick=12.0)
    assert spec.parameters["R_flare_thick"] == 12.0
