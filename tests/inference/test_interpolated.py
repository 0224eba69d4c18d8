"""Predictions interpolated between models on a grid, against the predictor they come from."""

import numpy as np
import pytest
from benchmarks.interpolated import interpolated, missed
from gaussians import NAMES, Gaussians, SmoothGaussians, problem, survey_from

BOUNDS = {"sigma_r0_thin": (60.0, 68.0), "sigma_z0_thin": (28.0, 32.0), "R_sigma_thin": (11.5, 13.5)}
START = {"sigma_r0_thin": 64.0, "sigma_z0_thin": 30.0, "R_sigma_thin": 12.5}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    model = problem(SmoothGaussians(), survey_from(Gaussians()), START, bounds=BOUNDS)
    return model, interpolated(model, 6, tmp_path_factory.mktemp("grid"))


def test_heights_and_slopes_are_those_of_the_model(both):
    model, other = both
    rng = np.random.default_rng(1)
    for values in rng.uniform(model.free.lower, model.free.upper, (5, 3)):
        parameters = model.all_parameters(values)
        for true, found in (
            (model.predictor.predict(parameters).p, other.predictor.predict(parameters).p),
            (model.predictor.jacobian(parameters, NAMES), other.predictor.jacobian(parameters, NAMES)),
        ):
            for name, rows in true.items():
                for k, row in enumerate(rows[:5]):
                    np.testing.assert_allclose(found[name][k], row, atol=2e-5 * np.abs(row).max())


def test_the_log_density_is_known_to_a_thousandth(both):
    rng = np.random.default_rng(2)
    points = np.array(list(START.values())) * (1.0 + 0.01 * rng.standard_normal((10, 3)))
    assert np.std(missed(*both, points)) < 1e-3


def test_a_grid_is_taken_up_and_not_mixed_up(tmp_path, capsys):
    made = []

    class Counted(Gaussians):
        def predict(self, parameters):
            made.append(parameters)
            return super().predict(parameters)

    model = problem(Counted(), survey_from(Gaussians()), START, bounds=BOUNDS)
    first = interpolated(model, 2, tmp_path)
    assert len(made) == 8
    again = interpolated(model, 2, tmp_path)
    assert len(made) == 8
    np.testing.assert_array_equal(again.predictor.coefficients, first.predictor.coefficients)
    for other, nodes in (
        (model, 3),
        (problem(Counted(), survey_from(Gaussians(), seed=1), START, bounds=BOUNDS), 2),
    ):
        with pytest.raises(SystemExit, match="another problem"):
            interpolated(other, nodes, tmp_path)
    with pytest.raises(SystemExit, match="--grid 1"):
        interpolated(model, 1, tmp_path)
    unbounded = problem(Counted(), survey_from(Gaussians()), START, bounds={"R_sigma_thin": (5.0, np.inf)})
    with pytest.raises(SystemExit, match="bounds"):
        interpolated(unbounded, 2, tmp_path)
