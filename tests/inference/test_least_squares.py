"""Least squares with few derivatives: the same answers, and how many evaluations they took."""

import dataclasses

import numpy as np
import pytest
from gaussians import NAMES, TRUTH, Gaussians, SmoothGaussians, outside, problem, survey_from
from scipy.optimize import least_squares

from galactions.errors import ModelError
from galactions.inference import FitSettings, RunFolderError, fit
from galactions.inference.problem import all_slopes, predict_slopes
from galactions.inference.run import kept_slopes
from galactions.inference.scoring import Scored, fisher_scoring
from galactions.inference.slopes import Slopes, corrected

SMOOTH = SmoothGaussians()


def test_a_correction_agrees_with_the_change_and_leaves_the_rest():
    rng = np.random.default_rng(0)
    slopes, step, change = rng.normal(size=(7, 4)), rng.normal(size=4), rng.normal(size=7)
    metric = slopes.T @ slopes
    found = corrected(slopes, step, change, metric)
    np.testing.assert_allclose(found @ step, change, atol=1e-12)
    across = rng.normal(size=4)
    along = metric @ step + 1e-6 * np.diag(metric) * step
    across -= (across @ along) / (step @ along) * step
    np.testing.assert_allclose(found @ across, slopes @ across, atol=1e-12)


def test_a_correction_is_the_same_in_other_units():
    rng = np.random.default_rng(1)
    slopes, step, change = rng.normal(size=(7, 3)), rng.normal(size=3), rng.normal(size=7)
    units = np.array([1e6, 1.0, 1e-3])
    found = corrected(slopes / units, step * units, change, (slopes / units).T @ (slopes / units))
    np.testing.assert_allclose(found * units, corrected(slopes, step, change, slopes.T @ slopes), rtol=1e-9)


class Counted:
    """Residuals of Powell's (1962) singular-free quartic in four parameters, and how often they were asked
    for."""

    def __init__(self):
        self.values, self.derivatives = 0, 0

    def residuals(self, x):
        self.values += 1
        a, b, c, d = x
        return np.array([a + 10 * b - 11, 2.2 * (c - d), (b - 2 * c) ** 2 - 1, 3.0 * (a * d - 1), a + c - 2])

    def jacobian(self, x):
        self.derivatives += 1
        a, b, c, d = x
        twice = 2 * (b - 2 * c)
        return np.array(
            [[1, 10, 0, 0], [0, 0, 2.2, -2.2], [0, twice, -2 * twice, 0], [3 * d, 0, 0, 3 * a], [1, 0, 1, 0]],
            dtype=float,
        )


def minimum(counted, start, upper=np.inf, tolerance=1e-10, unit=1e-8, **how):
    bounds = np.full(4, -np.inf), np.full(4, upper), np.full(4, 10.0)
    problem = Scored(
        counted.residuals,
        counted.jacobian,
        lambda y, _: float(y @ y),
        lambda y, slopes, _: (2.0 * y @ slopes, 2.0 * slopes.T @ slopes),
        *bounds,
        unit,
    )
    return fisher_scoring(problem, np.array(start), tolerance=tolerance, **how)


FAR = [1.6, 0.8, 1.4, 0.6]


def test_derivatives_are_evaluated_at_both_ends_only():
    counted = Counted()
    end = minimum(counted, FAR)
    assert end.converged
    np.testing.assert_allclose(end.x, 1.0, atol=1e-4)
    assert counted.derivatives == 2
    assert counted.values < 15
    np.testing.assert_array_equal(end.y, counted.residuals(end.x))


def test_a_rough_search_does_not_trust_derivatives_from_far_away():
    """The start is within 100 tolerances of the minimum, but many units away."""
    counted = Counted()
    residuals = counted.residuals(np.array(FAR))
    end = minimum(counted, FAR, tolerance=0.01 * float(residuals @ residuals), unit=1e-3)
    assert end.converged
    assert counted.derivatives == 2


def test_no_step_is_longer_than_allowed():
    counted, steps = Counted(), []
    seen = [np.array(FAR)]

    def residuals(x):
        steps.append(np.abs(x - seen[-1]).max())
        seen.append(x)
        return counted.residuals(x)

    limits = np.full(4, -np.inf), np.full(4, np.inf), np.full(4, 0.1)
    problem = Scored(
        residuals,
        counted.jacobian,
        lambda y, _: float(y @ y),
        lambda y, slopes, _: (2.0 * y @ slopes, 2.0 * slopes.T @ slopes),
        *limits,
        1e-8,
    )
    end = fisher_scoring(problem, np.array(FAR), tolerance=1e-10)
    np.testing.assert_allclose(end.x, 1.0, atol=1e-4)
    assert max(steps[:4]) <= 0.1 + 1e-12


def test_aged_derivatives_are_renewed_where_steps_fail():
    counted = Counted()
    wrong = -counted.jacobian(np.array(FAR))
    end = minimum(counted, FAR, known=wrong, near=True)
    assert end.converged
    np.testing.assert_allclose(end.x, 1.0, atol=1e-4)
    assert counted.derivatives > 1


def test_bounds_hold_and_the_optimum_on_one_is_found():
    counted = Counted()
    start = np.array([0.5, 0.8, 0.7, 0.6])
    end = minimum(counted, start, 0.9)
    assert end.converged
    theirs = least_squares(counted.residuals, start, counted.jacobian, bounds=(-np.inf, 0.9), xtol=1e-12)
    np.testing.assert_allclose(end.x, theirs.x, atol=1e-4)


class Counting(Gaussians):
    calls = 0

    def predict(self, parameters):
        type(self).calls += 1
        return super().predict(parameters)


@pytest.mark.parametrize("objective", ["chi2", "multinomial"])
def test_without_derivatives_a_fit_takes_a_few_predictions_and_finds_the_same(objective):
    chosen = {"method": "least-squares", "objective": objective, "tolerance": 1e-4}
    Counting.calls = 0
    rough = fit(problem(Counting(), survey_from(SMOOTH), **chosen))
    assert Counting.calls <= 30  # three sets of derivatives, of three predictions each, among them
    exact = fit(problem(SMOOTH, survey_from(SMOOTH), **chosen))
    for name in NAMES:
        assert rough.best[name] == pytest.approx(exact.best[name], abs=5e-3 * exact.standard_errors[name])
        assert rough.standard_errors[name] == pytest.approx(exact.standard_errors[name], rel=1e-3)


def test_differences_to_one_side_keep_to_what_can_be_built():
    truth = np.array([TRUTH[name] for name in NAMES])
    limited = problem(
        Gaussians(broken=64.0),
        survey_from(SMOOTH),
        {"sigma_r0_thin": 64.0},
        bounds={"R_sigma_thin": (1.5, 12.5)},
    )
    exact = predict_slopes(problem(SMOOTH, survey_from(SMOOTH)), truth).array
    heights = limited.layout.flatten(Gaussians().predict(TRUTH).p)
    found = all_slopes(limited, truth, heights).array
    np.testing.assert_allclose(found, exact, atol=2e-3 * np.abs(exact).max())
    assert all_slopes(limited, truth).array is None


@pytest.fixture(scope="module")
def derivatives_at_the_truth():
    values = np.array([TRUTH[name] for name in NAMES])
    mine = problem(SMOOTH, survey_from(SMOOTH))
    heights = mine.layout.flatten(SMOOTH.predict(TRUTH).p)
    return Slopes(values, heights, predict_slopes(mine, values).array)


def test_derivatives_can_be_handed_to_fits_of_other_surveys(derivatives_at_the_truth, tmp_path):
    for seed in range(5):
        mine = problem(Counting(), survey_from(SMOOTH, 2000, seed), TRUTH, method="least-squares")
        Counting.calls = 0
        found = fit(mine, folder=tmp_path / str(seed), slopes=derivatives_at_the_truth)
        assert Counting.calls <= 6
        assert {trial.kind for trial in found.trials} == {"heights"}
        alone = fit(problem(SMOOTH, survey_from(SMOOTH, 2000, seed), TRUTH, method="least-squares"))
        for name in NAMES:
            assert found.best[name] == pytest.approx(alone.best[name], abs=0.1 * alone.standard_errors[name])
            assert found.standard_errors[name] == pytest.approx(alone.standard_errors[name], rel=0.1)


def test_derivatives_handed_on_are_kept_for_when_a_run_is_taken_up(derivatives_at_the_truth, tmp_path):
    def stop_at_three(update):
        if update.trial == 3:
            raise KeyboardInterrupt

    mine = problem(SMOOTH, survey_from(SMOOTH), TRUTH, method="least-squares", tolerance=1e-8)
    whole = fit(mine, slopes=derivatives_at_the_truth)
    with pytest.raises(KeyboardInterrupt):
        fit(mine, folder=tmp_path, progress=stop_at_three, slopes=derivatives_at_the_truth)
    assert fit(mine, folder=tmp_path, resume=True).best == whole.best


def test_a_run_keeps_its_derivatives_for_problems_with_the_same_predictions(tmp_path):
    mine = problem(SMOOTH, survey_from(SMOOTH), method="least-squares")
    result = fit(mine, folder=tmp_path)
    kept = kept_slopes(tmp_path, mine)
    best = np.array([result.best[name] for name in NAMES])
    error = np.array([result.standard_errors[name] for name in NAMES])
    assert np.all(np.abs(kept.values - best) < 2.0 * error)
    np.testing.assert_array_equal(kept.array, predict_slopes(mine, kept.values).array)
    elsewhere = dataclasses.replace(mine, parameters={**mine.parameters, "sigma_r0_thin": 55.0})
    assert kept_slopes(tmp_path, elsewhere) is not None
    others = [
        dataclasses.replace(mine, parameters={**mine.parameters, "shift": 3.1}),
        dataclasses.replace(mine, survey=survey_from(SMOOTH, 2000, 1)),
        dataclasses.replace(mine, seed=1),
        dataclasses.replace(mine, identity={"iterations": 4}),
        dataclasses.replace(mine, settings=FitSettings(free=NAMES[:2])),
        dataclasses.replace(
            mine, constraints=outside(), settings=FitSettings(free=NAMES, ties={"idle": "shift"})
        ),
    ]
    assert [kept_slopes(tmp_path, other) for other in others] == [None] * len(others)
    assert kept_slopes(tmp_path / "nowhere", mine) is None
    (tmp_path / "slopes.npz").write_bytes(b"no arrays")
    with pytest.raises(RunFolderError, match=r"slopes.npz: the derivatives in it cannot be read"):
        kept_slopes(tmp_path, mine)


def test_a_fit_without_a_model_at_its_start_ends_whatever_it_was_handed(derivatives_at_the_truth):
    mine = problem(SmoothGaussians(impossible=60.0), survey_from(SMOOTH), method="least-squares")
    with pytest.raises(ModelError, match="the fit cannot begin"):
        fit(mine, slopes=derivatives_at_the_truth)
