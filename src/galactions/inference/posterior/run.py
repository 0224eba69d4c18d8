"""`sample_posterior`: from a configuration or a problem to a `PosteriorResult`, in a folder of its own."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ConfigError
from galactions.inference.executor import Executor, open_executor
from galactions.inference.lock import RunFolderError
from galactions.inference.posterior.bands import Bands, posterior_bands, read_bands, write_bands
from galactions.inference.posterior.diagnostics import Verdict, VerdictKind
from galactions.inference.posterior.files import read_draws, require_arviz, write_draws
from galactions.inference.posterior.folder import PosteriorFolder, open_posterior
from galactions.inference.posterior.result import PosteriorResult, result_from
from galactions.inference.posterior.settings import METHODS, Method, PosteriorSettings
from galactions.inference.posterior.summary import read_table, write_table
from galactions.inference.posterior.target import problem_target
from galactions.inference.posterior.work import draw_sample
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress, ProgressUpdate, SamplingUpdate
from galactions.inference.run import command_line, kept_slopes, read_record
from galactions.inference.slopes import Slopes, begun_with

if TYPE_CHECKING:
    from galactions.config import Config

NEEDS = {"ensemble": "emcee"}


def sample_posterior(
    config_or_problem: "str | Path | Config | FitProblem",
    *,
    method: Method | None = None,
    settings: PosteriorSettings | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    folder: str | Path | None = None,
    start: Mapping[str, float] | None = None,
    scheduler: str | None = None,
    workers: int = 1,
    command: str | None = None,
    slopes: Slopes | None = None,
) -> PosteriorResult:
    """Samples the posterior of a model's free parameters: multinomial likelihood of the survey's counts in
    the fitted regions (or that of single stars, see `problem_target`), outside constraints, and priors.

    config_or_problem: a TOML file or `Config`, whose posterior lies in the run folder of its fit, under
    `posterior/<method>`, or a `FitProblem`, which has a folder only if one is given. method: "laplace",
    "delayed", "nuts" or "ensemble", see `PosteriorSettings`; by default that of the settings, which are by
    default the configuration's. start: free parameters by name from which the mode is searched (default: the
    best ones of a fit in the run folder, else the model's). slopes: derivatives of the problem's predictions
    that were evaluated near to there (default: where `start` is that of a fit, its own), which need not be
    evaluated again. scheduler, workers: see `open_executor`; the
    draws do not depend on them. progress: see `show_progress`.

    Interrupted (Ctrl-C, kill), a run with a folder is taken up by `resume=True` and ends with the same draws,
    bit for bit; so is a finished one that is asked for more draws or rounds.

    Raises ConfigError and CatalogueError for what cannot be read or is not installed, ModelError when no
    model can be built at the start or around the mode, RunFolderError for a folder that is in use, or holds
    another run.
    """
    if method is not None and method not in METHODS:
        raise ConfigError(f"posterior.method: found {method!r}; allowed: {', '.join(METHODS)}")
    if isinstance(config_or_problem, FitProblem):
        problem, path = config_or_problem, None if folder is None else Path(folder)
        chosen = _chosen(settings or PosteriorSettings(), method)
    else:
        from galactions.config import Config, load_config
        from galactions.inference.model_predictor import problem_from_config

        config = (
            config_or_problem if isinstance(config_or_problem, Config) else load_config(config_or_problem)
        )
        chosen = _chosen(settings or config.posterior, method)
        path = posterior_folder(config.folder, chosen.method) if folder is None else Path(folder)
        if not resume and (path / "run.json").exists():
            raise RunFolderError(
                f"{path} already holds a run; resume it (--resume, or resume=True), or remove the folder"
            )
        problem = problem_from_config(config, progress)
        if start is None:
            start = _best_of_fit(config.folder, problem)
            slopes = kept_slopes(config.folder, problem)
    _require(chosen.method, path)
    begin = _start(problem, start)
    with open_executor(scheduler, workers) as executor:
        if path is None:
            return _sample(problem, chosen, begin, slopes, None, executor, progress)
        with open_posterior(
            path, problem, chosen, begin, resume=resume, command=command or command_line()
        ) as run:
            if run.finished:
                return load_posterior(path)
            kept = begun_with(path, slopes, begun=(path / "evaluations").exists())
            return _sample(problem, chosen, run.start, kept, run, executor, run.logged(progress))


def posterior_folder(run_folder: Path, method: str) -> Path:
    """Where a configuration's posterior lies."""
    return run_folder / "posterior" / method


def load_posterior(folder: str | Path) -> PosteriorResult:
    """The posterior in a folder. Raises RunFolderError where there is no run, or none that has ended."""
    folder = Path(folder)
    record = read_record(folder)
    found = record.get("result")
    if found is None:
        raise RunFolderError(
            f"{folder}: the run has no result yet ({record.get('status')}); resume it (--resume)"
        )
    try:
        draws = read_draws(folder / "posterior.nc")
        bands = folder / "bands.npz"
        return PosteriorResult(
            model_name=record["model"],
            method=record["method"],
            **vars(draws),
            parameters=read_table(folder / "summary.csv"),
            verdicts=tuple(
                Verdict(VerdictKind[item["kind"]], tuple(item["details"])) for item in found["verdicts"]
            ),
            bands=read_bands(bands) if bands.exists() else None,
            folder=folder,
            **{key: found[key] for key in _TOLD},
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise RunFolderError(
            f"{folder}: the result cannot be read ({type(error).__name__}: {error}); resume the run, or "
            "remove the folder"
        ) from error


_TOLD = (
    "log_evidence",
    "log_evidence_error",
    "log_evidence_laplace",
    "k_hat",
    "acceptance",
    "evaluations",
    "failures",
    "seconds",
    "walkers",
)
"""What `run.json` tells of a result as it is."""


def _sample(
    problem: FitProblem,
    settings: PosteriorSettings,
    start: NDArray[np.float64],
    slopes: Slopes | None,
    run: PosteriorFolder | None,
    executor: Executor,
    progress: Progress | None,
) -> PosteriorResult:
    target = problem_target(problem)
    folder = None if run is None else run.path
    sample = draw_sample(
        target,
        target.from_values(start),
        settings,
        folder=folder,
        executor=executor,
        progress=progress,
        slopes=None if slopes is None else target.feature_slopes_of(slopes),
    )
    result = result_from(sample, target.coordinates, settings, problem.model_name, folder)
    if settings.bands:
        result = replace(result, bands=_bands(problem, result, settings.bands, folder, executor, progress))
    if run is not None:
        _write(run, result)
    return result


def _bands(
    problem: FitProblem,
    result: PosteriorResult,
    count: int,
    folder: Path | None,
    executor: Executor,
    progress: Progress | None,
) -> Bands:
    from time import monotonic

    values = result.thinned(count)
    begin = monotonic()

    def tell(done: int, of: int) -> None:
        if progress is not None:
            elapsed = monotonic() - begin
            progress(SamplingUpdate("bands", done, of, done, elapsed, elapsed * (of - done) / done))

    if progress is not None:
        progress(ProgressUpdate.stage(f"predictions of {len(values)} draws"))
    return posterior_bands(problem, values, executor, None if folder is None else folder / "bands", tell)


def _write(run: PosteriorFolder, result: PosteriorResult) -> None:
    """Writes the outcome into the folder; `run.json` last, so that its status speaks for all files."""
    facts = {key: run.record[key] for key in ("version", "model", "method", "seed")}
    write_draws(run.path / "posterior.nc", result, facts)
    write_table(run.path / "summary.csv", result.parameters)
    if result.bands is not None:
        write_bands(run.path / "bands.npz", result.bands)
    told: dict[str, Any] = {key: getattr(result, key) for key in _TOLD}
    verdicts = [{"kind": verdict.kind.name, "details": list(verdict.details)} for verdict in result.verdicts]
    run.update(
        status="finished",
        end_time=datetime.now(UTC).isoformat(timespec="seconds"),
        result={
            **told,
            "ess": result.ess,
            "r_hat": result.r_hat,
            "reliable": result.reliable,
            "verdicts": verdicts,
            "sentences": result.sentences,
            "parameters": {row.name: row for row in result.parameters},
        },
    )
    shutil.rmtree(run.path / "bands", ignore_errors=True)


def _chosen(settings: PosteriorSettings, method: Method | None) -> PosteriorSettings:
    if method is None or method == settings.method:
        return settings
    from pydantic import ValidationError

    try:
        return PosteriorSettings(**{**settings.model_dump(), "method": method})
    except ValidationError as error:
        raise ConfigError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None


def _require(method: str, folder: Path | None) -> None:
    """Raises ConfigError for packages that the method needs and that are not installed."""
    needed = NEEDS.get(method)
    if needed is not None and find_spec(needed) is None:
        raise ConfigError(
            f"posterior.method = {method!r} needs {needed}, which is not installed: "
            "pip install 'galactions[posterior]'"
        )
    if folder is not None:
        require_arviz()


def _best_of_fit(folder: Path, problem: FitProblem) -> Mapping[str, float] | None:
    """The best free parameters of a fit in the run folder, if they are the problem's; else None."""
    if not (folder / "run.json").exists():
        return None
    best = (read_record(folder).get("result") or {}).get("best")
    return best if best is not None and set(best) == set(problem.free.names) else None


def _start(problem: FitProblem, start: Mapping[str, float] | None) -> NDArray[np.float64]:
    """Values (n_free,) that the search for the mode begins from, a little inside their bounds."""
    free = problem.free
    if start is None:
        return free.start
    if lacking := [name for name in free.names if name not in start]:
        raise ConfigError(f"start: {', '.join(lacking)} missing; allowed: all of {', '.join(free.names)}")
    values = np.array([float(start[name]) for name in free.names])
    low = np.where(np.isfinite(free.lower), free.lower, -np.inf)
    margin = 1e-4 * np.where(np.isfinite(free.upper - free.lower), free.upper - free.lower, free.scale)
    return np.clip(values, low + margin, free.upper - margin)
