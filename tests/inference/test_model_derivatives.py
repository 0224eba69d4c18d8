"""Gradients of every objective through the whole model, forwards and backwards, against central differences
of its predictions."""

import numpy as np
import pytest

from galactions.config import parse_config
from galactions.inference.bins import data_sigma
from galactions.inference.joint import joint_objective
from galactions.inference.model_derivatives import DifferentiableModelPredictor
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.problem import all_slopes, predict_all, predict_pulled

FREE = ("sigma_r0_thin", "sigma_z0_thick", "R_sigma_thin", "Sigma0_thick", "h_thin", "d_sun", "v_sun")
CONFIG = """
[model]
name = "Mc17a"
iterations = {iterations}
[model.set]
sigma_r0_thin = 72.0
[survey]
observables = ["v_los", "pm_ra"]
histogram = "counts"
min_stars = 50
[survey.cuts]
disc_velocities = false
[survey.mock]
counts = 400
v_los = 5.0
pm = 0.05
distance_fraction = 0.1
[[survey.regions]]
name = "near"
l = [160, 200]
b = [0, 10]
distance = [1.0, 2.0]
[[survey.regions]]
name = "far"
l = [100, 140]
b = [-30, -10]
distance = [3.0, 5.0]
[projection]
nodes = 128
replicates = 2
reference = 1024
errors = "forward"
[fit]
objective = "{objective}"
method = "least-squares"
derivatives = "exact"
free = [{free}]
star_nodes = 16
[[fit.constraints]]
kind = "circular_velocity"
R = [6.0, 12.0]
value = 230.0
sigma = 3.0
[[fit.constraints]]
kind = "vertical_force"
z = 1.1
value = 70.0
sigma = 6.0
[[fit.constraints]]
kind = "surface_density"
of = "stars"
z_max = 1.1
value = 40.0
sigma = 4.0
[[fit.constraints]]
kind = "escape_speed"
value = 530.0
sigma = 30.0
"""


def problem(objective, iterations=1, free=FREE):
    names = ", ".join(f'"{name}"' for name in free)
    return problem_from_config(
        parse_config(CONFIG.format(objective=objective, iterations=iterations, free=names))
    )


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["chi2", "multinomial", "stars"])
def test_gradients_of_objectives(objective):
    free = (*FREE, "outlier_fraction") if objective == "stars" else FREE
    at = problem(objective, free=free)
    assert isinstance(at.predictor, DifferentiableModelPredictor)
    values = at.free.start
    y, slopes = predict_all(at, values).array, all_slopes(at, values).array
    joint = joint_objective(at, data_sigma(at.layout))
    gradient = joint.slope(y) @ slopes
    back = predict_pulled(at, values)
    np.testing.assert_allclose(back.array, y, rtol=1e-10)
    np.testing.assert_allclose(back.pull(np.asarray(joint.slope(y))), gradient, rtol=1e-8)
    size = np.sqrt(np.diag(joint.information(y, slopes)))
    for i, name in enumerate(free):
        step = 1e-4 * values[i] * np.eye(len(free))[i]
        near, far = (
            (
                joint.value(predict_all(at, values + h * step).array)
                - joint.value(predict_all(at, values - h * step).array)
            )
            / (2 * h * step[i])
            for h in (1, 2)
        )
        difference = (4 * near - far) / 3  # of fourth order
        assert abs(gradient[i] - difference) < 1e-5 * max(abs(difference), size[i]), name


@pytest.mark.slow
def test_gradient_of_a_settled_model():
    """With as many iterations as it takes: backwards, forwards, and differences, which know the settled model
    to 1e-4."""
    free = ("sigma_r0_thin", "R_sigma_thin", "d_sun")
    at = problem("multinomial", iterations='"auto"', free=free)
    values = at.free.start
    y = predict_all(at, values).array
    joint = joint_objective(at, data_sigma(at.layout))
    back = predict_pulled(at, values)
    np.testing.assert_allclose(back.array, y, rtol=1e-6)
    gradient = back.pull(np.asarray(joint.slope(y)))
    slopes = all_slopes(at, values).array
    size = np.sqrt(np.diag(joint.information(y, slopes)))
    np.testing.assert_allclose(gradient / size, joint.slope(y) @ slopes / size, atol=5e-3)
    for i, name in enumerate(free):
        step = 0.01 * values[i] * np.eye(len(free))[i]
        ends = [joint.value(predict_all(at, values + sign * step).array) for sign in (1, -1)]
        difference = (ends[0] - ends[1]) / (2 * step[i])
        assert gradient[i] == pytest.approx(difference, abs=0.05 * max(abs(difference), size[i])), name
