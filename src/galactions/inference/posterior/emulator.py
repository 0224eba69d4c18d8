"""A local emulator of a target: its features expanded to second order, everything else as it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.target import EmulableTarget

Vector = NDArray[np.float64]

REACH = 1.0
"""Distance from the mode, in standard deviations of the Laplace approximation, at which the change of the
derivatives is taken: a secant over where the draws are, not a derivative at one point."""


@dataclass(frozen=True, eq=False)
class Emulator(ABC):
    """Emulated features (..., m), pooled, of coordinates z (..., n), in which the Laplace approximation
    `start` is a unit normal; the log density is the target's own function of them.

    Many points at once cost much less than one after the other. Never changed once it is made: chains that
    use it for their proposals need that.
    """

    target: EmulableTarget
    start: Laplace

    @abstractmethod
    def features(self, z: Vector) -> Vector: ...

    @abstractmethod
    def pulled_back(self, by_feature: Vector, z: Vector) -> Vector:
        """Derivatives by z (..., n) at z, from those by the features (..., m)."""

    def log_density(self, z: Vector) -> Vector:
        return self.value_and_gradient(z)[0]

    def value_and_gradient(self, z: Vector) -> tuple[Vector, Vector]:
        """Log density (...,), -inf where it is not finite, and its derivative by z (..., n), zero there."""
        u = self.start.u(z)
        with np.errstate(over="ignore", invalid="ignore"):  # far away, where a trajectory has run off to
            features = self.features(z)
            value, by_feature, by_u = self.target.log_density_and_gradients_of(features, u)
            gradient = self.pulled_back(by_feature, z) + by_u @ self.start.factor
        good = np.isfinite(value) & np.all(np.isfinite(gradient), axis=-1)
        return np.where(good, value, -np.inf), np.where(good[..., None], gradient, 0.0)


@dataclass(frozen=True, eq=False)
class QuadraticEmulator(Emulator):
    """Features f(z) = value + slope z + z' bend z / 2.

    value (m,), slope (m, n), bend (m, n, n), symmetric in the last two.
    """

    value: Vector
    slope: Vector
    bend: Vector

    def features(self, z: Vector) -> Vector:
        squares = (z[..., :, None] * z[..., None, :]).reshape(*z.shape[:-1], -1)
        return self.value + z @ self.slope.T + 0.5 * squares @ self._flat.T

    def pulled_back(self, by_feature: Vector, z: Vector) -> Vector:
        bend = (by_feature @ self._flat).reshape(*z.shape, z.shape[-1])
        return by_feature @ self.slope + np.einsum("...ij,...j->...i", bend, z)

    @property
    def _flat(self) -> Vector:
        return self.bend.reshape(len(self.value), -1)


def emulator(
    target: RecordedTarget, start: Laplace, after_point: Callable[[int, int], None] | None = None
) -> QuadraticEmulator:
    """The emulator from derivatives at the mode and at two points along each axis of the Laplace
    approximation: 2 n + 1 evaluations of derivatives. Where one of a pair makes no model, the other has to
    do.

    Raises ModelError where there are no derivatives at the mode, or at neither point of a pair.
    """
    n = len(start.mean)
    value, slopes = target.features(start.mean), target.feature_slopes(start.mean)
    if value is None or slopes is None:
        raise ModelError("there is no emulator: no derivatives at the mode")
    pooled = target.emulable.pooled
    value, middle = pooled(value), pooled(slopes.T).T @ start.factor
    bend = np.zeros((len(value), n, n))
    for i in range(n):
        ends = []
        for sign in (1.0, -1.0):
            z = np.zeros(n)
            z[i] = sign * REACH
            found = target.feature_slopes(start.u(z))
            if found is not None:
                ends.append(sign * (pooled(found.T).T @ start.factor - middle) / REACH)
        if not ends:
            raise ModelError(f"there is no emulator: no derivatives on either side of the mode, axis {i + 1}")
        bend[:, i, :] = np.mean(ends, axis=0)
        if after_point is not None:
            after_point(i + 1, n)
    return QuadraticEmulator(target.emulable, start, value, middle, 0.5 * (bend + np.swapaxes(bend, 1, 2)))
