"""The mode of a target, by damped scoring steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.journal import RecordedTarget

Vector = NDArray[np.float64]

GAIN = 1e-4
"""The search ends when a step promises less than this in the log density (errors of the mode: a hundredth of
a standard deviation)."""

SMALLEST_STEP = 1e-10


@dataclass(frozen=True, eq=False)
class Mode:
    """Where a target is largest. u (n,), log_density there, curvature (n, n), whether the search ended by its
    own criterion, and after how many steps."""

    u: Vector
    log_density: float
    curvature: Vector
    converged: bool
    steps: int


def find_mode(target: RecordedTarget, start: Vector, max_steps: int = 60) -> Mode:
    """Climbs from `start` (n,) by Levenberg-Marquardt steps (curvature + damping diag(curvature))^-1 gradient
    (Marquardt 1963); steps that do not climb, or lead to no model, are shortened by more damping.

    Raises ModelError when there is no model at `start`.
    """
    u = np.array(start, dtype=float)
    value, gradient = target.value_and_gradient(u)
    if not np.isfinite(value):
        raise ModelError("the posterior cannot begin: there is no model, or no derivatives, at its start")
    curvature = target.curvature(u)
    damping, steps = 1e-3, 0
    while steps < max_steps:
        diagonal = np.diag(curvature)
        scale = np.diag(np.where(diagonal > 0, diagonal, 1.0))
        step = np.linalg.solve(curvature + damping * scale, gradient)
        promised = 0.5 * float(gradient @ step)
        if promised < GAIN and damping <= 1e-2:
            return Mode(u, value, curvature, True, steps)
        steps += 1
        trial = target.log_density(u + step)
        if trial > value:
            u = u + step
            value, gradient = target.value_and_gradient(u)
            curvature = target.curvature(u)
            damping = max(damping / 10.0, 1e-9)
            if not np.isfinite(value):
                raise ModelError(
                    "the posterior cannot go on: no derivatives at a point where there is a model"
                )
        else:
            damping *= 10.0
            if promised < GAIN or np.max(np.abs(step)) < SMALLEST_STEP:
                return Mode(u, value, curvature, promised < GAIN, steps)
    return Mode(u, value, curvature, False, steps)
