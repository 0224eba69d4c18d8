"""The table of a posterior: moments, intervals and what they are worth, parameter by parameter."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.inference.posterior.convergence import bulk_ess, r_hat, tail_ess

Vector = NDArray[np.float64]

LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
"""Quantiles of the tables and bands: the median, and the central 68% and 95% intervals."""


@dataclass(frozen=True)
class ParameterSummary:
    """One parameter: mean, standard deviation, median, 68% and 95% central intervals; R-hat (NaN for weighted
    samples), effective sample sizes of bulk and tails (equal for weighted samples); its value at the mode."""

    name: str
    mean: float
    deviation: float
    median: float
    low_68: float
    high_68: float
    low_95: float
    high_95: float
    r_hat: float
    ess_bulk: float
    ess_tail: float
    mode: float

    @property
    def ess(self) -> float:
        """The smaller of the two."""
        return float(np.minimum(self.ess_bulk, self.ess_tail))


def summarise_chains(
    names: Sequence[str], values: Vector, mode: Vector, walkers: int
) -> tuple[ParameterSummary, ...]:
    """Summaries of draws (chains, draws, n); `walkers` of them in turn belong to one ensemble.

    R-hat compares ensembles as wholes: all walkers of one, step after step, make one chain.
    """
    rows = []
    for i, name in enumerate(names):
        draws = values[..., i]
        whole = np.swapaxes(draws.reshape(-1, walkers, draws.shape[1]), 1, 2).reshape(
            len(draws) // walkers, -1
        )
        worth = r_hat(whole), bulk_ess(draws, walkers), tail_ess(draws, walkers)
        rows.append(_summary(name, draws.ravel(), None, float(mode[i]), worth))
    return tuple(rows)


def summarise_weighted(
    names: Sequence[str], values: Vector, weights: Vector, mode: Vector
) -> tuple[ParameterSummary, ...]:
    """Summaries of points (k, n) with weights (k,) of sum one; their effective sample size is Kish's."""
    ess = float(1.0 / np.sum(weights**2))
    return tuple(
        _summary(name, values[:, i], weights, float(mode[i]), (float("nan"), ess, ess))
        for i, name in enumerate(names)
    )


def _summary(
    name: str, draws: Vector, weights: Vector | None, mode: float, worth: tuple[float, float, float]
) -> ParameterSummary:
    mean = float(np.average(draws, weights=weights))
    deviation = float(np.sqrt(np.average((draws - mean) ** 2, weights=weights)))
    low_95, low_68, median, high_68, high_95 = (float(q) for q in quantiles(draws, weights))
    return ParameterSummary(name, mean, deviation, median, low_68, high_68, low_95, high_95, *worth, mode)


def quantiles(draws: Vector, weights: Vector | None = None) -> Vector:
    """The quantiles at `LEVELS` of draws (k, ...) along their first axis, with weights (k,) or without."""
    if weights is None:
        return np.quantile(draws, LEVELS, axis=0)
    order = np.argsort(draws, kind="stable")
    at = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(LEVELS, at, draws[order])


def write_table(path: Path, rows: Sequence[ParameterSummary]) -> None:
    """The summaries as CSV, one line a parameter. Written atomically."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([item.name for item in fields(ParameterSummary)])
        writer.writerows([list(asdict(row).values()) for row in rows])


def read_table(path: Path) -> tuple[ParameterSummary, ...]:
    """The summaries that `write_table` wrote."""
    with path.open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    return tuple(
        ParameterSummary(**{key: text if key == "name" else float(text) for key, text in line.items()})  # type: ignore[arg-type]
        for line in lines
    )
