"""Bounded least squares on the residuals, with as few derivatives as will do, and the errors it implies."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from galactions.inference.bins import BinLayout
from galactions.inference.parameters import FreeParameters
from galactions.inference.scoring import damped_step, promised_gain
from galactions.inference.slopes import corrected

Vector = NDArray[np.float64]

NEAR = 100.0
"""Derivatives are as good as those of the optimum where a step from there promised to lower the sum of squares
by at most so many tolerances: with the default tolerance of a fit, where the optimum is one standard error
away."""

POOR = 0.25
"""A step that gains less than this part of what it promised tells that the derivatives have aged."""

_MOST_DAMPING = 1e8
_MOST_STEPS = 1000


def least_squares(
    residuals: Callable[[Vector], Vector],
    jacobian: Callable[[Vector], Vector],
    free: FreeParameters,
    start: Vector,
    *,
    tolerance: float,
    known: Vector | None = None,
    near: bool = False,
) -> tuple[Vector, bool]:
    """The values (n_free,) within the bounds that minimise the sum of squared residuals, from `start` on,
    and whether the search ended by its own criterion.

    residuals: values to (n_fitted,); jacobian: values to (n_fitted, n_free), asked for only where residuals
    were finite. Residuals that are not finite reject the step. Ends when a step promises to lower the sum of
    squares by less than `tolerance`. Deterministic.

    The steps are those of Levenberg and Marquardt (see `fisher_scoring`). Derivatives, which may cost many
    times as much as residuals, are evaluated at the start; then they are corrected after each step by what the
    residuals did (`corrected`; Broyden 1965; in MINPACK: More, Garbow & Hillstrom 1980), and evaluated anew
    only where two steps in a row were poor (`POOR`), and before the end, unless they were evaluated near to
    it (`NEAR`). known: derivatives to begin with instead of those at the start; near: that these were
    evaluated near to the optimum.
    """
    x = np.clip(start, free.lower, free.upper)
    here = residuals(x)
    slopes, fresh = (jacobian(x), True) if known is None else (known, False)
    near = near and known is not None
    damping, poor = 1e-3, 0
    for _ in range(_MOST_STEPS):
        gradient, information = slopes.T @ here, slopes.T @ slopes
        if fresh:
            whole = damped_step(x, gradient, information, 0.0, free)
            near = 2.0 * promised_gain(whole, gradient, information) < NEAR * tolerance
        step = damped_step(x, gradient, information, damping, free)
        promised = 2.0 * promised_gain(step, gradient, information)
        if promised < tolerance and (fresh or (near and damping < 1.0)):
            return x, damping < 1.0 or promised <= 0.0
        if promised < tolerance or (poor > 1 and not fresh):
            slopes, fresh, poor, damping = jacobian(x), True, 0, min(damping, 1e-3)
            continue
        ahead = residuals(x + step)
        gain = float(here @ here - ahead @ ahead) / promised if np.all(np.isfinite(ahead)) else -np.inf
        poor = 0 if gain > POOR else poor + 1
        if gain > 1e-3 or not fresh:
            slopes = corrected(slopes, step, ahead - here, information)
        if gain > 1e-3:
            x, here, fresh = np.clip(x + step, free.lower, free.upper), ahead, False
            damping = max(damping * (0.1 if gain > 0.75 else 1.0 if gain > POOR else 5.0), 1e-12)
        else:
            damping *= 10.0
            if damping > _MOST_DAMPING:
                return x, False
    return x, False


def covariance(
    layout: BinLayout, p: Vector, slopes: Vector, sigma: Vector, outside: Vector | None = None
) -> Vector | None:
    """Covariance (n_free, n_free) of the fitted parameters at the optimum; None where the data leave one
    free.

    p, sigma: (n_bins,) heights and errors at the optimum, slopes: (n_bins, n_free) dp/dparameter. outside:
    information (n_free, n_free) of outside constraints that were fitted together with the bins.

    The scatter of the estimate sum_n w_n (p_n - data_n)/sigma_n^2 dp_n = 0 (White 1982, the "sandwich"):
    A^-1 B A^-1 with A = J' W J, B = J' W S W J. S is the multinomial covariance (diag(p) - p p')/N of each
    histogram: a star in one bin is in no other, so errors from A^-1 alone, with independent bins of
    variance p(1-p)/N, come out wrong by up to 1/sqrt(1 - p). The observables of a region count as
    independent, because its histograms do not say how they are correlated. Only the data's scatter is in
    it: where chi2 per degree of freedom is far above 1, the model itself is wrong by more than these
    errors.
    """
    gain = (layout.weight / sigma**2)[:, None] * slopes
    gain[~layout.fitted] = 0.0
    curvature = gain.T @ slopes
    scatter = np.zeros_like(curvature)
    for block in layout.blocks:
        here = slice(block.start, block.stop)
        expected, rows = p[here], gain[here]
        mean = expected @ rows
        scatter += (rows.T @ (expected[:, None] * rows) - np.outer(mean, mean)) / layout.n_stars[block.start]
    if outside is not None:
        curvature += outside / layout.n_fitted
        scatter += outside / layout.n_fitted**2
    inverse = inverted(curvature)
    if inverse is None:
        return None
    result = inverse @ scatter @ inverse
    return 0.5 * (result + result.T)


def inverted(curvature: Vector) -> Vector | None:
    """The inverse of a positive matrix; None where it is singular or next to it."""
    size = np.sqrt(np.diag(curvature))
    if not np.all(np.isfinite(size)) or np.any(size == 0):
        return None
    scaled = curvature / np.outer(size, size)
    if np.linalg.cond(scaled) > 1e12:
        return None
    inverse = np.linalg.inv(scaled) / np.outer(size, size)
    return np.asarray(0.5 * (inverse + inverse.T))
