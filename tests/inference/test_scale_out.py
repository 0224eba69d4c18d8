"""Suites of fits and posteriors: what comes out does not depend on who did the work."""

import numpy as np
import pytest
from gaussians import NAMES, TRUTH, SmoothGaussians, problem, survey_from

from galactions.errors import ConfigError
from galactions.inference import fit, predict_slopes
from galactions.inference.executor import SerialExecutor, open_executor
from galactions.inference.posterior import METHODS, PosteriorSettings, sample_posterior
from galactions.inference.scale_out import Recovery, Start, model_grid, multi_start, recovery_suite
from galactions.inference.slopes import Slopes

SMOOTH = SmoothGaussians()
STARTS = [
    Start("low", {"sigma_r0_thin": 40.0, "sigma_z0_thin": 20.0}),
    Start("high", {"sigma_r0_thin": 90.0, "R_sigma_thin": 20.0}),
]


def mock(seed):
    survey = survey_from(SMOOTH, 2000, seed)
    return problem(SMOOTH, survey, method="least-squares", uncertainty="model"), TRUTH


@pytest.fixture(scope="module")
def workers():
    """Two processes of a local Dask cluster, which find the modules of this folder."""
    with open_executor("local", 2) as executor:
        from pathlib import Path

        folder = str(Path(__file__).parent)
        executor.client.run(lambda: __import__("sys").path.insert(0, folder))
        yield executor


def test_several_starts_find_the_same_optimum(tmp_path):
    mine = problem(SMOOTH, survey_from(SMOOTH), method="least-squares")
    low, high = multi_start(mine, STARTS, folder=tmp_path)
    assert low.best == pytest.approx(high.best, rel=1e-3)
    assert {path.name for path in tmp_path.iterdir()} == {"low", "high"}
    again = multi_start(mine, STARTS, folder=tmp_path)
    assert [result.best for result in again] == [low.best, high.best]


def test_recovery_counts_what_lies_within_the_errors():
    found = recovery_suite(mock, range(24))
    assert found.names == NAMES
    assert all(found.converged)
    for name in NAMES:
        assert abs(found.bias[name]) < 4 / np.sqrt(24)
        assert found.scatter[name] == pytest.approx(1.0, abs=4 / np.sqrt(2 * 24))
        assert found.coverage["68%"][name] == pytest.approx(0.68, abs=4 * np.sqrt(0.68 * 0.32 / 24))
    one = fit(mock(3)[0])
    pull = (one.best["R_sigma_thin"] - TRUTH["R_sigma_thin"]) / one.standard_errors["R_sigma_thin"]
    assert found.pulls[3, 2] == pytest.approx(pull)


def test_one_set_of_derivatives_serves_all_mocks():
    problem_of_one, truth = mock(0)
    values = np.array([truth[name] for name in NAMES])
    heights = problem_of_one.layout.flatten(SMOOTH.predict(truth).p)
    slopes = Slopes(values, heights, predict_slopes(problem_of_one, values).array)
    alone, together = (recovery_suite(mock, range(4), slopes=given) for given in (None, slopes))
    assert np.abs(alone.pulls - together.pulls).max() < 0.15
    assert max(together.trials) < min(alone.trials)


def test_coverage_is_a_count():
    pulls = np.array([[0.5, 1.5], [-0.9, 3.0], [1.1, np.nan]])
    errors = np.where(np.isnan(pulls), np.nan, 2.0)
    found = Recovery(
        ("a", "b"),
        np.zeros(2),
        2.0 * np.nan_to_num(pulls),
        errors,
        np.zeros((3, 2), dtype=bool),
        (True, True, False),
        (1.0, 1.0, 1.0),
        (3, 3, 3),
    )
    assert found.coverage == {"68%": {"a": 2 / 3, "b": 0.0}, "95%": {"a": 1.0, "b": 0.5}}


def test_grid_has_a_prediction_for_each_model():
    mine = problem(SmoothGaussians(impossible=30.0), survey_from(SMOOTH))
    first, second = model_grid(mine, [{"sigma_r0_thin": 60.0}, {"sigma_r0_thin": 20.0}])
    expected = mine.layout.flatten(SMOOTH.predict({**mine.parameters, "sigma_r0_thin": 60.0}).p)
    np.testing.assert_array_equal(first, expected)
    assert second is None


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_workers_draw_the_same_posterior(workers, tmp_path, method, monkeypatch):
    settings = PosteriorSettings(method=method, draws=40, warmup=20, chains=2, target_ess=60, bands=6)
    mine = problem(SMOOTH, survey_from(SMOOTH))
    serial = sample_posterior(mine, settings=settings)
    from contextlib import nullcontext

    monkeypatch.setattr("galactions.inference.posterior.run.open_executor", lambda *_: nullcontext(workers))
    spread = sample_posterior(mine, settings=settings, folder=tmp_path)
    np.testing.assert_array_equal(spread.values, serial.values)
    np.testing.assert_array_equal(spread.bands.heights, serial.bands.heights)
    assert spread.evaluations == serial.evaluations


@pytest.mark.slow
def test_workers_fit_the_same_suites(workers):
    mine = problem(SMOOTH, survey_from(SMOOTH), method="least-squares")
    serial = multi_start(mine, STARTS)
    spread = multi_start(mine, STARTS, executor=workers)
    assert [result.best for result in serial] == [result.best for result in spread]
    np.testing.assert_array_equal(
        recovery_suite(mock, range(3)).pulls, recovery_suite(mock, range(3), executor=workers).pulls
    )


def test_a_scheduler_that_is_not_there_is_named():
    with (
        pytest.raises(ConfigError, match=r"--workers 0: allowed is a whole number from 1 up"),
        open_executor(None, 0),
    ):
        pass
    with open_executor() as executor:
        assert isinstance(executor, SerialExecutor)
    with (
        pytest.raises(ConfigError, match=r"--scheduler nonsense://1: no answer .*as tcp://host:8786"),
        open_executor("nonsense://1", 1),
    ):
        pass
