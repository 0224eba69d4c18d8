"""Pareto-smoothed importance sampling (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25, 72)."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

FEWEST_IN_TAIL = 5


def smooth_weights(log_weights: Vector) -> tuple[Vector, float]:
    """Normalised ln weights (k,) with their largest ones replaced by quantiles of a generalised Pareto
    distribution fitted to them, and k-hat, its shape.

    Above k-hat = 0.7 the weights have so heavy a tail that estimates from them are not to be trusted; above 1
    their mean does not even exist. The tail has min(k/5, 3 sqrt(k)) weights. NaN where it is too
    short to say.
    """
    from scipy.special import logsumexp

    log_weights = log_weights - np.max(log_weights)
    count = len(log_weights)
    tail = int(np.ceil(min(0.2 * count, 3.0 * np.sqrt(count))))
    k_hat = np.nan
    if tail >= FEWEST_IN_TAIL and count > tail:
        order = np.argsort(log_weights, kind="stable")
        largest = order[-tail:]
        cutoff = max(float(log_weights[order[-tail - 1]]), float(np.log(np.finfo(float).tiny)))
        excess = np.exp(log_weights[largest]) - np.exp(cutoff)
        if excess[-1] > 10.0 * np.finfo(float).eps and excess[0] >= 0.0:
            k_hat, sigma = fit_pareto(excess)
            probability = (np.arange(tail) + 0.5) / tail
            if np.isfinite(k_hat):
                smoothed = np.log(np.exp(cutoff) + pareto_quantile(probability, k_hat, sigma))
                log_weights = log_weights.copy()
                log_weights[largest] = np.minimum(smoothed, 0.0)
    return log_weights - logsumexp(log_weights), float(k_hat)


def fit_pareto(excess: Vector) -> tuple[float, float]:
    """Shape k and scale sigma of a generalised Pareto distribution fitted to positive values in increasing
    order, (k,): the posterior mean over a profile of Zhang & Stephens (2009, Technometrics 51, 316), with a
    weak prior that pulls k towards 0.5 where values are few."""
    n = len(excess)
    grid = 30 + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    if not quartile > 0:
        return np.nan, np.nan
    b = 1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    b = b / (3.0 * quartile) + 1.0 / excess[-1]
    shapes = np.mean(np.log1p(-b[:, None] * excess), axis=1)
    profile = n * (np.log(-b / shapes) - shapes - 1.0)
    with np.errstate(over="ignore"):
        weight = 1.0 / np.sum(np.exp(profile - profile[:, None]), axis=1)
    keep = weight >= 10.0 * np.finfo(float).eps
    weight, b = weight[keep] / np.sum(weight[keep]), b[keep]
    mean = float(np.sum(b * weight))
    k = float(np.mean(np.log1p(-mean * excess)))
    sigma = -k / mean
    return (n * k + 5.0) / (n + 10.0), sigma


def pareto_quantile(probability: Vector, k: float, sigma: float) -> Vector:
    """Quantiles of the generalised Pareto distribution with lower end zero."""
    if abs(k) < 1e-12:
        return -sigma * np.log1p(-probability)
    return sigma * np.expm1(-k * np.log1p(-probability)) / k
