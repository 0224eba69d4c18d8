"""Fisher's scoring with Marquardt's damping, for likelihoods that are no sum of squares."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from galactions.inference.parameters import FreeParameters

Vector = NDArray[np.float64]

_MOST_DAMPING = 1e8
_MOST_STEPS = 1000


def fisher_scoring(
    value: Callable[[Vector], float],
    derivatives: Callable[[Vector], tuple[Vector, Vector]],
    free: FreeParameters,
    start: Vector,
    *,
    tolerance: float,
) -> tuple[Vector, bool]:
    """The values (n_free,) within the bounds that minimise `value` near `start`, and whether the search ended
    by its own criterion.

    derivatives: gradient (n_free,) and information (n_free, n_free) at values where `value` was finite. Steps
    solve (I + damping diag I) s = -gradient over the parameters that are not held by a bound, and are cut at
    the bounds (Marquardt 1963; Osborne 1992). A step that does not lower the value, or is not finite, raises
    the damping. Ends when a step is expected to gain less than `tolerance`. Deterministic.
    """
    x, damping = np.clip(start, free.lower, free.upper), 1e-3
    here = value(x)
    for _ in range(_MOST_STEPS):
        gradient, information = derivatives(x)
        while True:
            step = damped_step(x, gradient, information, damping, free)
            expected = promised_gain(step, gradient, information)
            if expected < tolerance:
                return x, damping < 1.0 or expected <= 0.0
            ahead = value(x + step)
            gain = (here - ahead) / expected if np.isfinite(ahead) else -np.inf
            if gain > 1e-3:
                x, here = np.clip(x + step, free.lower, free.upper), ahead
                damping *= 0.1 if gain > 0.75 else 1.0 if gain > 0.25 else 5.0
                damping = max(damping, 1e-12)
                break
            damping *= 10.0
            if damping > _MOST_DAMPING:
                return x, False
    return x, False


def damped_step(
    x: Vector, gradient: Vector, information: Vector, damping: float, free: FreeParameters
) -> Vector:
    """The damped step from x, cut at the bounds; parameters that it would drive through one stay on it."""
    diagonal = np.maximum(np.diag(information), 1e-300)
    moving = np.ones(len(x), dtype=bool)
    step = np.zeros(len(x))
    for _ in range(len(x)):
        size = np.sqrt(diagonal[moving])
        scaled = information[np.ix_(moving, moving)] / np.outer(size, size)
        scaled += (damping + 1e-14) * np.eye(len(size))
        step = np.zeros(len(x))
        step[moving] = -np.linalg.lstsq(scaled, gradient[moving] / size, rcond=None)[0] / size
        held = moving & (((x <= free.lower) & (step < 0)) | ((x >= free.upper) & (step > 0)))
        if not held.any():
            break
        moving &= ~held
        if not moving.any():
            return np.zeros(len(x))
    return np.clip(x + step, free.lower, free.upper) - x


def promised_gain(step: Vector, gradient: Vector, information: Vector) -> float:
    """By how much a step lowers a function of this gradient (n_free,) and second derivative (n_free, n_free)."""
    return -float(gradient @ step + 0.5 * step @ information @ step)
