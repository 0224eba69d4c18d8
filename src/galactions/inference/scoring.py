"""Fisher's scoring with Marquardt's damping, and as few derivatives as will do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.inference.slopes import corrected

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

POOR = 0.25
"""A step that gains less than this part of what it promised tells that the derivatives have aged."""

_MOST_DAMPING = 1e8
_MOST_STEPS = 1000


@dataclass(frozen=True, eq=False)
class Scored:
    """A function of predictions y (m,), to be minimised over x (n,) within bounds.

    predicted: x to y, None where there is no model. slopes: x to dy/dx (m, n); may raise what ends the
    search. value: of y at x, infinite where x is not allowed. derivatives: gradient (n,) and expected second
    derivative (n, n) by x, from y, dy/dx and x. lower, upper (n,): bounds. longest (n,): the largest change
    of each x in one step. unit: by how much the value rises one standard error away from the minimum.
    """

    predicted: Callable[[Vector], Vector | None]
    slopes: Callable[[Vector], Matrix]
    value: Callable[[Vector, Vector], float]
    derivatives: Callable[[Vector, Matrix, Vector], tuple[Vector, Matrix]]
    lower: Vector
    upper: Vector
    longest: Vector
    unit: float


@dataclass(frozen=True, eq=False)
class ScoringEnd:
    """Where scoring ended: x (n,), y (m,) and dy/dx (m, n) there, whether it ended by its own criterion, and
    after how many steps."""

    x: Vector
    y: Vector
    slopes: Matrix
    converged: bool
    steps: int


def fisher_scoring(
    problem: Scored,
    start: Vector,
    *,
    tolerance: float,
    known: Matrix | None = None,
    near: bool = False,
    most_steps: int = _MOST_STEPS,
) -> ScoringEnd:
    """The minimum near `start`, which has to have a prediction.

    Steps solve (I + damping diag I) s = -gradient over the parameters that are not held by a bound, are cut
    at the bounds (Marquardt 1963; Osborne 1992), and are no longer than `Scored.longest` allows: for a sum of
    squares, those of Levenberg and Marquardt. A step that does not lower the value, or ends where there is no
    model, raises the damping. The search ends with the first step that promises to gain less than
    `tolerance`. Deterministic.

    Derivatives, which may cost many times as much as predictions, are evaluated at the start; then they are
    corrected after each step by what the prediction did (`corrected`; Broyden 1965; so in MINPACK: More,
    Garbow & Hillstrom 1980), and evaluated anew only where two steps in a row were poor (`POOR`), and before
    the end, unless they were evaluated near to it: where the step from there promised to gain less than
    `Scored.unit`. known: derivatives to begin with instead of those
    at the start; near: that these were evaluated near to the optimum, whatever the first step promises.
    """
    x = np.clip(start, problem.lower, problem.upper)
    y = problem.predicted(x)
    if y is None:
        raise ValueError("there is no prediction at the start of the search")
    here = problem.value(y, x)
    slopes, fresh = (problem.slopes(x), True) if known is None else (known, False)
    damping, poor, steps = 1e-3, 0, 0
    while True:
        gradient, information = problem.derivatives(y, slopes, x)
        if fresh or (steps == 0 and not near):
            whole = _damped_step(problem, x, gradient, information, 0.0)
            near = _promised_gain(whole, gradient, information) < problem.unit
        step = _damped_step(problem, x, gradient, information, damping)
        promised = _promised_gain(step, gradient, information)
        if promised < tolerance and (fresh or (near and damping < 1.0)):
            if promised > 0.0:
                to = np.clip(x + step, problem.lower, problem.upper)
                ahead = problem.predicted(to)
                if ahead is not None and problem.value(ahead, to) < here:
                    x, y = to, ahead
            return ScoringEnd(x, y, slopes, damping < 1.0 or promised <= 0.0, steps)
        if promised < tolerance or (poor > 1 and not fresh):
            slopes, fresh, poor, damping = problem.slopes(x), True, 0, min(damping, 1e-3)
            continue
        if steps == most_steps:
            return ScoringEnd(x, y, slopes, False, steps)
        steps += 1
        to = np.clip(x + step, problem.lower, problem.upper)
        ahead = problem.predicted(to)
        there = np.inf if ahead is None else problem.value(ahead, to)
        gain = (here - there) / promised if np.isfinite(there) else -np.inf
        poor = 0 if gain > POOR else poor + 1
        if ahead is not None and (gain > 1e-3 or not fresh):
            slopes = corrected(slopes, to - x, ahead - y, information)
        if gain > 1e-3 and ahead is not None:
            x, y, here, fresh = to, ahead, there, False
            damping = max(damping * (0.1 if gain > 0.75 else 1.0 if gain > POOR else 5.0), 1e-12)
        else:
            damping *= 10.0
            if damping > _MOST_DAMPING:
                return ScoringEnd(x, y, slopes, False, steps)


def _damped_step(problem: Scored, x: Vector, gradient: Vector, information: Matrix, damping: float) -> Vector:
    """The damped step from x, no longer than is allowed and cut at the bounds; parameters that it would drive
    through one stay on it."""
    diagonal = np.maximum(np.diag(information), 1e-300)
    moving = np.ones(len(x), dtype=bool)
    step = np.zeros(len(x))
    for _ in range(len(x)):
        size = np.sqrt(diagonal[moving])
        scaled = information[np.ix_(moving, moving)] / np.outer(size, size)
        scaled += (damping + 1e-14) * np.eye(len(size))
        step = np.zeros(len(x))
        step[moving] = -np.linalg.lstsq(scaled, gradient[moving] / size, rcond=None)[0] / size
        held = moving & (((x <= problem.lower) & (step < 0)) | ((x >= problem.upper) & (step > 0)))
        if not held.any():
            break
        moving &= ~held
        if not moving.any():
            return np.zeros(len(x))
    excess = float(np.max(np.abs(step) / problem.longest, initial=1.0))
    return np.clip(x + step / excess, problem.lower, problem.upper) - x


def _promised_gain(step: Vector, gradient: Vector, information: Matrix) -> float:
    """By how much a step lowers a function with this gradient and second derivative."""
    return -float(gradient @ step + 0.5 * step @ information @ step)
