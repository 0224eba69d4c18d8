"""The run folder: what is in it, and that it survives kill -9, second processes and other problems."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from fit_in_a_process import slow_problem
from gaussians import NAMES, TRUTH, SmoothGaussians, problem, survey_from

from galactions.inference import (
    FinalModel,
    RunFolderError,
    Status,
    fit,
    folder_lock,
    load_fit,
    read_record,
    read_trials,
)
from galactions.survey import BinnedSurvey

SMOOTH = SmoothGaussians()
FILES = {
    "run.json",
    "survey.npz",
    "trials.jsonl",
    "best_model.toml",
    "chi2.csv",
    "prediction.npz",
    "slopes.npz",
}


class WithGalaxy(SmoothGaussians):
    def final(self, parameters):
        return FinalModel(self.predict(parameters), {"R_kpc": np.array([1.0, 2.0]), "nothing": float("nan")})


def without_times(trials):
    return [(t.number, t.round, t.kind, t.parameters, t.chi2, t.regions, t.failed, t.note) for t in trials]


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_a_folder_holds_the_whole_run(tmp_path, method):
    folder = tmp_path / "deep" / "run"
    survey = survey_from(SMOOTH)
    result = fit(problem(WithGalaxy(), survey, method=method), folder=folder, command="galactions fit x.toml")
    assert {path.name for path in folder.iterdir()} == FILES | {"galaxy.json"}
    record = read_record(folder)
    assert record["status"] == "converged"
    assert record["command"] == "galactions fit x.toml"
    assert record["free"] == list(NAMES)
    assert record["start_parameters"]["sigma_r0_thin"] == 50.0
    assert record["result"]["best"] == result.best
    assert socket.gethostname() not in (folder / "run.json").read_text()
    best = tomllib.loads((folder / "best_model.toml").read_text())["model"]
    assert best == {"name": "toy", "set": result.parameters}
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert len(lines) == len(result.trials) == record["result"]["n_trials"]
    assert set(lines[0]["parameters"]) == set(NAMES)
    assert set(lines[0]["regions"]) == {"01", "02", "03", "04", "05"}
    assert json.loads((folder / "galaxy.json").read_text()) == {"R_kpc": [1.0, 2.0], "nothing": None}
    loaded = BinnedSurvey.load(folder / "survey.npz")
    np.testing.assert_array_equal(
        loaded.regions[2].histograms["v_los"].p, survey.regions[2].histograms["v_los"].p
    )
    with np.load(folder / "prediction.npz") as arrays:
        assert arrays["p/pm_ra/04"] == pytest.approx(result.prediction.p["pm_ra"][4])
        assert len(arrays["edges/pm_ra/04"]) == 15


def test_a_result_is_read_back(tmp_path):
    result = fit(problem(SMOOTH, survey_from(SMOOTH), method="least-squares"), folder=tmp_path)
    again = load_fit(tmp_path)
    for name in (
        "best",
        "parameters",
        "standard_errors",
        "chi2",
        "status",
        "remarks",
        "failures",
        "folder",
        "rounds",
    ):
        assert getattr(again, name) == getattr(result, name), name
    np.testing.assert_array_equal(again.covariance, result.covariance)
    assert without_times(again.trials) == without_times(result.trials)
    assert again.summary() == result.summary()
    np.testing.assert_array_equal(again.prediction.p["v_los"][3], result.prediction.p["v_los"][3])


@pytest.mark.parametrize(
    ("method", "uncertainty", "lines"),
    [("nelder-mead", "model", 70), ("least-squares", "model", 7), ("nelder-mead", "data", 3)],
)
def test_a_killed_run_is_taken_up_to_the_same_bits(tmp_path, method, uncertainty, lines):
    program = Path(__file__).with_name("fit_in_a_process.py")
    process = subprocess.Popen([sys.executable, str(program), str(tmp_path / "killed"), method, uncertainty])
    log = tmp_path / "killed" / "trials.jsonl"
    try:
        until = time.monotonic() + 60
        while not (log.exists() and log.read_bytes().count(b"\n") >= lines):
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert read_record(tmp_path / "killed")["status"] == "running"
    assert (tmp_path / "killed" / "run.lock").exists()
    with log.open("a") as stream:
        stream.write('{"number": 99, "round": 1, "ki')  # as a full disk would leave it
    before = len(read_trials(log))

    whole = fit(slow_problem(method, uncertainty, 0.0), folder=tmp_path / "whole")
    resumed = fit(slow_problem(method, uncertainty, 0.0), folder=tmp_path / "killed", resume=True)
    assert resumed.best == whole.best
    assert resumed.standard_errors == whole.standard_errors
    assert resumed.chi2 == whole.chi2
    assert resumed.remarks == whole.remarks
    assert without_times(resumed.trials) == without_times(whole.trials)
    assert without_times(read_trials(log)) == without_times(read_trials(tmp_path / "whole" / "trials.jsonl"))
    assert before < len(resumed.trials)
    for name in ("best_model.toml", "chi2.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert {path.name for path in (tmp_path / "killed").iterdir()} == FILES
    assert len(read_record(tmp_path / "killed")["resumed"]) == 1


class CountingGaussians(SmoothGaussians):
    calls = 0

    def predict(self, parameters):
        type(self).calls += 1
        return super().predict(parameters)


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_ctrl_c_then_resume_repeats_no_trial(tmp_path, method):
    def stop_at_six(update):
        if update.trial == 6:
            raise KeyboardInterrupt

    survey = survey_from(SMOOTH)
    with pytest.raises(KeyboardInterrupt):
        fit(problem(SMOOTH, survey, method=method), folder=tmp_path, progress=stop_at_six)
    assert read_record(tmp_path)["status"] == "stopped"
    assert not (tmp_path / "run.lock").exists()
    CountingGaussians.calls = 0
    result = fit(problem(CountingGaussians(), survey, method=method), folder=tmp_path, resume=True)
    models = [trial for trial in result.trials if trial.kind != "slopes"]
    done_before = sum(trial.kind != "slopes" for trial in result.trials[:6])
    assert CountingGaussians.calls == len(models) - done_before + 1  # one for the final model
    assert result.best == fit(problem(SMOOTH, survey, method=method)).best


@pytest.mark.parametrize("method", ["nelder-mead", "least-squares"])
def test_a_run_out_of_trials_goes_on_with_more(tmp_path, method):
    survey = survey_from(SMOOTH)
    first = fit(problem(SMOOTH, survey, method=method, max_trials=6), folder=tmp_path)
    assert first.status is Status.MAX_TRIALS
    second = fit(problem(SMOOTH, survey, method=method, max_trials=400), folder=tmp_path, resume=True)
    assert second.status is Status.CONVERGED
    assert second.best == fit(problem(SMOOTH, survey, method=method)).best
    assert read_record(tmp_path)["settings"]["max_trials"] == 400


def test_lost_checkpoints_are_computed_again(tmp_path):
    survey = survey_from(SMOOTH)
    fit(problem(SMOOTH, survey, method="least-squares", max_trials=6), folder=tmp_path)
    for path in (tmp_path / "checkpoint").iterdir():
        path.unlink()
    result = fit(problem(SMOOTH, survey, method="least-squares"), folder=tmp_path, resume=True)
    assert result.best == fit(problem(SMOOTH, survey, method="least-squares")).best


def test_a_converged_run_is_read_not_repeated(tmp_path):
    survey = survey_from(SMOOTH)
    result = fit(problem(SMOOTH, survey), folder=tmp_path)
    CountingGaussians.calls = 0
    again = fit(problem(CountingGaussians(), survey), folder=tmp_path, resume=True)
    assert CountingGaussians.calls == 0
    assert again.best == result.best


def test_resume_without_a_run_begins_one(tmp_path):
    assert fit(problem(SMOOTH, survey_from(SMOOTH)), folder=tmp_path / "new", resume=True).converged


def test_a_run_is_not_overwritten(tmp_path):
    mine = problem(SMOOTH, survey_from(SMOOTH))
    fit(mine, folder=tmp_path)
    with pytest.raises(RunFolderError, match=r"already holds a run \(converged.*--resume"):
        fit(mine, folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 0.5}, r"fit.tolerance \(0.01 then, 0.5 now\)"),
        ({"free": NAMES[:2]}, "fit.free"),
        ({"start": {"shift": 4.0}}, "start_parameters"),
    ],
)
def test_a_run_of_another_problem_is_refused(tmp_path, change, message):
    survey = survey_from(SMOOTH)
    fit(problem(SMOOTH, survey, max_trials=5), folder=tmp_path)
    with pytest.raises(RunFolderError, match=message):
        fit(problem(SMOOTH, survey, **{"max_trials": 5, **change}), folder=tmp_path, resume=True)
    with pytest.raises(RunFolderError, match="the survey's bins differs"):
        fit(problem(SMOOTH, survey_from(SMOOTH, seed=1), max_trials=5), folder=tmp_path, resume=True)


def test_a_second_process_is_refused(tmp_path):
    code = (
        "import sys; from pathlib import Path; from galactions.inference import folder_lock\n"
        "with folder_lock(Path(sys.argv[1])):\n    print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(RunFolderError, match=f"in use by process {other.pid} on {socket.gethostname()}"):
            fit(problem(SMOOTH, survey_from(SMOOTH)), folder=tmp_path)
        assert not (tmp_path / "run.json").exists()
        other.stdin.close()
        other.wait()
    assert fit(problem(SMOOTH, survey_from(SMOOTH)), folder=tmp_path).converged


def test_the_lock_of_a_dead_process_is_taken_over_that_of_another_host_is_not(tmp_path):
    lock = tmp_path / "run.lock"
    lock.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": "yesterday"}))
    with folder_lock(tmp_path):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    assert not lock.exists()
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 1, "since": "yesterday"}))
    with (
        pytest.raises(RunFolderError, match=r"left by process 1 on host elsewhere.*delete the file"),
        folder_lock(tmp_path),
    ):
        pass
    lock.write_text("not json")
    with folder_lock(tmp_path):
        pass


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(RunFolderError, match="holds no run"):
        load_fit(tmp_path)
    mine = problem(SMOOTH, survey_from(SMOOTH), max_trials=5)
    fit(mine, folder=tmp_path)
    log = tmp_path / "trials.jsonl"
    log.write_text("garbage\n" + log.read_text())
    with pytest.raises(RunFolderError, match=r"trials.jsonl, line 1: not a trial"):
        fit(mine, folder=tmp_path, resume=True)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunFolderError, match="not valid JSON"):
        fit(mine, folder=tmp_path, resume=True)


def test_a_log_of_another_path_is_noticed(tmp_path):
    mine = problem(SMOOTH, survey_from(SMOOTH), max_trials=8)
    fit(mine, folder=tmp_path)
    log = tmp_path / "trials.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[4]["parameters"]["R_sigma_thin"] *= 1.0 + 1e-12
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = fit(problem(SMOOTH, survey_from(SMOOTH)), folder=tmp_path, resume=True)
    assert result.converged
    assert any(
        "another path than the one on file from trial 5 on" in sentence for sentence in result.sentences
    )


def test_failures_are_on_file(tmp_path):
    predictor = SmoothGaussians(impossible=63.9)
    mine = problem(predictor, survey_from(SMOOTH), {"sigma_r0_thin": 90.0}, initial_step=1.0)
    result = fit(mine, folder=tmp_path)
    assert result.failures
    on_file = [trial for trial in read_trials(tmp_path / "trials.jsonl") if trial.failed]
    assert len(on_file) == sum(result.failures.values())
    assert all(trial.chi2 is None and "no such disc" in trial.note for trial in on_file)
    assert TRUTH["sigma_r0_thin"] > 63.9
