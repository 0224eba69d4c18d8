"""An emulator learnt from values of the features alone, for targets whose derivatives cost many of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.emulator import Emulator
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.target import EmulableTarget

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LINEAR, CUBIC = (0.0, 0.1, 1.0), (0.0, 0.03, 0.1, 0.3, 1.0)
"""Variances of linear and cubic terms that are tried, relative to that of the quadratic ones."""

NOISE = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Variances of what the polynomial leaves over that are tried, in the same measure."""

MOST_MISSED = 5.0
"""Errors of the log density count up to this when the variances are chosen: beyond, all are as bad."""

FEWEST = 3
"""Points without which nothing can be learnt."""


@dataclass(frozen=True, eq=False)
class ValueEmulator(Emulator):
    """Features f(z) = value + slope z + sum_i weights_i k(z_i . z), k(s) = linear s + s^2/2 + cubic s^3/6.

    That is the mean of a Gaussian process (Rasmussen & Williams 2006, chapter 2) whose covariance k makes it a
    cubic polynomial around the mode: in 15 dimensions one has 800 coefficients for each feature, and far fewer
    values tell those that matter. value (m,), slope (m, n): at the mode; points (k, n); weights (k, m).
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
    trust = np.where(np.isfinite(truth), 1.0 / (1.0 + below**2), 0.0)
    noise_shape = 1.0 / np.maximum(trust, 1e-12)
    products = z @ z.T
    best: tuple[float, Matrix, float, float] | None = None
    for linear, cubic in product(LINEAR, CUBIC):
        covariance = _covariance(products, linear, cubic)
        for noise in NOISE:
            inverse = np.linalg.inv(covariance + noise * np.diag(noise_shape))
            weights = inverse @ rest
            left_out = weights / np.diag(inverse)[:, None]
            told = [target.log_density_of(f, at) for f, at in zip(seen - left_out, u, strict=True)]
            off = np.clip(np.where(trust > 0, told, 0.0) - np.where(trust > 0, truth, 0.0), *_LIMITS)
            missed = float(np.sqrt(np.sum(trust * off**2) / np.sum(trust)))
            if best is None or missed < best[0]:
                best = missed, weights, linear, cubic
    assert best is not None
    missed, weights, linear, cubic = best
    return ValueEmulator(target, start, mode.features, slope, z, weights, linear, cubic, missed)


_LIMITS = (-MOST_MISSED, MOST_MISSED)


def _covariance(s: NDArray[np.float64], linear: float, cubic: float) -> NDArray[np.float64]:
    return linear * s + 0.5 * s**2 + cubic / 6.0 * s**3
