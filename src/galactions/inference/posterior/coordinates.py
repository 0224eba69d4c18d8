"""The change of volume between a fit's values and the unbounded coordinates that samplers move in."""

import numpy as np
from numpy.typing import NDArray

from galactions.inference.parameters import FreeParameters

Vector = NDArray[np.float64]


def value_slopes(free: FreeParameters, u: Vector) -> Vector:
    """dx/du (n_free,) of `free.from_unbounded`: positive, and without overflow or cancellation at the
    bounds."""
    return np.exp(log_volume(free, u)[0])


def log_volume(free: FreeParameters, u: Vector) -> tuple[Vector, Vector, Vector]:
    """ln dx/du, its derivative and minus its second derivative by u, each (n_free,).

    Two bounds: ln(width s (1 - s)) with s = 1/(1 + exp(-u)); a lower bound alone: u; an upper bound alone:
    -u; none: constant.
    """
    has_lower, has_upper = np.isfinite(free.lower), np.isfinite(free.upper)
    both = has_lower & has_upper
    width = np.where(both, free.upper - free.lower, 1.0)
    u = np.clip(u, -700.0, 700.0)
    inside = np.log(width) - np.logaddexp(0.0, u) - np.logaddexp(0.0, -u)
    one_sided = np.where(has_lower, u, np.where(has_upper, -u, np.log(free.scale)))
    value = np.where(both, inside, one_sided)
    slope = np.where(both, -np.tanh(0.5 * u), np.where(has_lower, 1.0, np.where(has_upper, -1.0, 0.0)))
    curvature = np.where(both, 0.5 / np.cosh(0.5 * u) ** 2, 0.0)
    return value, slope, curvature
