"""The mode of a target, by damped scoring steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.target import EmulableTarget
from galactions.inference.scoring import Scored, fisher_scoring

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

GAIN = 1e-4
"""The search ends when a step promises less than this in the log density (errors of the mode: a hundredth of
a standard deviation)."""

ROUGH_GAIN = 5e-3
"""The same where derivatives cost many values: a tenth of a standard deviation. Exactness does not hang on
the mode, from which samplers only begin."""

LONGEST_STEP = 1.0
"""Largest change of a coordinate in one step of a target with features: of parameters that are positive, by a
factor e."""

SMALLEST_STEP = 1e-10


@dataclass(frozen=True, eq=False)
class Mode:
    """Where a target is largest. u (n,), log_density there, curvature (n, n), whether the search ended by its
    own criterion, and after how many steps. features (m,), slopes (m, n): of a target that has them, the
    latter perhaps corrected from derivatives nearby (`fisher_scoring`)."""

    u: Vector
    log_density: float
    curvature: Vector
    converged: bool
    steps: int
    features: Vector | None = None
    slopes: Matrix | None = None


def find_mode(
    target: RecordedTarget, start: Vector, max_steps: int = 60, known: Matrix | None = None
) -> Mode:
    """Climbs from `start` (n,) to the mode.

    A target with features is climbed by `fisher_scoring`, with as few of their derivatives as will do (known:
    such that were evaluated near to the mode); any other by steps with its own gradient and curvature.

    Raises ModelError when there is no model at `start`, or no derivatives on the way.
    """
    if isinstance(target.target, EmulableTarget):
        return _by_features(target, target.target, np.array(start, dtype=float), max_steps, known)
    return _by_gradients(target, start, max_steps)


def _by_features(
    at: RecordedTarget, target: EmulableTarget, start: Vector, max_steps: int, known: Matrix | None
) -> Mode:
    def slopes(u: Vector) -> Matrix:
        found = at.feature_slopes(u)
        if found is None:
            raise ModelError("the posterior cannot go on: no derivatives at a point where there is a model")
        return found

    def derivatives(features: Vector, by_u: Matrix, u: Vector) -> tuple[Vector, Matrix]:
        _, by_feature, directly = target.log_density_and_gradients_of(features, u)
        return -(by_feature @ by_u + directly), target.curvature_of(features, by_u, u)

    if at.features(start) is None or (known is None and at.feature_slopes(start) is None):
        raise ModelError("the posterior cannot begin: there is no model, or no derivatives, at its start")
    free = np.full(len(start), np.inf)
    scored = Scored(
        at.features,
        slopes,
        lambda f, u: -target.log_density_of(f, u),
        derivatives,
        -free,
        free,
        LONGEST_STEP + 0.0 * start,
        0.5,
    )
    end = fisher_scoring(
        scored,
        start,
        tolerance=GAIN if target.differentiable else ROUGH_GAIN,
        known=known,
        most_steps=max_steps,
    )
    curvature = target.curvature_of(end.y, end.slopes, end.x)
    value = target.log_density_of(end.y, end.x)
    return Mode(end.x, value, curvature, end.converged, end.steps, end.y, end.slopes)


def _by_gradients(target: RecordedTarget, start: Vector, max_steps: int) -> Mode:
    """Levenberg-Marquardt steps (curvature + damping diag(curvature))^-1 gradient
    (Marquardt 1963); steps that do not climb, or lead to no model, are shortened by more damping."""
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
