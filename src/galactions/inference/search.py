"""The search for the minimum: rounds of an optimiser, with sigma_n held fixed in each."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from galactions.inference.bins import model_sigma
from galactions.inference.nelder_mead import nelder_mead
from galactions.inference.progress import ProgressUpdate
from galactions.inference.scoring import Scored, fisher_scoring
from galactions.inference.trials import BudgetSpentError, DerivativesFailedError, TrialRecorder

LATER_STEP = 0.3
"""First simplex of a later round, relative to that of the first: the minimum has moved by a fraction of an
error."""


LONGEST_STEP = 0.3
"""Largest change of a parameter in one step of least squares, relative to its size at the start: far from the
optimum derivatives promise more than a model holds."""

PROVISIONAL = 10.0
"""Factor on the tolerance of the first of several rounds, and on the gain below which a round is the last:
each round moves the answer by about a tenth of what the one before did, so what is left is well below the
tolerance."""


class Status(Enum):
    """How a search ended, in sentences that say what to change."""

    CONVERGED = "The search converged."
    MAX_TRIALS = (
        "The search used up its trials before it converged: the best so far is kept. "
        "Raise fit.max_trials and resume the run, which goes on from where it stopped."
    )
    MAX_ROUNDS = (
        "Each round converged, but sigma_n of the model still changed the answer from one to the next. "
        "Raise fit.max_rounds, or use fit.uncertainty = 'data'."
    )
    STALLED = (
        "The optimiser gave up before it converged: the best so far is kept. "
        "Start from another model ([model] name or set), or use the other fit.method."
    )
    NO_DERIVATIVES = (
        "The model could be built at the best parameters, but its derivatives could not be computed there, "
        "so the search ended. Move the start ([model.set]), narrow fit.bounds, "
        "or use fit.method = 'nelder-mead'."
    )


@dataclass(frozen=True, eq=False)
class SearchEnd:
    """Best free values (n_free,), the sigma_n (n_bins,) they were found with, and how the search ended."""

    values: NDArray[np.float64]
    sigma: NDArray[np.float64]
    status: Status
    detail: str = ""


def search(recorder: TrialRecorder) -> SearchEnd:
    """Searches from the problem's start until nothing is gained any more, or the trials are used up.

    With the objective "chi2" and `uncertainty = "model"` the first round has the data's sigma_n, each later
    one that of the prediction at the best parameters of the round before, until a round gains next to
    nothing.

    Derivatives that the recorder has already (from an earlier round, or handed to it) are begun with, and
    evaluated anew only where they turn out to be of no use.

    Raises ModelError when no model can be built at the start.
    """
    problem, settings = recorder.problem, recorder.problem.settings
    tolerance = settings.tolerance / recorder.objective.terms  # the score is a mean, the tolerance of the sum
    values = problem.free.start
    best_before = values
    begun_at = np.inf
    renewed = settings.objective == "chi2" and settings.uncertainty == "model"
    rounds = settings.max_rounds if renewed else 1
    try:
        for number in range(1, rounds + 1):
            loose = PROVISIONAL if number < min(2, rounds) else 1.0
            values, converged = _round(recorder, values, number, loose * tolerance)
            if not converged:
                return SearchEnd(values, recorder.sigma, Status.STALLED)
            best = recorder.best
            if not renewed or (best and begun_at - best.score < PROVISIONAL * tolerance):
                return SearchEnd(values, recorder.sigma, Status.CONVERGED)
            y = recorder.prediction(values)
            if number == rounds or y is None:
                break
            best_before = values
            sigma = model_sigma(problem.layout, y[: len(problem.layout.data)])
            recorder.start_round(number + 1, sigma)
            begun_at = float(recorder.objective.score(y))
            if recorder.progress:
                recorder.progress(
                    ProgressUpdate.stage(f"round {number + 1}: sigma_n renewed from the best model")
                )
    except BudgetSpentError:
        values = recorder.best.values if recorder.best else best_before
        return SearchEnd(values, recorder.sigma, Status.MAX_TRIALS)
    except DerivativesFailedError as error:
        values = recorder.best.values if recorder.best else best_before
        return SearchEnd(values, recorder.sigma, Status.NO_DERIVATIVES, str(error))
    return SearchEnd(values, recorder.sigma, Status.MAX_ROUNDS)


def _round(
    recorder: TrialRecorder, start: NDArray[np.float64], number: int, tolerance: float
) -> tuple[NDArray[np.float64], bool]:
    """One run of the optimiser with the recorder's present sigma_n."""
    problem, settings = recorder.problem, recorder.problem.settings
    free = problem.free
    if settings.method == "nelder-mead":
        start = free.from_unbounded(free.to_unbounded(start))  # the point that the simplex will begin from
        if number == 1:
            recorder.check_start(start, "chi2")
        step = settings.initial_step * (1.0 if number == 1 else LATER_STEP)
        return nelder_mead(recorder.score, free, start, step=step, chi2_tolerance=tolerance)
    if number == 1:
        recorder.check_start(start, "heights")
    known = recorder.known_slopes
    end = fisher_scoring(
        _scored(recorder),
        start,
        tolerance=tolerance,
        known=None if known is None else known.array,
        near=known is not None,
    )
    return end.x, end.converged


def _scored(recorder: TrialRecorder) -> Scored:
    """The score of the recorder's objective, as a function of joint predictions."""
    objective, free = recorder.objective, recorder.problem.free

    def derivatives(
        y: NDArray[np.float64], slopes: NDArray[np.float64], _: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        gradient, information = objective.slope(y) @ slopes, objective.information(y, slopes)
        return 2.0 * gradient / objective.terms, 2.0 * np.asarray(information) / objective.terms

    return Scored(
        recorder.prediction,
        recorder.slopes,
        lambda y, _: float(objective.score(y)),
        derivatives,
        free.lower,
        free.upper,
        LONGEST_STEP * free.scale,
        1.0 / objective.terms,
    )
