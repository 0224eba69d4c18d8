"""The errors that a fit implies."""

import numpy as np
from numpy.typing import NDArray

from galactions.inference.bins import BinLayout

Vector = NDArray[np.float64]


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
