"""`fit`: from a configuration or a problem to a `FitResult`, in a run folder if one is wanted."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ConfigError
from galactions.inference.bins import data_sigma, model_sigma
from galactions.inference.chi2 import chi2_table
from galactions.inference.covariance import covariance, inverted
from galactions.inference.joint import joint_objective
from galactions.inference.lock import RunFolderError
from galactions.inference.predictor import (
    BAD_TRIAL_ERRORS,
    ExtendedPredictor,
    FinalModel,
    FinalPredictor,
    Prediction,
)
from galactions.inference.problem import FitProblem, all_slopes, predict_all
from galactions.inference.progress import Progress, ProgressUpdate
from galactions.inference.result import FitResult, Remark, RemarkKind, load_fit, write_result
from galactions.inference.run import RunFolder, command_line, open_run
from galactions.inference.search import SearchEnd, Status, search
from galactions.inference.slopes import Slopes, begun_with
from galactions.inference.starts import fit_from_starts
from galactions.inference.trials import TrialRecorder

if TYPE_CHECKING:
    from galactions.config import Config

POOR_FIT = 1.5
"""chi2 per degree of freedom above which the fit is called poor."""

NOISY = 0.3
"""Median ratio of the prediction's to the data's errors above which it is said."""


def fit(
    config_or_problem: "str | Path | Config | FitProblem",
    *,
    resume: bool = False,
    progress: Progress | None = None,
    folder: str | Path | None = None,
    command: str | None = None,
    slopes: Slopes | None = None,
) -> FitResult:
    """Fits a model's free parameters to a survey (section 3.1, steps (3)-(5)): least mean chi2 (eq. 5) over
    regions, or what else `[fit] objective` asks for.

    config_or_problem: a TOML file or `Config`, whose run folder is `[output] folder`, or a `FitProblem`,
    which has one only if `folder` is given. resume: take up the run in the folder (if there is one).
    progress: called after each trial, see `show_progress`. command: what to note as the command (by default
    this process's).

    slopes: derivatives of the problem's predictions that were evaluated near to the optimum, of another
    survey with the same bins say (least squares only): they are begun with, evaluated anew only where steps
    fail, and errors come from them.

    With `[fit] starts` each start has a subfolder, and the best result is returned (`fit_from_starts`).

    A trial that makes no model is counted, not fatal. Interrupted (Ctrl-C, kill), a run with a folder is
    taken up by `resume=True` and ends with the same answer, bit for bit.

    Raises ConfigError and CatalogueError for what cannot be read, ModelError when no model can be built at
    the start, RunFolderError for a folder that is in use, or holds another run.
    """
    source: Path | None = None
    if isinstance(config_or_problem, FitProblem):
        problem, path = config_or_problem, Path(folder) if folder is not None else None
    else:
        config, path = _config_and_folder(config_or_problem, folder)
        if not resume and (path / "run.json").exists():
            raise RunFolderError(
                f"{path} already holds a run; resume it (--resume, or resume=True), remove the folder, "
                "or give another [output] folder"
            )
        from galactions.inference.model_predictor import problem_from_config

        problem, source = problem_from_config(config, progress), config.source
    _check(problem, source)

    def run(one: FitProblem, folder: Path | None) -> FitResult:
        if folder is None:
            return _fit(one, None, progress, slopes)
        with open_run(folder, one, resume=resume, command=command or command_line()) as opened:
            if opened.record["status"] == "converged":
                return load_fit(folder)
            return _fit(
                one, opened, progress, begun_with(folder, slopes, begun=(folder / "trials.jsonl").exists())
            )

    if problem.starts:
        return fit_from_starts(problem, path, run, progress)
    return run(problem, path)


def _check(problem: FitProblem, source: Path | None) -> None:
    """Raises ConfigError for names, bounds and surveys that cannot be fitted, before anything is written."""
    try:
        _ = problem.free, problem.layout
        if problem.is_extended and not isinstance(problem.predictor, ExtendedPredictor):
            raise ConfigError(
                "fit.constraints and fit.objective = 'stars' need an ExtendedPredictor; found "
                f"{type(problem.predictor).__name__}, which predicts histograms alone"
            )
        if problem.settings.objective == "stars" and not problem.n_stars:
            raise ConfigError("fit.objective: found 'stars', but the problem has no single stars")
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}" if source else str(error)) from None


def _config_and_folder(source: "str | Path | Config", folder: str | Path | None) -> "tuple[Config, Path]":
    from galactions.config import Config, load_config

    config = source if isinstance(source, Config) else load_config(source)
    return config, Path(folder) if folder is not None else config.folder


def _fit(
    problem: FitProblem, run: RunFolder | None, progress: Progress | None, slopes: Slopes | None
) -> FitResult:
    recorder = TrialRecorder(problem, run, progress, known_slopes=slopes)
    end = search(recorder)
    if progress:
        progress(ProgressUpdate.stage("building the final model at the best parameters"))
    joint, trial = recorder.found(end.values), None
    if joint is None:
        trial = problem.predictor.predict(problem.all_parameters(end.values))
        joint = problem.layout.flatten(trial.p)
        if problem.is_extended and (predicted := predict_all(problem, end.values).array) is not None:
            joint = predicted
    near, why_not = _slopes_near(problem, recorder, end, joint)
    errors, remarks = _errors(problem, end, joint, near, why_not)
    final, failed = _final_model(problem, end, trial)
    heights = problem.layout.flatten(final.prediction.p)
    by_model = problem.settings.uncertainty == "model"
    sigma = model_sigma(problem.layout, heights) if by_model else data_sigma(problem.layout)
    names = problem.free.names
    result = FitResult(
        model_name=problem.model_name,
        parameters=problem.all_parameters(end.values),
        best=problem.free.named(end.values),
        standard_errors=None
        if errors is None
        else dict(zip(names, np.sqrt(np.diag(errors)).tolist(), strict=True)),
        covariance=errors,
        chi2=chi2_table(problem.layout, heights, sigma),
        prediction=final.prediction,
        trials=tuple(recorder.trials),
        failures=dict(recorder.failures),
        rounds=recorder.round,
        status=end.status,
        detail=end.detail,
        remarks=(),
        folder=run.path if run else None,
        seconds=sum(trial.seconds for trial in recorder.trials),
        score=recorder.best.score if recorder.best else None,
        constraints=problem.constraints.chi2(_outside(problem, joint)),
    )
    remarks += failed + _remarks(problem, recorder, end, result, sigma)
    result = replace(result, remarks=tuple(remarks))
    if run is not None:
        write_result(run, result, problem.survey, final.galaxy, near)
    return result


def _slopes_near(
    problem: FitProblem, recorder: TrialRecorder, end: SearchEnd, joint: NDArray[np.float64]
) -> tuple[Slopes | None, str]:
    """Derivatives near the optimum: those that the search ended with, else evaluated there; or None and the
    reason."""
    settled = end.status in (Status.CONVERGED, Status.MAX_ROUNDS)
    if settled and recorder.known_slopes is not None:
        return recorder.known_slopes, ""
    if not problem.has_derivatives and problem.settings.method == "nelder-mead":
        return None, "the predictor has no derivatives; use fit.method = 'least-squares'"
    found = all_slopes(problem, end.values, joint)
    if found.array is None:
        return None, f"derivatives at the best parameters failed ({found.reason})"
    return Slopes(end.values, joint, found.array), ""


def _errors(
    problem: FitProblem,
    end: SearchEnd,
    joint: NDArray[np.float64],
    near: Slopes | None,
    why_not: str,
) -> tuple[NDArray[np.float64] | None, list[Remark]]:
    """Covariance at the optimum (n_free, n_free), or None with the reason."""
    if near is None:
        return None, [Remark(RemarkKind.NO_ERRORS, why_not)]
    slopes = near.array
    objective = joint_objective(problem, end.sigma)
    information = np.asarray(objective.information(joint, slopes))
    if problem.settings.objective == "chi2":
        outside = objective.constraint_information(slopes)
        n = len(problem.layout.data)
        found = covariance(problem.layout, joint[:n], slopes[:n], end.sigma, outside)
    else:
        found = inverted(information)
    if found is None:
        return None, [Remark(RemarkKind.UNCONSTRAINED, _weakest(problem, information))]
    return found, []


def _outside(problem: FitProblem, joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a joint prediction says of the outside constraints."""
    start = len(problem.layout.data)
    return joint[start : start + len(problem.constraints)]


def _weakest(problem: FitProblem, information: NDArray[np.float64]) -> str:
    """The free parameters with the largest part in the direction that changes the prediction least."""
    scaled = information * np.outer(problem.free.scale, problem.free.scale)
    direction = np.abs(np.linalg.eigh(scaled)[1][:, 0])
    return " or ".join(
        name for name, part in zip(problem.free.names, direction, strict=True) if part > 0.5 * direction.max()
    )


def _final_model(
    problem: FitProblem, end: SearchEnd, trial: Prediction | None
) -> tuple[FinalModel, list[Remark]]:
    """The best model built anew with more iterations, where the predictor can; else, or if that fails, the
    trial's, predicted again where it is not at hand."""
    parameters, why = problem.all_parameters(end.values), ""
    if isinstance(problem.predictor, FinalPredictor):
        try:
            final = problem.predictor.final(parameters)
            if np.all(np.isfinite(problem.layout.flatten(final.prediction.p))):
                return final, []
            why = "its prediction is not finite"
        except BAD_TRIAL_ERRORS as error:
            why = f"{type(error).__name__}: {error}"
    remarks = [Remark(RemarkKind.FINAL_FAILED, why)] if why else []
    return FinalModel(problem.predictor.predict(parameters) if trial is None else trial), remarks


def _remarks(
    problem: FitProblem,
    recorder: TrialRecorder,
    end: SearchEnd,
    result: FitResult,
    sigma: NDArray[np.float64],
) -> list[Remark]:
    """What deserves a word about a finished fit."""
    found = []
    if touching := problem.free.at_bounds(end.values):
        found.append(Remark(RemarkKind.AT_BOUND, ", ".join(touching)))
    if result.chi2_per_dof > POOR_FIT:
        found.append(Remark(RemarkKind.POOR_FIT, f"{result.chi2_per_dof:.2f}"))
    own = problem.layout.flatten(result.prediction.error)
    ratio = float(np.median((own / sigma)[problem.layout.fitted]))
    if ratio > NOISY:
        found.append(Remark(RemarkKind.NOISY_PREDICTION, f"{ratio:.2f}"))
    if recorder.failures:
        reason, times = recorder.failures.most_common(1)[0]
        total = sum(recorder.failures.values())
        told = f"{total} of {len(recorder.trials)} trials failed, {times} of them so: {reason}"
        found.append(Remark(RemarkKind.FAILED_TRIALS, told))
    if recorder.strayed_at is not None:
        found.append(Remark(RemarkKind.STRAYED, str(recorder.strayed_at)))
    return found
