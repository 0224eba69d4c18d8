"""The run folder: everything that went into a fit and came out of it, safe against Ctrl-C, kill -9 and full
disks.

`run.json` (what was run, with what, its status), `config.toml`, `survey.npz` (the binned data),
`trials.jsonl` (a line a trial, on disk before the next begins); at the end `best_model.toml`, `chi2.csv`,
`prediction.npz`, `galaxy.json`. While a run goes on there are `run.lock` and `checkpoint/` (arrays of
least-squares trials) as well; both go when it has converged.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions._version import __version__
from galactions.atomic import replacing
from galactions.inference.files import plain, write_json, write_text
from galactions.inference.lock import RunFolderError, folder_lock
from galactions.inference.problem import FitProblem
from galactions.inference.settings import OUTLIERS
from galactions.inference.slopes import Slopes
from galactions.inference.trials import Trial

if TYPE_CHECKING:
    from galactions.survey import BinnedSurvey

MAY_CHANGE = ("max_trials",)
"""Settings in which a run that is taken up may differ from its beginning: they say when to stop, not where
to go."""


SLOPES = "slopes.npz"
"""Derivatives near the optimum, and where they were evaluated."""


class RunFolder:
    """An open, locked run folder (see `open_run`): a `TrialStore` that also keeps what stands around the
    trials."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path = path
        self.record = record

    def logged_trials(self) -> list[Trial]:
        """The trials on file. A last line that was cut off in the middle of writing is removed from the
        file."""
        path = self.path / "trials.jsonl"
        if not path.exists():
            return []
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with path.open("r+b") as stream:
                stream.truncate(len(whole))
        return read_trials(path)

    def append(self, trial: Trial, array: NDArray[np.float64] | None) -> None:
        """Puts a trial on disk, its array first: a line in `trials.jsonl` means that all of it is there."""
        if array is not None:
            folder = self.path / "checkpoint"
            folder.mkdir(exist_ok=True)
            with replacing(folder / f"{trial.number:06d}.npy") as part:
                np.save(part, array)
        with (self.path / "trials.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(plain(asdict(trial))) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def array_of(self, trial: Trial) -> NDArray[np.float64] | None:
        """The array kept with a trial; None where it is gone."""
        path = self.path / "checkpoint" / f"{trial.number:06d}.npy"
        return np.asarray(np.load(path), dtype=float) if path.exists() else None

    def update(self, **changes: Any) -> None:
        """Changes entries of `run.json`."""
        self.record.update(plain(changes))
        write_json(self.path / "run.json", self.record)

    def forget_checkpoints(self) -> None:
        """Removes the arrays of trials: a converged run has no use for them."""
        shutil.rmtree(self.path / "checkpoint", ignore_errors=True)


@contextmanager
def open_run(folder: Path, problem: FitProblem, *, resume: bool, command: str) -> Iterator[RunFolder]:
    """Locks `folder` and begins a run in it, or, with `resume`, takes up the one that is there.

    When the fit in it ends by an error or by Ctrl-C, `run.json` says so, and the run can be taken up.

    Raises RunFolderError when another process uses the folder, when it holds a run and `resume` is False,
    when that run was of another problem (naming what differs); with `resume` and no run there, a new one
    begins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        path = folder / "run.json"
        if path.exists():
            run = RunFolder(folder, read_record(folder))
            if not resume:
                raise RunFolderError(
                    f"{folder} already holds a run ({run.record.get('status', 'unknown')}, begun "
                    f"{run.record.get('start_time', '?')}); resume it (--resume, or resume=True), "
                    "remove the folder, or give another [output] folder"
                )
            _refuse_other_problem(run, problem)
            if run.record.get("status") != "converged":
                resumed = [*run.record.get("resumed", []), _now()]
                run.update(status="running", resumed=resumed, end_time=None, result=None)
        else:
            run = _begin(folder, problem, command)
        try:
            yield run
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
            told = "stopped" if stopped else f"failed: {type(error).__name__}: {error}"
            run.update(status=told, end_time=_now())
            raise


def _begin(folder: Path, problem: FitProblem, command: str) -> RunFolder:
    if problem.config_text:
        write_text(folder / "config.toml", problem.config_text)
    problem.survey.save(folder / "survey.npz")
    run = RunFolder(folder, {})
    run.update(
        format=1,
        version=__version__,
        command=command,
        start_time=_now(),
        end_time=None,
        status="running",
        resumed=[],
        model=problem.model_name,
        start_parameters=dict(problem.parameters),
        free=problem.free.names,
        bounds={item.name: [_bound(item.lower), _bound(item.upper)] for item in problem.free.items},
        method=problem.settings.method,
        settings=problem.settings.model_dump(mode="json"),
        seed=problem.seed,
        identity=dict(problem.identity),
        survey_digest=survey_digest(problem.survey),
        config=problem.config_text,
        environment=environment(),
    )
    return run


def _refuse_other_problem(run: RunFolder, problem: FitProblem) -> None:
    now = {
        "model": problem.model_name,
        "start_parameters": dict(problem.parameters),
        "survey_digest": survey_digest(problem.survey),
        "version": __version__,
        "seed": problem.seed,
    }
    now |= {f"fit.{key}": value for key, value in problem.settings.model_dump(mode="json").items()}
    now |= {f"identity.{key}": value for key, value in problem.identity.items()}
    then = {
        **run.record,
        **{f"identity.{key}": value for key, value in run.record.get("identity", {}).items()},
    }
    then |= {f"fit.{key}": value for key, value in run.record.get("settings", {}).items()}
    for key, value in plain(now).items():
        if key.removeprefix("fit.") in MAY_CHANGE or then.get(key) == value:
            continue
        shown = f"{key.removeprefix('identity.')} ({then.get(key)!r} then, {value!r} now)"
        if key == "survey_digest":
            shown = "the survey's bins"
        raise RunFolderError(
            f"{run.path} holds a run of another problem: {shown} differs. Give another [output] "
            f"folder, or undo the change; of a run that is taken up only {', '.join(MAY_CHANGE)} may change"
        )
    if run.record.get("status") == "converged":
        return
    if problem.config_text:
        write_text(run.path / "config.toml", problem.config_text)
    run.update(settings=problem.settings.model_dump(mode="json"), config=problem.config_text)


def kept_slopes(folder: Path, problem: FitProblem) -> Slopes | None:
    """The derivatives in a run folder, if they are of the problem's own predictions: same model, nodes,
    survey, constraints and free parameters; else None."""
    path = folder / SLOPES
    if not path.exists():
        return None
    record = read_record(folder)
    held = [name for name in problem.parameters if name not in problem.free.names]
    told, settings = record.get("start_parameters", {}), problem.settings.model_dump(mode="json")
    shaping = ("ties", "constraints", "star_nodes", "star_seed")
    now = {
        "survey_digest": survey_digest(problem.survey),
        "version": __version__,
        "seed": problem.seed,
        "identity": dict(problem.identity),
        "free": problem.free.names,
        "held": {name: problem.parameters[name] for name in held},
        "settings": {key: settings[key] for key in shaping},
    }
    then = {**record, "held": {name: told.get(name) for name in held}}
    then["settings"] = {key: record.get("settings", {}).get(key) for key in shaping}
    if any(then.get(key) != value for key, value in plain(now).items()):
        return None
    return Slopes.load(path)


def read_record(folder: Path) -> dict[str, Any]:
    """`run.json` of a run folder. Raises RunFolderError where there is none that can be read."""
    path = folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunFolderError(f"{folder} holds no run: there is no run.json in it") from None
    except ValueError as error:
        raise RunFolderError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(record, dict):
        raise RunFolderError(f"{path} holds {type(record).__name__}; a JSON object was expected")
    return record


def read_trials(path: Path) -> list[Trial]:
    """The trials of a `trials.jsonl`, in order; an incomplete last line is passed by.

    Raises RunFolderError for a line that is damaged in any other way.
    """
    trials = []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    for number, line in enumerate(lines, start=1):
        try:
            trials.append(Trial(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise RunFolderError(
                f"{path}, line {number}: not a trial ({error}); remove the file to begin anew"
            ) from None
    return trials


def survey_digest(survey: "BinnedSurvey") -> str:
    """SHA-256 of all that a fit reads of a survey: regions, star counts, errors, edges, p_n, sigma_n."""
    digest = hashlib.sha256()
    for item in survey.regions:
        told = (item.region, int(item.n_stars), bool(item.used), sorted(item.errors.items()))
        digest.update(repr(told).encode())
        for name in survey.observables if item.used else ():
            histogram = item.histograms[name]
            for array in (histogram.edges, histogram.p, histogram.sigma):
                digest.update(np.ascontiguousarray(array, dtype=float).tobytes())
    return digest.hexdigest()


def environment(*more: str) -> dict[str, str]:
    """Versions that a result may depend on, of further packages too (nothing that names the host or its
    user)."""
    found = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    for name in ("numpy", "scipy", "jax", "jaxlib", "equinox", *more):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def command_line() -> str:
    """The command this process was started by, without folders: `galactions fit my.toml`."""
    name = Path(sys.argv[0]).name or "python"
    return " ".join(["galactions" if name == "__main__.py" else name, *sys.argv[1:]])


def _bound(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_best_model(path: Path, model_name: str, parameters: Mapping[str, float]) -> None:
    """Writes a model as TOML: the named model it came from, and all parameters under `[model.set]`.

    The file is a `[model]` table of a configuration as it stands: parameters of outliers, which are not the
    model's, are left out.
    """
    lines = ["[model]", f"name = {json.dumps(model_name)}", "", "[model.set]"]
    for name, value in parameters.items():
        if name in OUTLIERS:
            continue
        key = name if re.fullmatch("[A-Za-z0-9_-]+", name) else json.dumps(name)
        lines.append(f"{key} = {float(value)!r}")
    write_text(path, "\n".join(lines) + "\n")
