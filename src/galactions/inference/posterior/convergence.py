"""Whether chains agree and how much they are worth: rank-normalised split R-hat, bulk and tail effective
sample sizes (Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, Bayesian Analysis 16, 667)."""

import numpy as np
from numpy.typing import NDArray

Chains = NDArray[np.float64]
"""Draws of one quantity, (chains, draws)."""


def r_hat(chains: Chains) -> float:
    """The larger of the split R-hat of ranks and of ranks of |x - median|: 1 where all chains agree."""
    if chains.shape[1] < 4 or np.ptp(chains) == 0.0:
        return float("nan")
    halves = split(chains)
    folded = np.abs(halves - np.median(halves))
    return float(max(_r_hat(_ranks(part)) for part in (halves, folded)))


def bulk_ess(chains: Chains, walkers: int = 1) -> float:
    """Effective sample size of the centre of the distribution; `walkers`: chains of one ensemble, which lie
    next to each other and depend on each other."""
    if chains.shape[1] < 4 or np.ptp(chains) == 0.0:
        return float("nan")
    return _ess(_ranks(split(chains)), walkers)


def tail_ess(chains: Chains, walkers: int = 1) -> float:
    """The smaller effective sample size of the 5% and 95% quantiles."""
    if chains.shape[1] < 4 or np.ptp(chains) == 0.0:
        return float("nan")
    cuts = np.quantile(chains, [0.05, 0.95])
    return min(_ess(split((chains <= cut).astype(float)), walkers) for cut in cuts)


def split(chains: Chains) -> Chains:
    """Halves of the chains as chains of their own, (2 chains, draws // 2): first halves, then second ones.
    The middle draw of an odd number is left out."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _ranks(chains: Chains) -> Chains:
    """Normal scores of the ranks over all chains (Blom 1958)."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    ranks = rankdata(chains, method="average").reshape(chains.shape)
    return np.asarray(ndtri((ranks - 0.375) / (chains.size + 0.25)))


def _r_hat(chains: Chains) -> float:
    draws = chains.shape[1]
    between = draws * float(np.var(np.mean(chains, axis=1), ddof=1))
    within = float(np.mean(np.var(chains, axis=1, ddof=1)))
    return float(np.sqrt((between / within + draws - 1.0) / draws)) if within > 0 else float("inf")


def _ess(chains: Chains, walkers: int) -> float:
    """Effective sample size by Geyer's initial monotone sequence over all chains. Walkers of an ensemble move
    together, so that the series of their mean is what counts (Goodman & Weare 2010, CAMCoS 5, 65)."""
    if walkers > 1:
        means = chains.reshape(-1, walkers, chains.shape[1]).mean(axis=1)
        spread = float(np.var(means))
        return _ess(means, 1) * float(np.var(chains)) / spread if spread > 0 else float("nan")
    count, draws = chains.shape
    covariance = _autocovariance(chains)
    within = float(np.mean(covariance[:, 0])) * draws / (draws - 1.0)
    if not within > 0:
        return float("nan")
    total = within * (draws - 1.0) / draws
    if count > 1:
        total += float(np.var(np.mean(chains, axis=1), ddof=1))
    rho = 1.0 - (within - np.mean(covariance, axis=0)) / total
    rho[0] = 1.0
    pairs = rho[: draws // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs[1:] < 0)
    last = int(negative[0]) + 1 if len(negative) else len(pairs)
    monotone = np.minimum.accumulate(pairs[:last])
    tau = -1.0 + 2.0 * float(np.sum(monotone))
    if last < len(pairs):
        tau += max(float(rho[2 * last]), 0.0)  # the first term of the pair that ended the sum (Stan's way)
    size = float(count * draws)
    return size / max(tau, 1.0 / np.log10(size))


def _autocovariance(chains: Chains) -> Chains:
    draws = chains.shape[1]
    centred = chains - np.mean(chains, axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n=2 * draws, axis=1)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :draws] / draws)
