"""An emulator learnt from values of the features alone, for targets whose derivatives cost many of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.emulator import Emulator
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.target import EmulableTarget

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LINEAR, CUBIC = (0.0, 0.1, 1.0, 10.0), (0.0, 0.03, 0.1, 0.3)
"""Variances of linear and cubic terms that are tried, relative to that of the quadratic ones."""

NOISE = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Variances of what the polynomial leaves over that are tried, in the same measure."""

MOST_MISSED = 5.0
"""Errors of the log density count up to this when the variances are chosen: beyond, all are as bad."""

STRETCH = 0.5
"""Power of the variance along each principal axis with which the terms along it are larger: 0 if features bend
as much over a standard deviation along any axis, 1 if they do over a step of the same length. Directions that
the data hardly hold are bent most; measured on the model of the paper, one half tells it best."""

FEWEST = 3
"""Points without which nothing can be learnt."""


@dataclass(frozen=True, eq=False)
class ValueEmulator(Emulator):
    """Features f(z) = value + slope z + sum_i weights_i k(z_i' G z), k(s) = linear s + s^2/2 + cubic s^3/6.

    That is the mean of a Gaussian process (Rasmussen & Williams 2006, chapter 2) whose covariance k makes it a
    cubic polynomial around the mode: in 15 dimensions one has 800 coefficients for each feature, and far fewer
    values tell those that matter. value (m,), slope (m, n): at the mode; points (k, n): z_i' G, for G see
    `STRETCH`; weights (k, m).
    missed: error of the log density at points that the emulator was not shown, root of the weighted mean square.
    """

    value: Vector
    slope: Matrix
    points: Matrix
    weights: Matrix
    linear: float
    cubic: float
    missed: float

    def features(self, z: Vector) -> Vector:
        return self.value + self.slope @ z + _covariance(self.points @ z, self.linear, self.cubic) @ self.weights

    def pulled_back(self, by_feature: Vector, z: Vector) -> Vector:
        s = self.points @ z
        by_s = (self.linear + s + 0.5 * self.cubic * s**2) * (self.weights @ by_feature)
        return by_feature @ self.slope + by_s @ self.points


def learnt_emulator(
    target: EmulableTarget, mode: Mode, start: Laplace, u: Matrix, features: Sequence[Vector | None]
) -> ValueEmulator:
    """The emulator from the features found at points `u` (k, n), None where there was no model, and from those
    and their derivatives at the mode.

    Points where the density is low count little: their errors may be larger in proportion. The variances of
    the terms are those with which each point's log density is best told by all others. Raises ModelError where
    too few points make a model.
    """
    kept = [i for i, found in enumerate(features) if found is not None]
    if len(kept) < FEWEST or mode.features is None or mode.slopes is None:
        raise ModelError(f"there is no emulator: {len(kept)} of {len(u)} points around the mode make a model")
    u = u[kept]
    z, seen = start.z(u), np.array([features[i] for i in kept])
    slope = mode.slopes @ start.factor
    rest = seen - mode.features - z @ slope.T
    truth = np.array([target.log_density_of(f, at) for f, at in zip(seen, u, strict=True)])
    below = np.maximum(start.log_density - truth, 0.0) / len(start.mean)
    trust = np.maximum(np.where(np.isfinite(truth), 1.0 / (1.0 + below**2), 0.0), 1e-12)
    points = z @ _measure(start)
    products = points @ z.T
    tried: dict[tuple[float, float, float], tuple[float, Matrix]] = {}

    def missed(linear: float, cubic: float, noise: float) -> float:
        """Error of the log density at each point by the emulator of all others, which needs no new one for
        each (Rasmussen & Williams, section 5.4.2)."""
        key = linear, cubic, noise
        if key not in tried:
            inverse = np.linalg.inv(_covariance(products, linear, cubic) + noise * np.diag(1.0 / trust))
            weights = inverse @ rest
            told = seen - weights / np.diag(inverse)[:, None]
            off = np.array([target.log_density_of(f, at) for f, at in zip(told, u, strict=True)]) - truth
            off = np.clip(np.nan_to_num(off, nan=MOST_MISSED), -MOST_MISSED, MOST_MISSED)
            tried[key] = float(np.sqrt(np.sum(trust * off**2) / np.sum(trust))), weights
        return tried[key][0]

    at = [LINEAR[0], CUBIC[1], NOISE[1]]
    for which, choices in ((2, NOISE), (1, CUBIC), (0, LINEAR), (2, NOISE)):
        at[which] = min(choices, key=lambda c, which=which: missed(*at[:which], c, *at[which + 1 :]))  # type: ignore[misc]
    linear, cubic, noise = at
    least, weights = tried[linear, cubic, noise]
    return ValueEmulator(target, start, mode.features, slope, points, weights, linear, cubic, least)


def _measure(start: Laplace) -> Matrix:
    """G (n, n), symmetric, of trace n."""
    values, vectors = np.linalg.eigh(start.covariance)
    root = (vectors * values ** (0.5 * (STRETCH - 1.0))).T @ start.factor
    found = root.T @ root
    return found * (len(values) / np.trace(found))


def _covariance(s: NDArray[np.float64], linear: float, cubic: float) -> NDArray[np.float64]:
    return linear * s + 0.5 * s**2 + cubic / 6.0 * s**3
