"""From a configuration to fits of real models: what is free, what constrains, and single stars."""

import numpy as np
import pytest

import galactions as ga
from galactions.config import parse_config
from galactions.errors import ConfigError
from galactions.inference import fit
from galactions.inference.model_predictor import problem_from_config, with_optional
from galactions.inference.problem import predict_all
from galactions.inference.starts import named_starts

MOCK = """
[model]
name = "Mc17a"
iterations = 0
final_iterations = 0
[model.set]
sigma_r0_thin = 72.0
[survey]
observables = ["v_los"]
histogram = "counts"
min_stars = 50
[survey.cuts]
disc_velocities = false
[survey.mock]
counts = 400
pm = 0.05
distance_fraction = 0.1
[[survey.regions]]
name = "near"
l = [160, 200]
b = [0, 10]
distance = [1.0, 2.0]
[[survey.regions]]
name = "far"
l = [160, 200]
b = [-10, 0]
distance = [3.0, 5.0]
[projection]
nodes = 64
replicates = 2
reference = 1024
errors = "forward"
[fit]
objective = "stars"
method = "least-squares"
free = ["sigma_r0_thin", "outlier_fraction"]
tolerance = 0.1
star_nodes = 16
held_out = ["far"]
[[fit.constraints]]
kind = "local_density"
value = 0.1
sigma = 0.01
"""
SPEC = ga.named_model("Mc17a")


@pytest.mark.slow
def test_a_configuration_with_stars_and_constraints_is_fitted():
    problem = problem_from_config(parse_config(MOCK))
    assert 350 < problem.n_stars <= 400  # the other region is held out
    start = predict_all(problem, problem.free.start).array
    assert len(start) == len(problem.layout.data) + 1 + problem.n_stars
    density = start[len(problem.layout.data)]
    initial = ga.build(SPEC.replace(sigma_r0_thin=72.0), iterations=0)
    expected = 1e-9 * sum(float(initial.density(name, 8.11, 0.0)) for name in initial.components)
    assert density == pytest.approx(expected, rel=1e-6)
    result = fit(problem)
    assert result.converged
    error = result.standard_errors["sigma_r0_thin"]
    assert 0.5 < error < 6.0
    assert abs(result.best["sigma_r0_thin"] - SPEC.parameters["sigma_r0_thin"]) < 3.5 * error
    assert result.best["outlier_fraction"] < 0.03
    assert result.constraints == pytest.approx({"local density of total": ((expected - 0.1) / 0.01) ** 2})
    assert np.all(np.isfinite(problem.layout.flatten(result.prediction.p)))


def test_optional_parameters_begin_where_they_change_nothing():
    spec = with_optional(SPEC, ("sigma_r0_thin", "u_sun", "distance_scale", "R_d_thin_df", "v0_sun"))
    added = {name: spec.parameters[name] for name in set(spec.parameters) - set(SPEC.parameters)}
    assert added == {"u_sun": 11.10, "distance_scale": 1.0, "R_d_thin_df": 2.48, "v0_sun": 232.8}
    assert with_optional(spec, ("u_sun",)) == spec
    with pytest.raises(ConfigError, match="'R_flare_thin' has no value to begin from"):
        with_optional(SPEC, ("R_flare_thin",))


def test_starts_are_models_of_the_same_components():
    found = named_starts(("Mc17b", "Mc17c"), SPEC, ("sigma_r0_thin", "d_sun", "outlier_fraction"))
    b = ga.named_model("Mc17b").parameters
    assert found["Mc17b"] == {name: b[name] for name in ("sigma_r0_thin", "d_sun")}
    for name, told in (
        ("Ca20e", "which has other components; allowed for a fit of Mc17a: .*Mc17b"),
        ("Mc17a", "where the fit begins anyway"),
        ("Mc17z", "no model named 'Mc17z'"),
    ):
        with pytest.raises(ConfigError, match=f"fit.starts: .*{told}"):
            named_starts((name,), SPEC, ("d_sun",))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("[model.set]\nu_sum = 3.0", "model.set: unknown name 'u_sum'; did you mean 'u_sun'"),
        ('[fit]\nstarts = ["Mc17a"]', "fit.starts: found 'Mc17a'"),
        (
            '[[fit.constraints]]\nkind = "local_density"\nof = "disc"\nvalue = 1.0\nsigma = 1.0',
            "fit.constraints.0.of: the model has no component 'disc'",
        ),
    ],
)
def test_mistakes_are_told_before_the_survey_is_read(lines, told):
    with pytest.raises(ConfigError, match=told):
        problem_from_config(parse_config(f'[survey]\ncatalogue = "nowhere.fits"\n{lines}\n'))
