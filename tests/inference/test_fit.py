"""Fits of an analytic model: truth recovered, errors calibrated, bad trials survived, ends told in words."""

import dataclasses

import numpy as np
import pytest
from gaussians import NAMES, TRUTH, Gaussians, SmoothGaussians, problem, survey_from

from galactions.errors import ConfigError, ModelError
from galactions.inference import (
    FinalModel,
    RemarkKind,
    RunFolderError,
    Status,
    fit,
    predict_heights,
    predict_slopes,
)

SMOOTH = SmoothGaussians()


@pytest.mark.parametrize("uncertainty", ["data", "model"])
@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_truth_is_recovered_from_data_without_noise(method, uncertainty):
    result = fit(
        problem(SMOOTH, survey_from(SMOOTH, None), method=method, uncertainty=uncertainty, tolerance=1e-8)
    )
    assert result.status is Status.CONVERGED
    assert result.best == pytest.approx({name: TRUTH[name] for name in NAMES}, rel=1e-4)
    assert result.chi2_total < 1e-6
    assert result.parameters["shift"] == TRUTH["shift"]


@pytest.mark.parametrize("uncertainty", ["data", "model"])
def test_both_optimisers_find_the_same_minimum(uncertainty):
    found = [
        fit(problem(SMOOTH, survey_from(SMOOTH), method=method, uncertainty=uncertainty))
        for method in ("nelder-mead", "least-squares")
    ]
    for name in NAMES:
        assert found[0].standard_errors[name] == pytest.approx(found[1].standard_errors[name], rel=0.05)
        assert abs(found[0].best[name] - found[1].best[name]) < 0.15 * found[1].standard_errors[name]
    assert found[0].chi2_total == pytest.approx(found[1].chi2_total, abs=1e-3)


def many_fits(uncertainty, n_stars, n_surveys=120):
    """Deviations from the truth in standard errors (n_surveys, 3), and chi2 per degree of freedom."""
    pulls, per_dof = [], []
    for seed in range(n_surveys):
        survey = survey_from(SMOOTH, n_stars, seed)
        result = fit(problem(SMOOTH, survey, method="least-squares", uncertainty=uncertainty))
        assert result.converged
        pulls.append([(result.best[name] - TRUTH[name]) / result.standard_errors[name] for name in NAMES])
        per_dof.append(result.chi2_per_dof)
    return np.array(pulls), np.array(per_dof)


def test_errors_are_calibrated_and_errors_from_the_data_are_biased():
    pulls, per_dof = many_fits("model", 500)
    assert np.abs(pulls.mean(axis=0)).max() < 0.3
    assert pulls.std(axis=0) == pytest.approx(1.0, abs=0.17)  # 2.6 times its sampling error
    assert (np.abs(pulls) < 2).mean() == pytest.approx(0.954, abs=0.035)
    assert per_dof.mean() == pytest.approx(1.0, abs=0.04)
    by_data, _ = many_fits("data", 500)
    # thin bins at the ends of the histograms that scattered low pull the widths down
    assert (by_data.mean(axis=0)[:2] < -0.35).all()


def test_derivatives_against_finite_differences():
    mine = problem(SMOOTH, survey_from(SMOOTH))
    theirs = problem(Gaussians(), survey_from(SMOOTH))
    values = np.array([TRUTH[name] for name in NAMES])
    exact, numeric = predict_slopes(mine, values).array, predict_slopes(theirs, values).array
    assert exact.shape == numeric.shape == (len(mine.layout.data), 3)
    scale = np.abs(exact).max(axis=0)
    assert np.abs(exact - numeric).max(axis=0) / scale == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
@pytest.mark.parametrize("kind", ["impossible", "broken"])
def test_bad_trials_are_counted_and_passed_by(method, kind):
    # the truth (64) lies just inside of what can be built, so that the searches overshoot into the rest
    start, limit = (90.0, {"impossible": 63.9}) if kind == "impossible" else (30.0, {"broken": 64.1})
    predictor = SmoothGaussians(**limit)
    mine = problem(
        predictor, survey_from(SMOOTH, None), {"sigma_r0_thin": start}, method=method, initial_step=1.0
    )
    result = fit(mine)
    assert result.best["sigma_r0_thin"] == pytest.approx(64.0, rel=5e-3)
    assert sum(result.failures.values()) == sum(trial.failed for trial in result.trials)
    if method == "nelder-mead":
        assert sum(result.failures.values()) > 0
        reason = next(iter(result.failures))
        assert (
            "ModelError: sigma_r0_thin is" if kind == "impossible" else "not finite in 28 bins"
        ) in reason or (kind == "broken" and "not finite" in reason)
        assert any(remark.kind is RemarkKind.FAILED_TRIALS for remark in result.remarks)


@pytest.mark.parametrize(
    "error", [ValueError, ZeroDivisionError, FloatingPointError, RuntimeError, np.linalg.LinAlgError]
)
def test_evaluating_a_trial_does_not_raise(error):
    @dataclasses.dataclass(frozen=True)
    class Raising(Gaussians):
        def predict(self, parameters):
            raise error("no such model\nwith details")

    outcome = predict_heights(problem(Raising(), survey_from(SMOOTH)), np.array([64.0, 30.0, 12.0]))
    assert outcome.array is None
    assert outcome.reason == f"{error.__name__}: no such model"


def test_mistakes_in_a_predictor_are_not_taken_for_bad_trials():
    mine = problem(SmoothGaussians(n_bins=3), survey_from(SMOOTH))
    with pytest.raises(ValueError, match="the survey has 14 bins there"):
        fit(mine)


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_a_start_without_a_model_ends_with_the_reason(method):
    mine = problem(SmoothGaussians(impossible=60.0), survey_from(SMOOTH), method=method)
    with pytest.raises(ModelError, match=r"at its start \(sigma_r0_thin = 50.*no such disc"):
        fit(mine)


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_bounds_are_respected_and_told_where_they_stop_a_fit(method):
    seen = []

    @dataclasses.dataclass(frozen=True)
    class Watched(SmoothGaussians):
        def predict(self, parameters):
            seen.append(parameters["R_sigma_thin"])
            return super().predict(parameters)

    result = fit(problem(Watched(), survey_from(SMOOTH), method=method, bounds={"R_sigma_thin": (9.0, 11.0)}))
    assert min(seen) >= 9.0
    assert max(seen) <= 11.0
    assert result.best["R_sigma_thin"] == pytest.approx(11.0, rel=1e-3)
    assert "R_sigma_thin ended on a bound" in " ".join(result.sentences)


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_used_up_trials_are_told_and_the_best_is_kept(method):
    result = fit(problem(SMOOTH, survey_from(SMOOTH), method=method, max_trials=5))
    assert result.status is Status.MAX_TRIALS
    assert len(result.trials) == 5
    assert "Raise fit.max_trials" in result.sentences[0]
    assert result.chi2_total <= min(trial.chi2 for trial in result.trials if trial.chi2 is not None) + 1e-12


def test_a_parameter_without_effect_is_named():
    result = fit(problem(SMOOTH, survey_from(SMOOTH), method="least-squares", free=(*NAMES, "idle")))
    assert result.standard_errors is None
    assert any("take idle out of fit.free" in sentence for sentence in result.sentences)


def test_failing_derivatives_end_the_search_with_the_best_so_far():
    @dataclasses.dataclass(frozen=True)
    class NoSlopes(Gaussians):
        def jacobian(self, parameters, names):
            raise FloatingPointError("no slope")

    result = fit(problem(NoSlopes(), survey_from(SMOOTH), method="least-squares"))
    assert result.status is Status.NO_DERIVATIVES
    assert "no slope" in result.sentences[0]
    assert result.best["sigma_r0_thin"] == pytest.approx(50.0)
    by_simplex = fit(problem(NoSlopes(), survey_from(SMOOTH)))
    assert by_simplex.converged
    assert by_simplex.standard_errors is None
    assert any("no slope" in sentence for sentence in by_simplex.sentences)


def test_a_wrong_model_is_called_so():
    strange = {**TRUTH, "shift": 12.0}
    result = fit(problem(SMOOTH, survey_from(SMOOTH, truth=strange), method="least-squares"))
    assert result.chi2_per_dof > 1.5
    assert any(remark.kind is RemarkKind.POOR_FIT for remark in result.remarks)


def test_the_final_model_is_the_rebuilt_one_unless_that_fails():
    @dataclasses.dataclass(frozen=True)
    class Rebuilt(SmoothGaussians):
        fails: bool = False

        def final(self, parameters):
            if self.fails:
                raise ModelError("does not converge")
            return FinalModel(self.predict({**parameters, "shift": 3.5}), {"v_circ_sun_kms": 230.0})

    survey = survey_from(SMOOTH)
    plain = fit(problem(SMOOTH, survey, method="least-squares"))
    rebuilt = fit(problem(Rebuilt(), survey, method="least-squares"))
    failed = fit(problem(Rebuilt(fails=True), survey, method="least-squares"))
    assert rebuilt.best == plain.best == failed.best
    assert rebuilt.chi2_total != plain.chi2_total
    assert failed.chi2_total == plain.chi2_total
    assert any("does not converge" in sentence for sentence in failed.sentences)


def test_predictions_with_large_errors_of_their_own_are_told():
    @dataclasses.dataclass(frozen=True)
    class Noisy(SmoothGaussians):
        def predict(self, parameters):
            clean = super().predict(parameters)
            return dataclasses.replace(
                clean, error={name: [0.5 * p for p in clean.p[name]] for name in clean.p}
            )

    result = fit(problem(Noisy(), survey_from(SMOOTH), method="least-squares"))
    assert any("raise projection.nodes" in sentence for sentence in result.sentences)


def test_unknown_names_stop_a_fit_before_it_begins(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'sigma_r0_thin'"):
        fit(problem(SMOOTH, survey_from(SMOOTH), free=("sigma_r0_thinn",)), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_progress_is_told_after_each_trial_and_can_end_the_fit():
    updates = []
    result = fit(problem(SMOOTH, survey_from(SMOOTH), method="nelder-mead"), progress=updates.append)
    told = [update for update in updates if update.trial]
    assert [update.trial for update in told] == list(range(1, len(result.trials) + 1))
    best = [update.best_chi2 for update in told]
    assert best == sorted(best, reverse=True)
    assert updates[-1].message.startswith("building the final model")

    def stop(update):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(problem(SMOOTH, survey_from(SMOOTH)), progress=stop)


def test_the_summary_tells_it_all():
    text = fit(problem(SMOOTH, survey_from(SMOOTH), method="least-squares")).summary()
    for part in ("Best fit of toy", "sigma_r0_thin", "+-", "chi2_tot", "The search converged."):
        assert part in text


@pytest.fixture
def config_file(tmp_path, monkeypatch):
    """A configuration whose model is the analytic one, in a working directory of its own."""
    from galactions.inference import FitProblem, model_predictor

    def analytic(config, progress=None):
        return FitProblem(SMOOTH, survey_from(SMOOTH), TRUTH, config.fit, "toy", config.text)

    monkeypatch.setattr(model_predictor, "problem_from_config", analytic)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text('[survey]\ncatalogue = "stars.fits"\n[fit]\nfree = ["sigma_r0_thin"]\n')
    return path


def test_a_configuration_is_fitted_in_its_run_folder(config_file, tmp_path):
    result = fit(config_file)
    assert result.folder.resolve() == tmp_path / "runs" / "mine"
    assert (result.folder / "config.toml").read_text() == config_file.read_text()
    with pytest.raises(RunFolderError, match="already holds a run; resume it"):
        fit(config_file)
    assert fit(str(config_file), resume=True).best == result.best


def test_a_wrong_name_is_told_with_file_and_key(config_file, tmp_path):
    config_file.write_text('[survey]\ncatalogue = "stars.fits"\n[fit]\nfree = ["sigma_r_thin"]\n')
    with pytest.raises(
        ConfigError, match=r"mine.toml: fit.free: unknown name .*did you mean 'sigma_r0_thin'"
    ):
        fit(config_file)
    assert not (tmp_path / "runs").exists()
