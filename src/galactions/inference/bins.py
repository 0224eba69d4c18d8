"""All bins of a survey in one row: which of them count, which are fitted, and with what errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galactions.errors import ConfigError

if TYPE_CHECKING:
    from galactions.survey import BinnedSurvey

MIN_EXPECTED = 1.0
"""With `uncertainty = "data"`, bins with fewer stars than this (N p) are left out: their sigma_n, taken
from themselves, says nothing (none for an empty bin, next to none for one holding only the tail of one
star's error)."""


@dataclass(frozen=True)
class Block:
    """The bins [start, stop) of one observable in region number `region`."""

    region: int
    observable: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class BinLayout:
    """The bins of a survey's used regions, end to end. Arrays have shape (n_bins,).

    data, sigma: p_n and sigma_n of the survey. n_stars: stars of the bin's region. region: the region's
    number. included: whether the bin counts towards its region's chi2; fitted: whether it is fitted as
    well; weight: its share in chi2_tot, 1/(bins of its region times fitted regions), zero where not fitted.
    """

    survey: "BinnedSurvey"
    blocks: tuple[Block, ...]
    data: NDArray[np.float64]
    sigma: NDArray[np.float64]
    n_stars: NDArray[np.float64]
    region: NDArray[np.int64]
    included: NDArray[np.bool_]
    fitted: NDArray[np.bool_]
    weight: NDArray[np.float64]
    fitted_regions: frozenset[int]

    @property
    def n_fitted(self) -> int:
        return int(self.fitted.sum())

    def flatten(self, histograms: Mapping[str, Sequence[ArrayLike]]) -> NDArray[np.float64]:
        """`histograms[observable][k]`, arrays (n_bins_of_region_k, ...), end to end: shape (n_bins, ...).

        Raises ValueError where an observable, a region or a bin is missing.
        """
        parts = []
        for block in self.blocks:
            name = self.survey.regions[block.region].region.name
            if block.observable not in histograms or len(histograms[block.observable]) <= block.region:
                raise ValueError(f"the prediction lacks {block.observable} of region {name}")
            part = np.asarray(histograms[block.observable][block.region], dtype=float)
            if part.shape[:1] != (block.stop - block.start,):
                raise ValueError(
                    f"the prediction of {block.observable} in region {name} has shape {part.shape}; "
                    f"the survey has {block.stop - block.start} bins there"
                )
            parts.append(part)
        return np.concatenate(parts)

    def unflatten(self, values: NDArray[np.float64]) -> dict[str, list[NDArray[np.float64]]]:
        """Histograms `[observable][region]` from their bins (n_bins,) end to end: none in unused regions."""
        nothing = np.zeros(0)
        found = {name: [nothing] * len(self.survey.regions) for name in self.survey.observables}
        for block in self.blocks:
            found[block.observable][block.region] = values[block.start : block.stop]
        return found


def bin_layout(
    survey: "BinnedSurvey", *, uncertainty: str = "data", held_out: Sequence[str] = ("check",)
) -> BinLayout:
    """Lays out the bins of a survey.

    held_out: groups or names of regions that are compared with the model, but never fitted. uncertainty:
    "data" leaves out bins without a usable error of their own (see `MIN_EXPECTED`); "model" keeps every
    bin, because a choice by the observed counts would favour bins that scattered upwards.

    Raises ConfigError when no bin is left to fit, with the reason for each region.
    """
    blocks: list[Block] = []
    columns: dict[str, list[NDArray[np.float64]]] = {"data": [], "sigma": [], "n_stars": [], "region": []}
    at = 0
    for k, item in enumerate(survey.regions):
        if not item.used:
            continue
        for name in survey.observables:
            histogram = item.histograms[name]
            size = len(histogram.p)
            blocks.append(Block(k, name, at, at + size))
            at += size
            columns["data"].append(np.asarray(histogram.p, dtype=float))
            columns["sigma"].append(np.asarray(histogram.sigma, dtype=float))
            columns["n_stars"].append(np.full(size, float(item.n_stars)))
            columns["region"].append(np.full(size, float(k)))
    flat = {key: np.concatenate(parts) if parts else np.zeros(0) for key, parts in columns.items()}
    region = flat["region"].astype(np.int64)
    included = np.isfinite(flat["data"])
    if uncertainty == "data":
        usable = np.isfinite(flat["sigma"]) & (flat["sigma"] > 0)
        included &= usable & (flat["n_stars"] * flat["data"] >= MIN_EXPECTED)
    is_fitted = [
        item.used and not {item.region.group, item.region.name} & set(held_out) for item in survey.regions
    ]
    fitted = included & np.array([is_fitted[k] for k in region], dtype=bool)
    if not fitted.any():
        raise ConfigError(f"no region is left to fit: {_why_none(survey, held_out)}")
    bins = np.bincount(region[fitted], minlength=len(survey.regions))
    weight = np.where(fitted, 1.0 / (np.maximum(bins, 1)[region] * np.count_nonzero(bins)), 0.0)
    return BinLayout(
        survey=survey,
        blocks=tuple(blocks),
        data=flat["data"],
        sigma=flat["sigma"],
        n_stars=flat["n_stars"],
        region=region,
        included=included,
        fitted=fitted,
        weight=weight,
        fitted_regions=frozenset(int(k) for k in np.flatnonzero(bins)),
    )


def _why_none(survey: "BinnedSurvey", held_out: Sequence[str]) -> str:
    if not survey.regions:
        return "the survey has no regions"
    told = [
        f"{item.region.name}: {item.reason or ('held out' if item.used else 'not used')}"
        for item in survey.regions[:10]
    ]
    more = f"; and {len(survey.regions) - 10} more" if len(survey.regions) > 10 else ""
    return f"{'; '.join(told)}{more} (held out of fits: {', '.join(held_out) or 'none'})"


def data_sigma(layout: BinLayout) -> NDArray[np.float64]:
    """sigma_n (n_bins,) of the survey, eq. (5) as it stands; where a bin has none, that of a bin with one
    star.

    A bin that was seen low gets a small sigma_n and a large weight, so a fit with these errors follows the
    downward scatter: see `model_sigma`.
    """
    floor = binomial_sigma(1.0 / (layout.n_stars + 1.0), layout.n_stars)
    given = np.isfinite(layout.sigma) & (layout.sigma > 0) & (layout.n_stars * layout.data >= MIN_EXPECTED)
    return np.where(given, np.where(given, layout.sigma, 1.0), floor)


def model_sigma(layout: BinLayout, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """sigma_n (n_bins,) = sqrt(p (1 - p)/N) of a predicted p_n, not less than where one star is expected.

    Dividing by the *observed* counts biases a fit: bins that scattered low weigh more than those that
    scattered high, and the fit comes out low by about one star in each bin, which thin bins feel. Dividing
    by a *prediction that moves with the fit* has the opposite bias (half the size): the search then gains
    by making sigma_n large. A prediction held fixed during a round and renewed between rounds has neither:
    its solution is that of the likelihood equations (iteratively re-weighted least squares; Wheaton et al.
    1995, ApJ 438, 322).
    """
    one_star = 1.0 / (layout.n_stars + 1.0)
    return binomial_sigma(np.clip(p, one_star, 1.0 - one_star), layout.n_stars)


def binomial_sigma(p: NDArray[np.float64], n_stars: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of the fraction of `n_stars` draws that fall where each falls with probability
    `p`."""
    return np.sqrt(np.clip(p * (1.0 - p), 0.0, None) / n_stars)
