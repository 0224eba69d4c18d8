"""The folder of a posterior run: its record, and the refusal of runs of other problems.

`run.json` (what was run, with what, its status and result), `config.toml`, `log.txt`, `evaluations/` (every
evaluation of the model, on disk before the next begins); at the end `posterior.nc`, `summary.csv`,
`bands.npz`. While a run goes on there are `run.lock` and, towards the end, `bands/` as well.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions._version import __version__
from galactions.inference.files import plain, write_json, write_text
from galactions.inference.lock import RunFolderError, folder_lock
from galactions.inference.posterior.settings import PosteriorSettings
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress, ProgressUpdate, SamplingUpdate
from galactions.inference.run import environment, read_record, survey_digest

MAY_CHANGE = ("draws", "max_rounds", "target_ess", "bands")
"""Settings in which a run that is taken up may differ from its beginning: they say when to stop, not where
to go."""

LOG_EVERY = 60.0
"""Seconds between two lines of the log that tell of a stage under way."""


class PosteriorFolder:
    """An open, locked folder (see `open_posterior`)."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path = path
        self.record = record

    @property
    def finished(self) -> bool:
        return self.record.get("status") == "finished"

    @property
    def start(self) -> NDArray[np.float64]:
        """Where the search for the mode begins, (n_free,) values."""
        return np.array(self.record["start"], dtype=float)

    def update(self, **changes: Any) -> None:
        """Changes entries of `run.json`."""
        self.record.update(plain(changes))
        write_json(self.path / "run.json", self.record)

    def logged(self, progress: Progress | None) -> Progress:
        """Progress that goes to `progress` and, more rarely, to `log.txt`."""
        last = -LOG_EVERY

        def tell(update: ProgressUpdate | SamplingUpdate) -> None:
            nonlocal last
            now = datetime.now(UTC)
            if update.message or now.timestamp() - last >= LOG_EVERY:
                last = now.timestamp()
                with (self.path / "log.txt").open("a", encoding="utf-8") as stream:
                    stream.write(f"{now.isoformat(timespec='seconds')} {update.line}\n")
            if progress is not None:
                progress(update)

        return tell


@contextmanager
def open_posterior(
    folder: Path,
    problem: FitProblem,
    settings: PosteriorSettings,
    start: NDArray[np.float64],
    *,
    resume: bool,
    command: str,
) -> Iterator[PosteriorFolder]:
    """Locks `folder` and begins a run in it, or, with `resume`, takes up the one that is there, with the
    start that it had.

    Raises RunFolderError when another process uses the folder, when it holds a run and `resume` is False, and
    when that run was of another problem (naming what differs).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        now = _identity(problem, settings)
        if (folder / "run.json").exists():
            run = PosteriorFolder(folder, read_record(folder))
            if not resume:
                raise RunFolderError(
                    f"{folder} already holds a run ({run.record.get('status', 'unknown')}, begun "
                    f"{run.record.get('start_time', '?')}); resume it (--resume, or resume=True), or remove "
                    "the folder"
                )
            _refuse_other(run, now)
            same = run.record["identity"] == plain(now)
            if not (run.finished and same):
                resumed = [*run.record.get("resumed", []), _time()]
                run.update(status="running", resumed=resumed, end_time=None, result=None, identity=now)
        else:
            if problem.config_text:
                write_text(folder / "config.toml", problem.config_text)
            run = PosteriorFolder(folder, {})
            run.update(
                format=1,
                kind="posterior",
                version=__version__,
                command=command,
                start_time=_time(),
                end_time=None,
                status="running",
                resumed=[],
                model=problem.model_name,
                start=start,
                free=problem.free.names,
                method=settings.method,
                seed=settings.seed,
                identity=now,
                config=problem.config_text,
                environment=environment("emcee", "arviz"),
            )
        try:
            yield run
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
            run.update(
                status="stopped" if stopped else f"failed: {type(error).__name__}: {error}", end_time=_time()
            )
            raise


def _identity(problem: FitProblem, settings: PosteriorSettings) -> dict[str, Any]:
    """Everything that the draws depend on."""
    how = {f"posterior.{key}": value for key, value in settings.model_dump(mode="json").items()}
    return {**problem_identity(problem), **how}


def problem_identity(problem: FitProblem) -> dict[str, Any]:
    """Everything that the posterior density of a problem depends on."""
    found: dict[str, Any] = {
        "version": __version__,
        "model": problem.model_name,
        "start_parameters": dict(problem.parameters),
        "survey": survey_digest(problem.survey),
        "projection.seed": problem.seed,
    }
    found |= {
        f"fit.{key}": value
        for key, value in problem.settings.model_dump(mode="json").items()
        if key not in ("method", "max_trials", "max_rounds", "tolerance", "initial_step")
    }
    found |= {str(key): value for key, value in problem.identity.items()}
    told: dict[str, Any] = plain(found)
    return told


def _refuse_other(run: PosteriorFolder, now: Mapping[str, Any]) -> None:
    then = run.record.get("identity", {})
    for key in (*now, *(key for key in then if key not in now)):
        if then.get(key) == now.get(key) or key.removeprefix("posterior.") in MAY_CHANGE:
            continue
        shown = (
            "the survey's bins"
            if key == "survey"
            else f"{key} ({then.get(key)!r} then, {now.get(key)!r} now)"
        )
        raise RunFolderError(
            f"{run.path} holds a run of another problem: {shown} differs. Remove the folder, or undo the "
            f"change; of a run that is taken up only {', '.join(MAY_CHANGE)} may change"
        )


def _time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
