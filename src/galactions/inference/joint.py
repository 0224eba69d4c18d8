"""Everything that a fit compares with data, as one objective: bins, outside constraints, and single stars.

A joint prediction is one vector y (n_bins + n_constraints + n_stars,): heights of all bins, what is predicted
for the constraints, and ln p(velocity | position) of each star.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.inference.constraints import Constraints
from galactions.inference.objective import Array, GaussianObjective, MultinomialObjective, Objective

if TYPE_CHECKING:
    from galactions.inference.problem import FitProblem


@dataclass(frozen=True, eq=False)
class JointObjective:
    """An `Objective` of joint predictions y: those of its parts added up.

    bins: of the heights, None where single stars take their place. n_bins: number of heights in y. terms:
    fitted bins or stars, by which `score` is divided.
    """

    bins: Objective | None
    n_bins: int
    constraints: Constraints
    n_stars: int
    terms: int

    @property
    def saturated(self) -> float:
        """Of bins and constraints; the stars' densities have no greatest value, and count from zero."""
        return self.bins.saturated if self.bins else 0.0

    def score(self, y: Array) -> Array:
        """2 (value - saturated) over the number of terms: chi2 per bin, or minus twice the mean ln p of the
        stars. chi2_tot of the paper, where that is fitted and there are no constraints."""
        return 2.0 * (self.value(y) - self.saturated) / self.terms

    def value(self, y: Array) -> Array:
        p, predicted, stars = self._parts(y)
        value = 0.5 * (self.constraints.residuals(predicted) ** 2).sum(-1) - stars.sum(-1)
        return value + self.bins.value(p) if self.bins else value

    def slope(self, y: Array) -> Array:
        xp = y.__array_namespace__()
        p, predicted, stars = self._parts(y)
        outside = self.constraints.residuals(predicted) / self.constraints.sigma
        by_bins = self.bins.slope(p) if self.bins else 0.0 * p
        return xp.concatenate([by_bins, outside, 0.0 * stars - 1.0], axis=-1)

    def curvature(self, y: Array) -> Array:
        """As of any objective; zero for the stars, in whose ln p the value is linear (see `information`)."""
        xp = y.__array_namespace__()
        p, predicted, stars = self._parts(y)
        outside = self.constraints.sigma**-2.0 + 0.0 * predicted
        return xp.concatenate([self.bins.curvature(p) if self.bins else 0.0 * p, outside, 0.0 * stars])

    def information(self, y: Array, slopes: Array) -> Array:
        """Expected second derivative; that of the stars is estimated by the sum of s s' over them, s being
        the slopes of a star's ln p (Berndt, Hall, Hall & Hausman 1974)."""
        by_bins, by_constraints, by_stars = (part.T for part in self._parts(slopes.T))
        scaled = by_constraints / self.constraints.sigma[:, None]
        found = scaled.T @ scaled + by_stars.T @ by_stars
        return found + self.bins.information(self._parts(y)[0], by_bins) if self.bins else found

    def constraint_information(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """The part of the constraints in `information`."""
        scaled = self._parts(slopes.T)[1].T / self.constraints.sigma[:, None]
        return np.asarray(scaled.T @ scaled)

    def _parts(self, y: Array) -> tuple[Array, Array, Array]:
        """Heights, constraints and stars of y (..., n)."""
        end = self.n_bins + len(self.constraints)
        return y[..., : self.n_bins], y[..., self.n_bins : end], y[..., end:]


def joint_objective(
    problem: "FitProblem", sigma: NDArray[np.float64], *, by_region: bool = True
) -> JointObjective:
    """The objective of a fit problem, with errors `sigma` (n_bins,) of the heights.

    For `objective = "chi2"` regions count as in the paper, whose chi2_tot is the mean over them of their
    reduced chi2: as a sum over bins it has errors that differ from sigma by the weight of the region. That
    is what a best fit minimises, but no likelihood; without `by_region` all fitted bins count alike.
    """
    layout, kind = problem.layout, problem.settings.objective
    bins: Objective | None
    if kind == "stars":
        bins, terms = None, problem.n_stars
    elif kind == "multinomial":
        bins, terms = MultinomialObjective(layout), layout.n_fitted
    else:
        share = np.where(layout.fitted, layout.weight, 1.0) * layout.n_fitted if by_region else 1.0
        bins, terms = GaussianObjective(layout, sigma / np.sqrt(share)), layout.n_fitted
    return JointObjective(bins, len(layout.data), problem.constraints, problem.n_stars, terms)
