"""What samplers see: a log density over unbounded coordinates, of a fit problem or of anything else."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from galactions.inference.joint import JointObjective
from galactions.inference.objective import MultinomialObjective, Objective
from galactions.inference.posterior.coordinates import Coordinates
from galactions.inference.predictor import ReversiblePredictor
from galactions.inference.problem import FitProblem, all_slopes, predict_all, predict_pulled
from galactions.inference.slopes import Slopes

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ANSCOMBE = 0.375
"""Stars added to each bin before the root is taken (Anscombe 1948, Biometrika 35, 246): the scatter of the
root is then the same in every bin, and its dependence on the parameters nearly straight."""


STEP = 1e-4
"""Step in u over which the slope of the prior is differenced: the curvature only shapes proposals."""


@runtime_checkable
class Target(Protocol):
    """A log density over unbounded coordinates u (n,), up to a constant.

    names: of the n parameters. log_density: -inf where there is no model. value_and_gradient: the same with
    its derivative (n,), zeros where the value is -inf. curvature: a positive definite matrix (n, n) that
    stands for minus its second derivative (Gauss-Newton; expected information, and what the coordinates
    bend). to_values: the parameters themselves (n,). `log_density` may raise nothing but mistakes in a
    program.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    def log_density(self, u: Vector) -> float: ...

    def value_and_gradient(self, u: Vector) -> tuple[float, Vector]: ...

    def curvature(self, u: Vector) -> Matrix: ...

    def to_values(self, u: Vector) -> Vector: ...


@runtime_checkable
class EmulableTarget(Target, Protocol):
    """A target that is a cheap function of expensive features (m,), so that the features can be emulated.

    features, feature_slopes: at u, (m,) and their derivatives (m, n); None where there is no model.
    log_density_of: the target (...,) from given features (..., m) at u (..., n), without the model;
    log_density_and_gradients_of: that, and its derivatives by the features (..., m) and by u with the
    features held (..., n); curvature_of: as `curvature`, from features and their derivatives.
    pooled: features (..., m) with those added up of which the density needs the sum alone (..., k); the first
    two functions take these as well.
    differentiable: whether feature_slopes costs much less than n features.
    """

    @property
    def differentiable(self) -> bool: ...

    def features(self, u: Vector) -> Vector | None: ...

    def feature_slopes(self, u: Vector) -> Matrix | None: ...

    def log_density_of(self, features: Vector, u: Vector) -> Any: ...

    def log_density_and_gradients_of(self, features: Vector, u: Vector) -> tuple[Any, Vector, Vector]: ...

    def curvature_of(self, features: Vector, feature_slopes: Matrix, u: Vector) -> Matrix: ...

    def pooled(self, features: Vector) -> Vector: ...


@dataclass(eq=False)
class ProblemTarget:
    """The posterior of a fit problem: likelihood (`objective` of joint predictions y), times the prior of its
    free parameters, in `Coordinates`.

    Features are sqrt(p_n + 3/(8 N)) of the predicted heights, then predictions for constraints and single
    stars as they are. The last predictions and derivatives are kept, so that value, gradient and curvature at
    one point cost one of each.
    """

    problem: FitProblem
    objective: Objective
    _predicted: tuple[bytes, Vector | None, str] | None = field(default=None, repr=False)
    _slopes: tuple[bytes, Matrix | None, str] | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return self.problem.free.names

    @cached_property
    def coordinates(self) -> Coordinates:
        return Coordinates(self.problem.free, self.problem.parameters)

    def to_values(self, u: Vector) -> Vector:
        return self.coordinates.values(u)

    def from_values(self, values: Vector) -> Vector:
        """The inverse of `to_values`."""
        return self.coordinates.of(values)

    @property
    def note(self) -> str:
        """Why there was no model at the last point; empty where there was."""
        told = [kept[2] for kept in (self._predicted, self._slopes) if kept is not None]
        return next((text for text in told if text), "")

    def predicted(self, u: Vector) -> Vector | None:
        """The joint prediction (m,) at u; None where there is no model."""
        if self._predicted is None or self._predicted[0] != u.tobytes():
            outcome = predict_all(self.problem, self.to_values(u))
            self._predicted = u.tobytes(), outcome.array, outcome.reason
        return self._predicted[1]

    def slopes(self, u: Vector) -> Matrix | None:
        """dy/du (m, n) at u; None where there are none."""
        if self._slopes is None or self._slopes[0] != u.tobytes():
            outcome = all_slopes(self.problem, self.to_values(u), self.predicted(u))
            by_u = None
            if outcome.array is not None:
                by_u = outcome.array @ self.coordinates.slopes(u)
            self._slopes = u.tobytes(), by_u, outcome.reason
        return self._slopes[1]

    def log_density(self, u: Vector) -> float:
        before = float(self._prior(u))
        if not math.isfinite(before):
            return -math.inf
        p = self.predicted(u)
        return -math.inf if p is None else _finite(before - float(self.objective.value(p)))

    def value_and_gradient(self, u: Vector) -> tuple[float, Vector]:
        """By the way back of a predictor that has one, else by the derivatives of all that it predicts."""
        if isinstance(self.problem.predictor, ReversiblePredictor):
            return self._pulled(u)
        value = self.log_density(u)
        p, slopes = (self.predicted(u), self.slopes(u)) if math.isfinite(value) else (None, None)
        if p is None or slopes is None:
            return -math.inf, np.zeros(len(u))
        return value, self._prior_slope(u) - np.asarray(self.objective.slope(p)) @ slopes

    def _pulled(self, u: Vector) -> tuple[float, Vector]:
        nowhere = -math.inf, np.zeros(len(u))
        before = float(self._prior(u))
        if not math.isfinite(before):
            return nowhere
        outcome = predict_pulled(self.problem, self.to_values(u))
        self._predicted = u.tobytes(), outcome.array, outcome.reason
        if outcome.array is None:
            return nowhere
        value = _finite(before - float(self.objective.value(outcome.array)))
        by_values = outcome.pull(np.asarray(self.objective.slope(outcome.array), float))
        by_u = by_values @ self.coordinates.slopes(u)
        return value, self._prior_slope(u) - by_u

    def curvature(self, u: Vector) -> Matrix:
        p, slopes = self.predicted(u), self.slopes(u)
        if p is None or slopes is None:
            return self._prior_curvature(u)
        return self._curvature(p, slopes, u)

    def _curvature(self, p: Vector, slopes: Matrix, u: Vector) -> Matrix:
        by_u = np.asarray(self.objective.slope(p)) @ slopes
        found = np.asarray(self.objective.information(p, slopes)) + self.coordinates.bend(u, by_u)
        found += self._prior_curvature(u)
        return 0.5 * (found + found.T)

    @property
    def differentiable(self) -> bool:
        return self.problem.has_derivatives and not getattr(self.problem.predictor, "costly", False)

    def features(self, u: Vector) -> Vector | None:
        y = self.predicted(u) if math.isfinite(self._prior(u)) else None
        return None if y is None else self.features_of(y)

    def features_of(self, y: Vector) -> Vector:
        """Features (m,) of a joint prediction (m,)."""
        return np.concatenate([np.sqrt(np.maximum(y[: self._bins] + self._offset, 0.0)), y[self._bins :]])

    def feature_slopes(self, u: Vector) -> Matrix | None:
        slopes, features = self.slopes(u), self.features(u)
        if slopes is None or features is None:
            return None
        return slopes / self._stretch(features)

    def feature_slopes_of(self, slopes: Slopes) -> Matrix:
        """feature_slopes where derivatives `slopes` of the joint prediction by parameters were evaluated."""
        by_u = slopes.array @ self.coordinates.slopes(self.from_values(slopes.values))
        return by_u / self._stretch(self.features_of(slopes.prediction))

    def _stretch(self, features: Vector) -> Matrix:
        """Derivative of each prediction by its feature, (m, 1)."""
        return np.concatenate([2.0 * features[: self._bins], np.ones(len(features) - self._bins)])[:, None]

    def log_density_of(self, features: Vector, u: Vector) -> Vector:
        found = self._prior(u) - np.asarray(self.objective.value(self.prediction_of(features)))
        return np.where(np.isfinite(found), found, -math.inf)

    def log_density_and_gradients_of(self, features: Vector, u: Vector) -> tuple[Vector, Vector, Vector]:
        before, by_u = self.coordinates.log_prior(u)
        value, slope = self._told(self.prediction_of(features))
        found, by_feature = before - np.asarray(value), -np.asarray(slope)
        by_feature[..., : self._bins] *= 2.0 * features[..., : self._bins]
        return np.where(np.isfinite(found), found, -math.inf), by_feature, by_u

    def curvature_of(self, features: Vector, feature_slopes: Matrix, u: Vector) -> Matrix:
        return self._curvature(self.prediction_of(features), feature_slopes * self._stretch(features), u)

    def pooled(self, features: Vector) -> Vector:
        """The features, with ln p of all single stars as one number (`JointObjective` adds them up)."""
        first = features.shape[-1] - self.problem.n_stars
        if first == features.shape[-1]:
            return features
        return np.concatenate([features[..., :first], features[..., first:].sum(-1, keepdims=True)], axis=-1)

    def prediction_of(self, features: Vector) -> Vector:
        """The joint prediction (..., m) that has these features."""
        heights = features[..., : self._bins] ** 2 - self._offset
        return np.concatenate([heights, features[..., self._bins :]], axis=-1)

    @cached_property
    def _told(self) -> Callable[[Vector], tuple[Any, Any]]:
        """Value and slope of the objective, as one compiled program: emulators ask for them at many points.
        The target's own, so that it goes when the target does."""
        import jax

        return jax.jit(partial(_value_and_slope, self.objective))

    def __getstate__(self) -> dict[str, Any]:
        """All but the compiled program, which another process compiles for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "_told"}

    @property
    def _bins(self) -> int:
        return len(self.problem.layout.data)

    @property
    def _offset(self) -> Vector:
        return ANSCOMBE / self.problem.layout.n_stars

    def _prior(self, u: Vector) -> Vector:
        return self.coordinates.log_prior(u)[0]

    def _prior_slope(self, u: Vector) -> Vector:
        return self.coordinates.log_prior(u)[1]

    def _prior_curvature(self, u: Vector) -> Matrix:
        return self.coordinates.prior_curvature(u, STEP)


def problem_target(problem: FitProblem) -> ProblemTarget:
    """The posterior of a problem: multinomial likelihood of the counts in its fitted bins, or that of single
    stars where the fit is to these (`objective = "stars"`); the constraints; the priors.

    chi2 of eq. (5) is no likelihood (its errors are those of the observed counts, and regions are averaged),
    so that a fit by it has the multinomial posterior too.
    """
    bins = None if problem.settings.objective == "stars" else MultinomialObjective(problem.layout)
    terms = problem.n_stars if bins is None else problem.layout.n_fitted
    return ProblemTarget(
        problem, JointObjective(bins, len(problem.layout.data), problem.constraints, problem.n_stars, terms)
    )


def _value_and_slope(objective: Objective, y: Any) -> tuple[Any, Any]:
    return objective.value(y), objective.slope(y)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
