"""Fits of bins, outside constraints and single stars together, on the analytic stand-in."""

from dataclasses import replace

import numpy as np
import pytest
from gaussians import (
    NAMES,
    TRUTH,
    ExtendedGaussians,
    Gaussians,
    SmoothGaussians,
    outside,
    problem,
    stars_from,
    survey_from,
)

from galactions.errors import ConfigError
from galactions.inference import data_sigma, fit, load_fit
from galactions.inference.chi2 import region_chi2
from galactions.inference.joint import joint_objective
from galactions.inference.objective import GaussianObjective, MultinomialObjective
from galactions.inference.posterior.target import problem_target
from galactions.inference.problem import all_slopes, predict_all, predict_heights
from galactions.inference.scoring import Scored, fisher_scoring

SURVEY = survey_from(SmoothGaussians(), 2000, seed=4)
FREE = ("sigma_r0_thin", "sigma_z0_thin", "R_sigma_thin", "shift")


def joint(stars=None, value=30.0, survey=SURVEY, **settings):
    """A problem with outside data, and with stars where they are given."""
    given = np.zeros(0) if stars is None else stars
    chosen = {"free": FREE, **settings}
    start = {"shift": 2.0} if "shift" in chosen["free"] else {}
    found = problem(ExtendedGaussians(stars=given), survey, start, **chosen)
    return replace(found, constraints=outside(value), n_stars=len(given))


def at_start(which):
    values = which.free.start
    y, slopes = predict_all(which, values).array, all_slopes(which, values).array
    return values, y, slopes, joint_objective(which, data_sigma(which.layout))


@pytest.mark.parametrize("kind", ["chi2", "multinomial", "stars"])
def test_slopes_of_the_whole_against_finite_differences(kind):
    which = joint(stars_from(), objective=kind)
    values, y, slopes, objective = at_start(which)
    gradient = objective.slope(y) @ slopes
    for i in range(4):
        step = 1e-4 * values[i] * np.eye(4)[i]
        ends = [objective.value(predict_all(which, values + sign * step).array) for sign in (1, -1)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / (2e-4 * values[i]), rel=1e-5)


def test_the_score_is_the_papers_chi2_and_the_constraints_add_theirs():
    plain = problem(SmoothGaussians(), SURVEY)
    values, y, _, objective = at_start(plain)
    sigma = data_sigma(plain.layout)
    assert objective.score(y) == pytest.approx(region_chi2(plain.layout, y, sigma)[0], rel=1e-12)
    which = joint()
    values, y, _, objective = at_start(which)
    p = predict_heights(which, values).array
    chi2 = region_chi2(which.layout, p, sigma)[0]
    extra = ((36.0 - 30.0) / 0.1) ** 2 + (2.0 * 10.0 - 37.5) ** 2
    assert objective.score(y) == pytest.approx(chi2 + extra / which.layout.n_fitted, rel=1e-12)


def test_as_a_likelihood_all_bins_count_alike():
    which = joint()
    _, y, _, _ = at_start(which)
    sigma = data_sigma(which.layout)
    alone = GaussianObjective(which.layout, sigma).value(y[: len(sigma)])
    extra = 0.5 * np.sum(which.constraints.residuals(y[len(sigma) :]) ** 2)
    assert joint_objective(which, sigma, by_region=False).value(y) == pytest.approx(alone + extra)


def test_without_derivatives_of_its_own_they_are_differences():
    exact = joint(stars_from())

    class Plain(Gaussians):
        extended = ExtendedGaussians.extended
        stars = exact.predictor.stars

    which = replace(exact, predictor=Plain())
    assert not which.has_derivatives
    expected = all_slopes(exact, exact.free.start).array
    found = all_slopes(which, exact.free.start).array
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6 * np.abs(expected).max())


def test_multinomial_least_squares_finds_what_nelder_mead_finds():
    quick = fit(problem(SmoothGaussians(), SURVEY, objective="multinomial", method="least-squares"))
    slow = fit(problem(SmoothGaussians(), SURVEY, objective="multinomial", tolerance=1e-3))
    assert quick.converged
    assert slow.converged
    for name in NAMES:
        assert abs(quick.best[name] - slow.best[name]) < 0.1 * quick.standard_errors[name]
        assert abs(quick.best[name] - TRUTH[name]) < 4 * quick.standard_errors[name]
    layout = problem(SmoothGaussians(), SURVEY).layout
    objective = MultinomialObjective(layout)
    p = layout.flatten(quick.prediction.p)
    assert quick.score == pytest.approx(2 * (objective.value(p) - objective.saturated) / layout.n_fitted)


def test_multinomial_fits_scatter_as_their_errors_say():
    pulls = []
    for seed in range(30):
        found = fit(
            problem(
                SmoothGaussians(),
                survey_from(SmoothGaussians(), 300, seed),
                objective="multinomial",
                method="least-squares",
            )
        )
        pulls.append([(found.best[n] - TRUTH[n]) / found.standard_errors[n] for n in NAMES])
    assert np.mean(pulls, axis=0) == pytest.approx(np.zeros(3), abs=4 / np.sqrt(30))
    assert np.std(pulls, axis=0) == pytest.approx(np.ones(3), abs=4 / np.sqrt(60))


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_a_constraint_pulls_and_shrinks_the_error(method):
    free = fit(joint(value=30.0, method="least-squares", free=NAMES))
    pulled = fit(joint(value=31.0, method=method, free=NAMES, tolerance=1e-3))
    alone = fit(problem(SmoothGaussians(), SURVEY, method="least-squares"))
    assert free.standard_errors["sigma_z0_thin"] < 0.1 < alone.standard_errors["sigma_z0_thin"]
    before, after = (abs(result.best["sigma_z0_thin"] - 31.0) for result in (alone, pulled))
    assert after < 0.25 * before
    assert abs(pulled.best["sigma_z0_thin"] - free.best["sigma_z0_thin"]) > 0.75
    assert set(pulled.constraints) == {"outside"}
    assert pulled.constraints["outside"] > 0
    assert "chi2 of outside" in pulled.summary()


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_single_stars_are_fitted(method):
    """The errors are those of the stars: sigma_z0_thin is known from the constraint alone."""
    which = joint(stars_from(seed=2), objective="stars", method=method, tolerance=1e-3, max_trials=2000)
    found = fit(which)
    assert found.converged
    for name in FREE:
        assert abs(found.best[name] - TRUTH[name]) < 4 * found.standard_errors[name], name
    assert found.best["sigma_z0_thin"] == pytest.approx(30.0, abs=0.02)
    assert found.standard_errors["sigma_z0_thin"] == pytest.approx(0.1, rel=1e-6)
    assert found.trials[0].score == pytest.approx(found.trials[0].minimised)
    assert found.trials[0].chi2 != found.trials[0].score


def test_a_run_with_all_of_it_is_read_back_and_taken_up(tmp_path):
    which = joint(stars_from(seed=2), objective="stars", method="least-squares", max_trials=4)
    first = fit(which, folder=tmp_path)
    assert not first.converged
    more = replace(which, settings=which.settings.model_copy(update={"max_trials": 200}))
    found = fit(more, folder=tmp_path, resume=True)
    assert found.converged
    assert found.best == fit(more).best
    read = load_fit(tmp_path)
    assert (read.best, read.score, read.constraints) == (found.best, found.score, found.constraints)


def test_what_the_predictor_cannot_do_is_said():
    with pytest.raises(ConfigError, match=r"need an ExtendedPredictor; found SmoothGaussians"):
        fit(replace(problem(SmoothGaussians(), SURVEY), constraints=outside()))
    with pytest.raises(ConfigError, match="the problem has no single stars"):
        fit(problem(SmoothGaussians(), SURVEY, objective="stars"))


def test_predictions_of_the_wrong_number_are_mistakes():
    which = replace(joint(stars_from()), n_stars=599)
    with pytest.raises(ValueError, match=r"the prediction of stars has shape \(600,\); expected \(599,\)"):
        predict_all(which, which.free.start)


def test_a_star_without_probability_is_told():
    stars = stars_from()
    stars[7] = np.inf
    found = predict_all(joint(stars), joint().free.start)
    assert found.array is None
    assert "1 of 600 stars have no probability in the model" in found.reason


def test_scoring_ends_on_a_bound():
    centre, matrix = np.array([2.0, 1.0]), np.array([[2.0, 0.9], [0.9, 1.0]])
    quadratic = Scored(
        lambda x: x - centre,
        lambda x: np.eye(2),
        lambda y, _: float(0.5 * y @ matrix @ y),
        lambda y, slopes, _: (slopes.T @ matrix @ y, slopes.T @ matrix @ slopes),
        np.array([0.0, -5.0]),
        np.array([1.0, 5.0]),
        np.full(2, 0.7),
        1e-8,
    )
    end = fisher_scoring(quadratic, np.array([0.5, 3.0]), tolerance=1e-10)
    assert end.converged
    assert end.x == pytest.approx([1.0, 1.0 + 0.9], abs=1e-4)


def starting(**more):
    away = {"sigma_r0_thin": 90.0, "sigma_z0_thin": 20.0, "R_sigma_thin": 25.0}
    found = problem(SmoothGaussians(), SURVEY, method="least-squares", **more)
    return replace(found, starts={"other": away, "impossible": {**away, "sigma_r0_thin": 5.0}})


def test_several_starts_end_in_the_same_place(tmp_path):
    which = starting()
    which = replace(which, predictor=SmoothGaussians(impossible=10.0))
    found = fit(which, folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"toy", "other", "impossible"}
    assert set(found.others) < {"toy", "other"}
    for result in found.others.values():
        assert result.score >= found.score
        assert result.best["sigma_r0_thin"] == pytest.approx(found.best["sigma_r0_thin"], rel=1e-3)
    assert "from " in found.summary()
    told = (tmp_path / "starts.json").read_text()
    assert "no such disc" in told
    again = fit(which, folder=tmp_path, resume=True)
    assert again.best == found.best


@pytest.mark.parametrize("kind", ["multinomial", "stars"])
def test_emulators_see_the_stars_as_one_number(kind):
    target = problem_target(joint(stars_from(), objective=kind))
    u = target.from_values(target.problem.free.start)
    features = target.features(u)
    pooled = target.pooled(np.stack([features, 1.01 * features]))
    assert pooled.shape == (2, len(features) - target.problem.n_stars + 1)
    value, by_feature, by_u = target.log_density_and_gradients_of(pooled[0], u)
    assert value == pytest.approx(target.log_density(u), rel=1e-12)
    by_pooled = target.pooled(target.feature_slopes(u).T).T
    np.testing.assert_allclose(by_feature @ by_pooled + by_u, target.value_and_gradient(u)[1], rtol=1e-9)
    bins = problem_target(joint())
    np.testing.assert_array_equal(bins.pooled(bins.features(u)), bins.features(u))
