"""An emulator learnt from values of the features alone, for targets whose derivatives cost many of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.emulator import Emulator
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.target import EmulableTarget

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LINEAR, LOCAL = (0.1, 1.0, 10.0, 100.0), (0.0, 1.0, 5.0, 20.0)
"""Variances of linear and of local terms that are tried, relative to that of the quadratic ones."""

NOISE = (1e-3, 1e-2, 1e-1, 1.0)
"""Variances of what is left over that are tried, in the same measure."""

MOST_MISSED = 5.0
"""Errors of the log density count up to this when the variances are chosen: beyond, all are as bad."""

STRETCH = 0.5
"""Power of the variance along each principal axis with which terms along it are larger: 0 if features bend
as much over a standard deviation along any axis, 1 if they do over a step of the same length. Directions that
the data hardly hold are bent most; on the model of the paper one half did best."""

PROBABLE, BEYOND = 3.0, 1.3
"""How far an emulator reaches: the second number times the distance of the farthest point whose ln density is
within the first times the number of dimensions of that of the mode."""

FEWEST = 3
"""Points without which nothing can be learnt."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """k(z, z') = linear s + s^2/2 + local n exp(-q/(2 n)), with s = z' G z' and q the squared distance in the
    measure G (n, n), symmetric, of trace n."""

    measure: Matrix
    linear: float
    local: float

    def between(self, z: Matrix, others: Matrix) -> Matrix:
        """k of each of z (j, n) with each of `others` (k, n): (j, k)."""
        return self._of(z @ self.measure @ others.T, self.length(z)[:, None], self.length(others))

    def length(self, z: Matrix) -> Vector:
        """Squared distance (...,) of z (..., n) from zero."""
        return np.asarray(np.sum((z @ self.measure) * z, axis=-1))

    def at(self, z: Vector, points: Matrix, lengths: Vector) -> Vector:
        """k (..., k) of z (..., n) with points of which `points` (k, n) are the products with G, and
        `lengths`."""
        return self._of(z @ points.T, self.length(z)[..., None], lengths)

    def pulled_back(self, by_k: Vector, z: Vector, points: Matrix, lengths: Vector) -> Vector:
        """Derivatives by z (..., n) at z, from those by k (..., k) there."""
        s = z @ points.T
        near = by_k * self._local(s, self.length(z)[..., None], lengths) / len(self.measure)
        pulled = (by_k * (self.linear + s) + near) @ points
        return pulled - np.sum(near, axis=-1, keepdims=True) * (z @ self.measure)

    def _of(self, s: NDArray[np.float64], mine: Any, theirs: Vector) -> NDArray[np.float64]:
        return self.linear * s + 0.5 * s**2 + self._local(s, mine, theirs)

    def _local(self, s: NDArray[np.float64], mine: Any, theirs: Vector) -> NDArray[np.float64]:
        n = len(self.measure)
        return self.local * n * np.exp(-0.5 * np.maximum(mine + theirs - 2.0 * s, 0.0) / n)


@dataclass(frozen=True, eq=False)
class ValueEmulator(Emulator):
    """Features f(z) = value + slope z + sum_i weights_i k(z, z_i).

    That is the mean of a Gaussian process (Rasmussen & Williams 2006, chapter 2) whose covariance k makes it
    a parabola around the mode with local corrections: in 15 dimensions a parabola has 120 coefficients for
    each feature, and fewer values tell those that matter. value (m,), slope (m, n): at the mode; points (k,
    n): z_i' G, lengths (k,): z_i' G z_i; weights (k, m). missed: error of the log density at points that the
    emulator was not shown, root of the weighted mean square.

    Farther from the mode than `reach`, which is a little beyond where it was taught, a parabola can rise
    again, and draws would run off with it. There the features stay as they are at that distance, in the same
    direction, and the density falls like a unit normal one, whatever the prior does beside that.
    """

    kernel: Kernel
    value: Vector
    slope: Matrix
    points: Matrix
    lengths: Vector
    weights: Matrix
    missed: float
    reach: float

    def features(self, z: Vector) -> Vector:
        z = z * self._share(z)
        near = self.kernel.at(z, self.points, self.lengths) @ self.weights
        return self.value + z @ self.slope.T + near

    def pulled_back(self, by_feature: Vector, z: Vector) -> Vector:
        share = self._share(z)
        z = z * share
        by_k = by_feature @ self.weights.T
        pulled = by_feature @ self.slope + self.kernel.pulled_back(by_k, z, self.points, self.lengths)
        outwards = np.sum(pulled * z, axis=-1, keepdims=True) * z / self.reach**2
        return np.where(share < 1.0, share * (pulled - outwards), pulled)

    def value_and_gradient(self, z: Vector) -> tuple[Vector, Vector]:
        value, gradient = super().value_and_gradient(z)
        good = np.isfinite(value)
        beyond = np.where(good[..., None], (1.0 - self._share(z)) * z, 0.0)
        return value - 0.5 * np.sum(beyond**2, axis=-1), gradient - beyond

    def _share(self, z: Vector) -> Vector:
        """Of z (..., n), the share within reach (..., 1)."""
        length = np.linalg.norm(z, axis=-1, keepdims=True)
        return self.reach / np.maximum(length, self.reach)


def learnt_emulator(
    target: EmulableTarget, mode: Mode, start: Laplace, u: Matrix, features: Sequence[Vector | None]
) -> ValueEmulator:
    """The emulator from the features found at points `u` (k, n), None where there was no model, and from
    those and their derivatives at the mode.

    Points where the density is low count little: their errors may be larger in proportion. The variances of
    the terms are those with which each point's log density is best told by all others. Raises ModelError
    where too few points make a model.
    """
    kept = [i for i, found in enumerate(features) if found is not None]
    if len(kept) < FEWEST or mode.features is None or mode.slopes is None:
        raise ModelError(f"there is no emulator: {len(kept)} of {len(u)} points around the mode make a model")
    u = u[kept]
    z, seen = start.z(u), target.pooled(np.array([features[i] for i in kept]))
    value, slope = target.pooled(mode.features), target.pooled(mode.slopes.T).T @ start.factor
    rest = seen - value - z @ slope.T
    truth = np.asarray(target.log_density_of(seen, u))
    below = np.maximum(start.log_density - truth, 0.0) / len(start.mean)
    trust = np.maximum(np.where(np.isfinite(truth), 1.0 / (1.0 + below**2), 0.0), 1e-12)
    measure = _measure(start)
    tried: dict[tuple[float, float, float], tuple[float, Matrix]] = {}

    def missed(linear: float, local: float, noise: float) -> float:
        """Error of the log density at each point by the emulator of all others, which needs no new one for
        each (Rasmussen & Williams, section 5.4.2)."""
        key = linear, local, noise
        if key not in tried:
            covariance = Kernel(measure, linear, local).between(z, z)
            inverse = np.linalg.inv(covariance + noise * np.diag(1.0 / trust))
            weights = inverse @ rest
            told = seen - weights / np.diag(inverse)[:, None]
            off = np.asarray(target.log_density_of(told, u)) - truth
            off = np.clip(np.nan_to_num(off, nan=MOST_MISSED), -MOST_MISSED, MOST_MISSED)
            tried[key] = float(np.sqrt(np.sum(trust**2 * off**2) / np.sum(trust**2))), weights
        return tried[key][0]

    linear, local, noise = LINEAR[1], LOCAL[1], NOISE[2]
    for _ in range(2):  # one after the other: all combinations would take ten times as long
        linear = min(LINEAR, key=lambda choice: missed(choice, local, noise))
        noise = min(NOISE, key=lambda choice: missed(linear, local, choice))
        local = min(LOCAL, key=lambda choice: missed(linear, choice, noise))
    least, weights = tried[linear, local, noise]
    kernel = Kernel(measure, linear, local)
    probable = np.linalg.norm(z[below < PROBABLE], axis=1)
    reach = max(BEYOND * np.max(probable, initial=0.0), np.sqrt(z.shape[1]) + 3.0)
    return ValueEmulator(
        target, start, kernel, value, slope, z @ measure, kernel.length(z), weights, least, float(reach)
    )


def _measure(start: Laplace) -> Matrix:
    """G (n, n), symmetric, of trace n."""
    values, vectors = np.linalg.eigh(start.covariance)
    root = (vectors * values ** (0.5 * (STRETCH - 1.0))).T @ start.factor
    found = root.T @ root
    return found * (len(values) / np.trace(found))
