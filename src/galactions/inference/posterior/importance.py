"""Adaptive importance sampling that begins from the Laplace approximation, with what it is worth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.journal import Mapper, RecordedTarget
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.psis import smooth_weights
from galactions.inference.posterior.student import StudentT

Vector = NDArray[np.float64]

DOF = 8.0
"""Degrees of freedom of the proposals: tails heavier than a normal's."""

DEFENSIVE, WIDER = 0.2, 2.0
"""Share of the points of each round that come from a proposal as many times as wide: arms of the posterior
that the rest would miss are found there, and no weight can exceed what that allows (Hesterberg 1995). Costs a
fifth of the sample where the target is normal."""


TRUSTED = 0.7
"""k-hat up to which weights are trusted."""


@dataclass(frozen=True)
class Round:
    """A round: draws and effective sample size so far, and k-hat of all weights after it. unsettled: rounds
    so far whose draws were not yet independent of where they began, of those that count."""

    draws: int
    ess: float
    k_hat: float
    unsettled: int = 0


@dataclass(frozen=True, eq=False)
class WeightedSample:
    """Points with weights. u (k, n); log_density (k,), -inf where there is no model; log_weights (k,):
    smoothed, normalised to a sum of one. log_evidence and its standard error: of ln of the integral of the
    target, from the weights before smoothing; None where weights are known up to a factor. rounds: how it
    came about.
    """

    u: Vector
    log_density: Vector
    log_weights: Vector
    k_hat: float
    log_evidence: float | None
    log_evidence_error: float | None
    rounds: tuple[Round, ...]

    @property
    def weights(self) -> Vector:
        return np.exp(self.log_weights)

    @property
    def ess(self) -> float:
        """Kish's effective sample size, 1/sum w^2."""
        return float(1.0 / np.sum(self.weights**2))

    def resampled(self, count: int, seed: int) -> NDArray[np.int64]:
        """Indices (count,) of an unweighted sample, by systematic resampling, in random order."""
        rng = np.random.default_rng([seed, 9])
        at = (np.arange(count) + rng.uniform()) / count
        # The last of the cumulative sums may fall short of one by rounding.
        found = np.searchsorted(np.cumsum(self.weights), at * np.sum(self.weights), side="right")
        return rng.permutation(np.minimum(found, len(self.weights) - 1))


def importance_sample(
    target: RecordedTarget,
    start: Laplace,
    *,
    draws: int,
    target_ess: float,
    max_rounds: int,
    seed: int,
    mapper: Mapper | None = None,
    after_round: Callable[[Round], None] | None = None,
) -> WeightedSample:
    """Rounds of `draws` points each, from Student t proposals, until the effective sample size is
    `target_ess` and k-hat is at most 0.7, or `max_rounds` are done.

    The first proposals have the Laplace approximation's mean and covariance, later ones those of all weighted
    points so far (shrunk to the first where they are few); a share of each round is drawn more widely. All
    points are weighted with the mixture of all proposals (adaptive multiple importance sampling: Cornuet,
    Marin, Mira & Robert 2012, Scand. J. Stat. 39, 798), so a bad round cannot spoil a good one.

    Raises ModelError where not a single point makes a model.
    """
    wide = max(1, round(DEFENSIVE * draws))
    proposals: list[tuple[StudentT, int]] = []
    here = StudentT(start.mean, start.factor, DOF)
    points: list[Vector] = []
    values: list[Vector] = []
    told: list[Round] = []
    while True:
        for proposal, count in ((here, draws - wide), (replace(here, factor=WIDER * here.factor), wide)):
            points.append(proposal.draw(count, [seed, len(points)]))
            values.append(target.log_densities(points[-1], mapper))
            proposals.append((proposal, count))
        found = _weigh(np.concatenate(points), np.concatenate(values), proposals)
        told.append(Round(len(found.u), found.ess, found.k_hat))
        if after_round is not None:
            after_round(told[-1])
        trusted = not found.k_hat > TRUSTED
        if (found.ess >= target_ess and trusted) or len(told) == max_rounds:
            return replace(found, rounds=tuple(told))
        here = _next_proposal(found, start)


def _weigh(points: Vector, values: Vector, proposals: list[tuple[StudentT, int]]) -> WeightedSample:
    from scipy.special import logsumexp

    if not np.any(np.isfinite(values)):
        raise ModelError(
            f"none of {len(values)} points around the mode makes a model: narrow fit.bounds, or give priors"
        )
    count = len(points)
    shares = [np.log(drawn / count) + proposal.log_density(points) for proposal, drawn in proposals]
    raw = values - logsumexp(shares, axis=0)
    log_sum = float(logsumexp(raw))
    ess = float(np.exp(2.0 * log_sum - logsumexp(2.0 * raw)))
    smoothed, k_hat = smooth_weights(raw)
    error = float(np.sqrt(max(1.0 / ess - 1.0 / count, 0.0)))
    return WeightedSample(points, values, smoothed, k_hat, log_sum - np.log(count), error, ())


def _next_proposal(found: WeightedSample, start: Laplace) -> StudentT:
    """Mean and covariance of the weighted points; the covariance has the weight of 2 n points of the start's
    in it, which keeps it positive."""
    n = len(start.mean)
    mean = found.weights @ found.u
    offset = found.u - mean
    covariance: Vector = (found.weights * offset.T) @ offset
    known = found.ess / (found.ess + 2.0 * n)
    mixed = known * covariance + (1.0 - known) * start.covariance
    factor = np.asarray(np.linalg.cholesky(mixed), dtype=np.float64)
    return StudentT(known * mean + (1.0 - known) * start.mean, factor, DOF)
