"""What is minimised: minus the logarithm of the likelihood of a survey's bins, given predicted heights.

Two of them: normal errors of given size (eq. 5, summed over all fitted bins), and the multinomial likelihood
of the star counts themselves, given how many stars each region has. Both count the observables of a region
as independent, and neither ever sees a region that is held out. Heights may be numpy or JAX arrays, also
those that JAX traces: results are of the same kind.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from galactions.inference.bins import BinLayout

Array = Any
"""A numpy or a JAX array."""

FLOOR = 1e-3
"""Expected stars below which ln(expected) is continued by its Taylor polynomial: a bin that the nodes of a
prediction happen to miss makes a model bad, not impossible, and slopes stay finite."""


@runtime_checkable
class Objective(Protocol):
    """A function of the predicted heights p (n_bins,) of all bins of a `BinLayout`, in its order.

    value: minus ln likelihood. slope: its derivative by each height (n_bins,). Both take many predictions
    (..., n_bins) at once. curvature: a positive diagonal that stands for its second derivative (n_bins,),
    zero where a bin does not count. information: the whole expected second derivative by the parameters,
    (n_free, n_free), from dp/dparameter (n_bins, n_free).
    saturated: the value for a model that predicts the data themselves.
    """

    @property
    def saturated(self) -> float: ...

    def value(self, p: Array) -> Array: ...

    def slope(self, p: Array) -> Array: ...

    def curvature(self, p: Array) -> Array: ...

    def information(self, p: Array, slopes: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class GaussianObjective:
    """Half of eq. (5) summed over the fitted bins: minus ln of normal likelihoods, constants left out.

    sigma (n_bins,): errors, held fixed. Every bin counts alike; the mean over regions of their reduced chi2,
    which the paper minimises, weighs regions with few bins more and is no likelihood.
    """

    layout: BinLayout
    sigma: NDArray[np.float64]

    @property
    def saturated(self) -> float:
        return 0.0

    @cached_property
    def _weight(self) -> NDArray[np.float64]:
        return np.where(self.layout.fitted, self.sigma, np.inf) ** -2.0

    def _offset(self, p: Array) -> Array:
        return p - np.where(self.layout.fitted, self.layout.data, 0.0)

    def value(self, p: Array) -> Array:
        return 0.5 * (self._weight * self._offset(p) ** 2).sum(-1)

    def slope(self, p: Array) -> Array:
        return self._weight * self._offset(p)

    def curvature(self, p: Array) -> Array:
        return self._weight + 0.0 * p

    def information(self, p: Array, slopes: Array) -> Array:
        return slopes.T @ (self._weight[:, None] * slopes)


@dataclass(frozen=True, eq=False)
class MultinomialObjective:
    """Minus ln of the multinomial likelihood of the counts N p_n of each histogram, given the region's N
    stars; those outside all bins are one more cell, with the probability that the bins leave over.

    Thin and empty bins count as they should, so all bins of the fitted regions take part, whatever their
    errors. Heights p_n that were smeared by the stars' errors make counts that are no whole numbers: the
    value then is the likelihood's continuation, but it scatters less than it says (`method = "counts"` of
    the survey keeps the counts themselves).
    """

    layout: BinLayout

    @cached_property
    def _taken(self) -> NDArray[np.bool_]:
        layout = self.layout
        return np.isin(layout.region, list(layout.fitted_regions)) & np.isfinite(layout.data)

    @cached_property
    def _counts(self) -> NDArray[np.float64]:
        return self.layout.n_stars * np.where(self._taken, self.layout.data, 0.0)

    @cached_property
    def _member(self) -> NDArray[np.float64]:
        """(n_blocks, n_bins): one where a bin belongs to a fitted block."""
        blocks = [block for block in self.layout.blocks if block.region in self.layout.fitted_regions]
        member = np.zeros((len(blocks), len(self._taken)))
        for row, block in zip(member, blocks, strict=True):
            row[block.start : block.stop] = self._taken[block.start : block.stop]
        return member

    @cached_property
    def _stars(self) -> NDArray[np.float64]:
        """Stars (n_blocks,) of each fitted block."""
        return (self._member * self.layout.n_stars).max(axis=1)

    @cached_property
    def _outside(self) -> NDArray[np.float64]:
        """Stars (n_blocks,) outside all bins."""
        return np.clip(self._stars - self._member @ self._counts, 0.0, None)

    @cached_property
    def _cells(self) -> NDArray[np.float64]:
        """Stars in each of the taken bins, then in each outside cell."""
        return np.concatenate([self._counts[self._taken], self._outside])

    @cached_property
    def _constant(self) -> float:
        """Minus ln of the multinomial coefficients."""
        from scipy.special import gammaln

        return float(np.sum(gammaln(self._cells + 1.0)) - np.sum(gammaln(self._stars + 1.0)))

    @cached_property
    def saturated(self) -> float:
        counted = self._cells[self._cells > 0]
        per_star = np.concatenate([self.layout.n_stars[self._taken], self._stars])[self._cells > 0]
        return float(self._constant - np.sum(counted * np.log(counted / per_star)))

    def _left_over(self, p: Array) -> Array:
        """Expected stars (..., n_blocks) outside all bins."""
        return self._stars * (1.0 - p @ self._member.T)

    def value(self, p: Array) -> Array:
        expected, outside = self.layout.n_stars * p, self._left_over(p)
        each = self._counts * _log(expected) - self._counts * np.log(self.layout.n_stars)
        rest = self._outside * _log(outside) - self._outside * np.log(self._stars)
        return self._constant - each.sum(-1) - rest.sum(-1)

    def slope(self, p: Array) -> Array:
        n = self.layout.n_stars
        rest = self._stars * self._outside * _log_slope(self._left_over(p))
        return rest @ self._member - n * self._counts * _log_slope(n * p)

    def curvature(self, p: Array) -> Array:
        """N/p_n: the expected second derivative without the outside cells, which tie the bins of a histogram
        together (see `information`)."""
        xp = p.__array_namespace__()
        expected = xp.where(self._taken, xp.maximum(self.layout.n_stars * p, FLOOR), 1.0)
        return xp.where(self._taken, self.layout.n_stars**2 / expected, 0.0)

    def information(self, p: Array, slopes: Array) -> Array:
        xp = p.__array_namespace__()
        outside = self._stars**2 / xp.maximum(self._left_over(p), FLOOR)
        shared = self._member @ slopes
        inside = slopes.T @ (self.curvature(p)[:, None] * slopes)
        return inside + shared.T @ (outside[:, None] * shared)


def _log(m: Array) -> Array:
    """ln m, below `FLOOR` its Taylor polynomial of second order there."""
    xp = m.__array_namespace__()
    x = m / FLOOR - 1.0
    return xp.where(x > 0, xp.log(xp.maximum(m, FLOOR)), np.log(FLOOR) + x - 0.5 * x**2)


def _log_slope(m: Array) -> Array:
    xp = m.__array_namespace__()
    return xp.where(m > FLOOR, 1.0 / xp.maximum(m, FLOOR), (2.0 - m / FLOOR) / FLOOR)
