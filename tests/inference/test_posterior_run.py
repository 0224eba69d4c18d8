"""Posteriors of the analytic model: samplers agree, folders survive kill -9, and what is wrong is said."""

import dataclasses
import json
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from gaussians import (
    NAMES,
    TRUTH,
    ExtendedGaussians,
    Gaussians,
    ReversibleGaussians,
    SmoothGaussians,
    outside,
    problem,
    stars_from,
    survey_from,
)
from sample_in_a_process import SETTINGS, slow_problem

import galactions as ga
from galactions.errors import ConfigError, ModelError
from galactions.inference import FinalModel, RunFolderError, fit, folder_lock, read_record
from galactions.inference.objective import MultinomialObjective
from galactions.inference.posterior import (
    METHODS,
    PosteriorSettings,
    VerdictKind,
    load_posterior,
    problem_target,
    sample_posterior,
    trajectories,
)

SMOOTH = SmoothGaussians()
SURVEY = survey_from(SMOOTH)
FILES = {"run.json", "log.txt", "posterior.nc", "summary.csv", "bands.npz", "evaluations"}
WEIGHTED = ("laplace", "emulated")
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def target():
    mine = problem(SMOOTH, SURVEY, bounds={"R_sigma_thin": (5.0, np.inf)}, priors=PRIORS)
    return problem_target(mine)


PRIORS = {"sigma_z0_thin": {"kind": "normal", "mean": 29.0, "sigma": 2.0}}


def test_gradient_of_the_target_is_that_of_its_values(target):
    rng = np.random.default_rng(0)
    centre = target.from_values(np.array([TRUTH[name] for name in NAMES]))
    for u in centre + 0.05 * rng.standard_normal((3, 3)):
        value, gradient = target.value_and_gradient(u)
        assert value == target.log_density(u)
        for i in range(3):
            step = 1e-5 * np.eye(3)[i]
            difference = (target.log_density(u + step) - target.log_density(u - step)) / 2e-5
            assert gradient[i] == pytest.approx(difference, rel=1e-5, abs=1e-4)


def test_gradient_by_the_way_back_is_that_by_all_derivatives():
    model = ReversibleGaussians(stars=stars_from())
    both = [
        problem_target(
            dataclasses.replace(
                problem(one, SURVEY, bounds={"R_sigma_thin": (5.0, np.inf)}, priors=PRIORS),
                constraints=outside(),
                n_stars=len(model.stars),
            )
        )
        for one in (model, ExtendedGaussians(stars=model.stars))
    ]
    u = both[0].from_values(np.array([62.0, 29.5, 12.0]))
    (value, gradient), (same, by_slopes) = (each.value_and_gradient(u) for each in both)
    assert len(model.gone) == 1
    assert value == pytest.approx(same, rel=1e-12)
    np.testing.assert_allclose(gradient, by_slopes, rtol=1e-9)
    nowhere = problem_target(problem(dataclasses.replace(model, impossible=100.0, stars=np.zeros(0)), SURVEY))
    assert nowhere.value_and_gradient(u)[0] == -np.inf
    assert "no such disc" in nowhere.note


def test_curvature_of_the_target_is_that_expected_of_its_values(target):
    """Observed and expected curvature differ by the data's noise, which averages out over surveys."""
    truth = np.array([TRUTH[name] for name in NAMES])
    centre = target.from_values(truth)
    observed = np.zeros((3, 3))
    for seed in range(8):
        mine = dataclasses.replace(target.problem, survey=survey_from(SMOOTH, seed=seed))
        here = problem_target(mine)
        for i in range(3):
            step = 1e-4 * np.eye(3)[i]
            ahead, behind = (here.value_and_gradient(centre + sign * step)[1] for sign in (1, -1))
            observed[i] -= (ahead - behind) / 2e-4 / 8
    expected = target.curvature(centre)
    size = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(observed / np.outer(size, size), expected / np.outer(size, size), atol=0.02)
    assert np.all(np.linalg.eigvalsh(expected) > 0)


def test_features_hold_all_of_the_likelihood(target):
    u = target.from_values(np.array([60.0, 31.0, 12.0]))
    features, slopes = target.features(u), target.feature_slopes(u)
    assert target.log_density_of(features, u) == pytest.approx(target.log_density(u), rel=1e-12)
    value, by_feature, by_u = target.log_density_and_gradients_of(features, u)
    assert value == pytest.approx(target.log_density_of(features, u), rel=1e-12)
    np.testing.assert_allclose(by_feature @ slopes + by_u, target.value_and_gradient(u)[1], rtol=1e-9)
    elsewhere = pickle.loads(pickle.dumps(target))  # as workers get it
    assert elsewhere.log_density_and_gradients_of(features, u)[0] == value


@pytest.fixture(scope="module")
def posteriors():
    chosen = {
        "laplace": {"draws": 600, "target_ess": 1000},
        "emulated": {"draws": 120, "target_ess": 350},
        "delayed": {"draws": 400, "warmup": 20, "chains": 2, "target_ess": 300},
        "nuts": {"draws": 800, "warmup": 60, "chains": 2, "target_ess": 200},
        "ensemble": {"draws": 1400, "warmup": 150, "chains": 2, "target_ess": 200},
    }
    mine = problem(SMOOTH, SURVEY)
    return {
        method: sample_posterior(mine, settings=PosteriorSettings(method=method, bands=0, **settings))
        for method, settings in chosen.items()
    }


@each_method
def test_samplers_agree_within_their_errors(posteriors, method):
    """Each against the mean of the others, in standard errors of both."""
    mine = posteriors[method]
    for i, row in enumerate(mine.parameters):
        others = [posteriors[m].parameters[i] for m in METHODS if m != method]
        weights = np.array([other.ess for other in others])
        mean = np.average([other.mean for other in others], weights=weights)
        error = row.deviation * np.sqrt(1 / row.ess + 1 / weights.sum())
        assert abs(row.mean - mean) < 4 * error
        spread = np.average([other.deviation for other in others], weights=weights)
        assert row.deviation == pytest.approx(spread, rel=4 / np.sqrt(min(row.ess, weights.sum())))


@each_method
def test_samples_are_judged_reliable_in_words(posteriors, method):
    result = posteriors[method]
    assert result.reliable, result.sentences
    assert result.verdicts[0].kind is VerdictKind.GOOD
    assert "effective sample size" in result.sentences[0]
    assert all(name in result.summary() for name in NAMES)


@pytest.mark.parametrize(("upper", "leans"), [(1e6, False), (TRUTH["sigma_z0_thin"] + 0.1, True)])
def test_only_bounds_that_cut_a_posterior_off_are_told(upper, leans):
    """However small the posterior is beside the width between its bounds."""
    start, bounds = {"sigma_z0_thin": 29.0}, {"sigma_z0_thin": (1.0, upper)}
    result = sample_posterior(
        problem(SMOOTH, SURVEY, start, bounds=bounds),
        settings=PosteriorSettings(method="laplace", draws=400, target_ess=200, bands=0),
    )
    told = [verdict.details[0] for verdict in result.verdicts if verdict.kind is VerdictKind.AT_BOUND]
    assert told == (["sigma_z0_thin"] if leans else [])


def test_draws_of_an_emulator_that_depend_on_each_other_are_told(monkeypatch):
    """Walkers that are stopped long before they have gone far enough."""
    monkeypatch.setattr(trajectories, "MOST", 25)
    monkeypatch.setattr(trajectories, "FAR", 1e6)
    settings = PosteriorSettings(method="emulated", draws=60, max_rounds=5, target_ess=1e4, bands=0)
    result = sample_posterior(problem(SMOOTH, SURVEY), settings=settings)
    assert not result.reliable
    told = next(verdict for verdict in result.verdicts if verdict.kind is VerdictKind.UNSETTLED)
    assert told.details == ("4",)  # of five rounds: the first only teaches, and is of no emulator
    assert "In 4 rounds the draws of the emulator" in result.summary()


def test_truth_lies_within_the_intervals(posteriors):
    for row in posteriors["laplace"].parameters:
        assert abs(row.mean - TRUTH[row.name]) < 4 * row.deviation
        assert row.low_95 < row.low_68 < row.median < row.high_68 < row.high_95
        assert row.high_68 - row.low_68 == pytest.approx(2 * row.deviation, rel=0.15)


def test_posterior_deviations_are_the_information_in_the_counts(posteriors):
    """With 2000 stars a region they are the inverse of the expected curvature; the chi2 of eq. (5), blind to
    how the bins of a histogram hang together, gets less out of the same counts."""
    mine = problem(SMOOTH, SURVEY, method="least-squares", uncertainty="model")
    best = fit(mine)
    slopes = mine.layout.flatten(SMOOTH.jacobian(best.parameters, NAMES))
    objective = MultinomialObjective(mine.layout)
    information = objective.information(mine.layout.flatten(SMOOTH.predict(best.parameters).p), slopes)
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    for row, deviation in zip(posteriors["laplace"].parameters, expected, strict=True):
        assert row.deviation == pytest.approx(deviation, rel=0.1)
        assert row.deviation < best.standard_errors[row.name]


def test_evidence_is_near_that_of_the_normal_approximation(posteriors):
    result = posteriors["laplace"]
    assert result.log_evidence == pytest.approx(result.log_evidence_laplace, abs=0.1)
    assert 0 < result.log_evidence_error < 0.05


def test_delayed_acceptance_pays_one_evaluation_a_draw(posteriors):
    result = posteriors["delayed"]
    assert result.evaluations["value"] < 1.1 * 2 * (400 + 20)
    assert result.ess > 0.5 * 2 * 400
    assert result.acceptance > 0.8


def journal(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def without(record, *keys):
    return {key: value for key, value in record.items() if key not in keys}


@each_method
def test_a_killed_run_is_taken_up_to_the_same_bits(tmp_path, method):
    program = Path(__file__).with_name("sample_in_a_process.py")
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, str(program), str(killed), method])
    log = killed / "evaluations" / ("importance.jsonl" if method in WEIGHTED else "chain-000.jsonl")
    enough = {"delayed": 15, "emulated": 55}.get(method, 40)
    try:
        until = time.monotonic() + 120
        while not (log.exists() and log.read_bytes().count(b"\n") >= enough):
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert read_record(killed)["status"] == "running"
    assert (killed / "run.lock").exists()
    with log.open("a") as stream:
        stream.write('{"kind": "value", "u": [0.1')  # as a full disk would leave it

    settings = SETTINGS[method]
    whole = sample_posterior(slow_problem(0.0), settings=settings, folder=tmp_path / "whole")
    resumed = sample_posterior(slow_problem(0.0), settings=settings, folder=killed, resume=True)
    np.testing.assert_array_equal(resumed.values, whole.values)
    np.testing.assert_array_equal(resumed.log_density, whole.log_density)
    np.testing.assert_array_equal(resumed.bands.heights, whole.bands.heights)
    assert resumed.evaluations == whole.evaluations
    assert resumed.verdicts == whole.verdicts
    assert VerdictKind.STRAYED not in {verdict.kind for verdict in resumed.verdicts}
    names = {path.name for path in (tmp_path / "whole" / "evaluations").iterdir()}
    assert {path.name for path in (killed / "evaluations").iterdir()} == names
    for name in names:  # every evaluation once, in the same order
        lines = [
            [without(line, "seconds") for line in journal(folder / "evaluations" / name)]
            for folder in (killed, tmp_path / "whole")
            if name.endswith(".jsonl")
        ]
        assert not lines or lines[0] == lines[1]
    assert {path.name for path in killed.iterdir()} == FILES
    assert (killed / "summary.csv").read_bytes() == (tmp_path / "whole" / "summary.csv").read_bytes()


class Counting(SmoothGaussians):
    calls = 0

    def predict(self, parameters):
        type(self).calls += 1
        return super().predict(parameters)


@pytest.mark.parametrize("method", ["laplace", "delayed", "ensemble"])
def test_ctrl_c_then_resume_repeats_no_evaluation(tmp_path, method):
    def stop(update):
        if update.trial == 12 and update.stage != "emulator":
            raise KeyboardInterrupt

    settings = SETTINGS[method].model_copy(update={"bands": 0})
    with pytest.raises(KeyboardInterrupt):
        sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path, progress=stop)
    assert read_record(tmp_path)["status"] == "stopped"
    on_file = [line for path in (tmp_path / "evaluations").glob("*.jsonl") for line in journal(path)]
    done = sum(line["kind"] == "value" for line in on_file)
    Counting.calls = 0
    result = sample_posterior(problem(Counting(), SURVEY), settings=settings, folder=tmp_path, resume=True)
    assert Counting.calls == result.evaluations["value"] - done
    whole = sample_posterior(problem(SMOOTH, SURVEY), settings=settings)
    np.testing.assert_array_equal(result.values, whole.values)


@each_method
def test_a_finished_run_is_read_and_goes_on_with_more_draws(tmp_path, method):
    settings = SETTINGS[method].model_copy(update={"bands": 0})
    first = sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path)
    Counting.calls = 0
    again = sample_posterior(problem(Counting(), SURVEY), settings=settings, folder=tmp_path, resume=True)
    assert Counting.calls == 0
    np.testing.assert_array_equal(again.values, first.values)
    assert again.summary() == load_posterior(tmp_path).summary() == first.summary()
    if method in WEIGHTED:
        enough = {"laplace": 250.0, "emulated": 180.0}[method]
        more = settings.model_copy(update={"target_ess": enough, "max_rounds": 12})
    else:
        more = settings.model_copy(update={"draws": settings.draws + 10})
    longer = sample_posterior(problem(Counting(), SURVEY), settings=more, folder=tmp_path, resume=True)
    assert all(longer.evaluations[kind] >= count for kind, count in first.evaluations.items())
    assert sum(longer.evaluations.values()) > sum(first.evaluations.values())
    if method in WEIGHTED:
        # Of an emulator's rounds the first quarter is left out, and a quarter of more rounds is more.
        (left_out,) = np.flatnonzero(np.all(first.points == longer.points[0], axis=1))
        assert left_out == 0 or method == "emulated"
        kept = first.points[left_out:]
        np.testing.assert_array_equal(longer.points[: len(kept)], kept)
        assert longer.ess >= enough
    else:
        np.testing.assert_array_equal(longer.values[:, : settings.draws], first.values)
        assert longer.values.shape[1] == settings.draws + 10


def test_arviz_reads_the_file(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    result = sample_posterior(problem(SMOOTH, SURVEY), settings=SETTINGS["laplace"], folder=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of xarray, about the group that ArviZ does not know
        data = arviz.from_netcdf(str(tmp_path / "posterior.nc"), engine="h5netcdf")
        data.load()
        data.close()
    np.testing.assert_array_equal(data.posterior["R_sigma_thin"].values, result.values[..., 2])
    assert data.sample_stats["lp"].shape == (1, result.values.shape[1])
    assert float(data["weighted"]["weight"].sum()) == pytest.approx(1.0)


def test_resume_without_a_run_begins_one_and_a_run_is_not_overwritten(tmp_path):
    settings = SETTINGS["laplace"]
    sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path, resume=True)
    with pytest.raises(RunFolderError, match=r"already holds a run \(finished.*--resume"):
        sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"settings": SETTINGS["laplace"].model_copy(update={"seed": 5})},
            r"posterior.seed \(0 then, 5 now\)",
        ),
        ({"method": "delayed"}, "posterior.method"),
        ({"free": NAMES[:2]}, "fit.free"),
        ({"start": {"shift": 4.0}}, "start_parameters"),
        ({"survey": 1}, "the survey's bins differs"),
    ],
)
def test_a_run_of_another_problem_is_refused(tmp_path, change, message):
    settings = SETTINGS["laplace"]
    sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path)
    survey = survey_from(SMOOTH, seed=change["survey"]) if "survey" in change else SURVEY
    kept = {key: value for key, value in change.items() if key in ("free", "start")}
    other = problem(SMOOTH, survey, **kept)
    with pytest.raises(RunFolderError, match=message):
        sample_posterior(
            other,
            settings=change.get("settings", settings),
            method=change.get("method"),
            folder=tmp_path,
            resume=True,
        )


def test_a_second_process_is_refused(tmp_path):
    with folder_lock(tmp_path), pytest.raises(RunFolderError, match="is in use by process"):
        sample_posterior(problem(SMOOTH, SURVEY), settings=SETTINGS["laplace"], folder=tmp_path)


def test_damaged_files_are_named(tmp_path):
    settings = SETTINGS["laplace"]
    with pytest.raises(RunFolderError, match="holds no run"):
        load_posterior(tmp_path)
    sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path)
    (tmp_path / "posterior.nc").write_text("nonsense")
    with pytest.raises(RunFolderError, match=r"posterior.nc: not a saved posterior"):
        load_posterior(tmp_path)
    log = tmp_path / "evaluations" / "importance.jsonl"
    log.write_text("garbage\n" + log.read_text())
    more = settings.model_copy(update={"target_ess": 500.0})
    with pytest.raises(RunFolderError, match=r"importance.jsonl, line 1: not an evaluation"):
        sample_posterior(problem(SMOOTH, SURVEY), settings=more, folder=tmp_path, resume=True)


def test_a_journal_of_another_path_is_noticed(tmp_path):
    settings = SETTINGS["delayed"].model_copy(update={"bands": 0})
    first = sample_posterior(problem(SMOOTH, SURVEY), settings=settings, folder=tmp_path)
    log = tmp_path / "evaluations" / "chain-000.jsonl"
    lines = journal(log)
    lines[4]["u"][0] += 1e-12
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    more = settings.model_copy(update={"draws": settings.draws + 1})
    result = sample_posterior(problem(SMOOTH, SURVEY), settings=more, folder=tmp_path, resume=True)
    assert VerdictKind.STRAYED in {verdict.kind for verdict in result.verdicts}
    np.testing.assert_array_equal(result.values[:, :-1], first.values)


def test_no_model_at_the_start_is_said():
    with pytest.raises(ModelError, match="the posterior cannot begin"):
        sample_posterior(problem(SmoothGaussians(impossible=63.0), SURVEY))


def test_failed_models_are_excluded_and_counted():
    broken = problem(SmoothGaussians(impossible=64.3), SURVEY, {"sigma_r0_thin": 66.0})
    result = sample_posterior(
        broken, settings=PosteriorSettings(method="delayed", draws=60, warmup=10, chains=2, bands=0)
    )
    assert result.failures > 10
    assert np.all(result.draws[:, 0] >= 64.3)
    assert any("evaluations made no model" in sentence for sentence in result.sentences)


def test_without_derivatives_differences_are_taken():
    settings = SETTINGS["laplace"].model_copy(update={"bands": 0})
    smooth = sample_posterior(problem(SMOOTH, SURVEY), settings=settings)
    rough = sample_posterior(problem(Gaussians(), SURVEY), settings=settings)
    for mine, other in zip(rough.parameters, smooth.parameters, strict=True):
        assert mine.mean == pytest.approx(other.mean, abs=0.05 * other.deviation)


class WithGalaxy(SmoothGaussians):
    def trial_model(self, parameters):
        facts = {
            "R_kpc": np.array([1.0, 2.0]),
            "v_circ_kms": np.array([1.0, 2.0]) * parameters["sigma_r0_thin"],
            "density": {"thin": parameters["sigma_z0_thin"]},
            "history": [{"residual": 1.0}],
            "name": "toy",
        }
        return FinalModel(self.predict(parameters), facts)


def test_bands_are_quantiles_of_what_draws_predict(tmp_path):
    settings = PosteriorSettings(draws=400, bands=300)
    mine = problem(WithGalaxy(), SURVEY)
    result = sample_posterior(mine, settings=settings, folder=tmp_path)
    bands = result.bands
    assert (bands.draws, bands.failed) == (300, 0)
    assert set(bands.facts) == {"R_kpc", "v_circ_kms", "density/thin"}
    chosen = result.thinned(300)
    expected = np.quantile(chosen[:, 0], [0.025, 0.16, 0.5, 0.84, 0.975])
    np.testing.assert_allclose(bands.facts["v_circ_kms"], np.outer(expected, [1.0, 2.0]))
    np.testing.assert_allclose(bands.facts["density/thin"][2], np.median(chosen[:, 1]))
    assert bands.heights.shape == (5, len(mine.layout.data))
    assert np.all(np.diff(bands.heights, axis=0) >= 0)
    again = load_posterior(tmp_path).bands
    np.testing.assert_array_equal(again.heights, bands.heights)
    assert not (tmp_path / "bands").exists()


def test_start_and_method_are_checked():
    mine = problem(SMOOTH, SURVEY)
    with pytest.raises(
        ConfigError, match=r"posterior.method: found 'gibbs'; allowed: laplace, emulated, delayed"
    ):
        sample_posterior(mine, method="gibbs")
    with pytest.raises(ConfigError, match="start: R_sigma_thin missing"):
        sample_posterior(mine, start={"sigma_r0_thin": 60.0, "sigma_z0_thin": 30.0})
    with pytest.raises(ConfigError, match="allowed: at least 20"):
        sample_posterior(mine, settings=PosteriorSettings(warmup=0), method="nuts")


def test_public_names():
    assert ga.sample_posterior is sample_posterior
    assert ga.load_posterior is load_posterior
