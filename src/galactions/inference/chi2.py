"""chi2 of eq. (5): per region and observable, its mean over regions, and the residuals behind it.

A region's *reduced* chi2 is its chi2 over its number of bins (all observables together). `chi2_tot` is the
plain mean of the reduced chi2 over the fitted regions, as in Table 3 of the paper.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.inference.bins import BinLayout


@dataclass(frozen=True)
class RegionChi2:
    """chi2 of one region: by observable, with the number of bins behind each.

    `used` is False for a region left out of everything (too few stars: see `reason`); `fitted` is False
    also for one that is compared with the model, but not fitted (the check regions 27-30).
    """

    region: str
    group: str
    n_stars: int
    used: bool
    fitted: bool
    reason: str
    n_bins: Mapping[str, int]
    chi2: Mapping[str, float]

    @property
    def total(self) -> float:
        return float(sum(self.chi2.values()))

    @property
    def total_bins(self) -> int:
        return sum(self.n_bins.values())

    @property
    def reduced(self) -> float:
        """chi2 over all observables per bin; NaN for a region without bins."""
        return self.total / self.total_bins if self.total_bins else math.nan

    def reduced_of(self, observable: str) -> float:
        bins = self.n_bins.get(observable, 0)
        return self.chi2[observable] / bins if bins else math.nan


@dataclass(frozen=True)
class Chi2Table:
    """chi2 of every region, in the survey's order."""

    observables: tuple[str, ...]
    rows: tuple[RegionChi2, ...]

    @property
    def fitted_rows(self) -> tuple[RegionChi2, ...]:
        return tuple(row for row in self.rows if row.fitted)

    @property
    def total(self) -> float:
        """The paper's chi2_tot: mean reduced chi2 of the fitted regions."""
        return float(np.mean([row.reduced for row in self.fitted_rows]))

    @property
    def groups(self) -> dict[str, float]:
        """Mean reduced chi2 of the used regions of each group, in order of appearance (Table 3: in, mid,
        out, pole)."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row.used and row.total_bins:
                found.setdefault(row.group, []).append(row.reduced)
        return {group: float(np.mean(values)) for group, values in found.items()}

    @property
    def sum(self) -> float:
        """chi2 summed over all fitted bins."""
        return float(sum(row.total for row in self.fitted_rows))

    @property
    def n_bins(self) -> int:
        """Number of fitted bins."""
        return sum(row.total_bins for row in self.fitted_rows)

    def per_dof(self, n_free: int) -> float:
        """`sum` over the degrees of freedom (fitted bins less `n_free` parameters); NaN where none are
        left."""
        dof = self.n_bins - n_free
        return self.sum / dof if dof > 0 else math.nan

    def write_csv(self, path: Path) -> None:
        """One line a region: region, group, n_stars, used, fitted, n_bins, chi2, reduced, then n_bins_,
        chi2_ and reduced_ of each observable, and the reason why a region is not used. Written
        atomically."""
        header = ["region", "group", "n_stars", "used", "fitted", "n_bins", "chi2", "reduced"]
        header += [f"{what}_{name}" for name in self.observables for what in ("n_bins", "chi2", "reduced")]
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow([*header, "reason"])
            for row in self.rows:
                cells: list[Any] = [row.region, row.group, row.n_stars, row.used, row.fitted]
                cells += [row.total_bins, row.total, row.reduced]
                for name in self.observables:
                    cells += [row.n_bins.get(name, 0), row.chi2.get(name, math.nan), row.reduced_of(name)]
                writer.writerow([*cells, row.reason])

    @classmethod
    def read_csv(cls, path: Path) -> "Chi2Table":
        """The table that `write_csv` wrote."""
        with path.open(newline="", encoding="utf-8") as stream:
            lines = list(csv.DictReader(stream))
        names = tuple(
            key[len("reduced_") :] for key in (lines[0] if lines else {}) if key.startswith("reduced_")
        )
        return cls(names, tuple(_row_from_csv(line, names) for line in lines))


def _row_from_csv(line: Mapping[str, str], names: Sequence[str]) -> RegionChi2:
    n_bins = {name: int(line[f"n_bins_{name}"]) for name in names if int(line[f"n_bins_{name}"])}
    return RegionChi2(
        region=line["region"],
        group=line["group"],
        n_stars=int(line["n_stars"]),
        used=line["used"] == "True",
        fitted=line["fitted"] == "True",
        reason=line["reason"],
        n_bins=n_bins,
        chi2={name: float(line[f"chi2_{name}"]) for name in n_bins},
    )


def residuals(layout: BinLayout, p: NDArray[np.float64], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted residuals (n_fitted,) of the fitted bins, whose sum of squares is `chi2_tot`.

    p, sigma: (n_bins,) model heights and errors in the layout's order. Each is (p_model - p_data)/sigma
    times sqrt(weight), with weight 1/(bins of its region times fitted regions), so that least squares and
    Nelder-Mead search for the minimum of the same function.
    """
    fitted = layout.fitted
    return (p - layout.data)[fitted] / sigma[fitted] * np.sqrt(layout.weight[fitted])


def region_chi2(
    layout: BinLayout, p: NDArray[np.float64], sigma: NDArray[np.float64]
) -> tuple[float, dict[str, float]]:
    """`chi2_tot`, and the reduced chi2 by name of each used region, for model heights `p` (n_bins,) and
    `sigma`."""
    terms = np.where(layout.included, ((p - layout.data) / sigma) ** 2, 0.0)
    sums = np.bincount(layout.region, weights=terms, minlength=len(layout.survey.regions))
    bins = np.bincount(layout.region[layout.included], minlength=len(layout.survey.regions))
    reduced = {
        item.region.name: float(sums[k] / bins[k]) for k, item in enumerate(layout.survey.regions) if bins[k]
    }
    return float(np.sum(terms * layout.weight)), reduced


def chi2_table(layout: BinLayout, p: NDArray[np.float64], sigma: NDArray[np.float64]) -> Chi2Table:
    """chi2 of every region and observable, for model heights `p` and errors `sigma` (n_bins,)."""
    n_bins: dict[int, dict[str, int]] = {}
    chi2: dict[int, dict[str, float]] = {}
    for block in layout.blocks:
        here = slice(block.start, block.stop)
        included = layout.included[here]
        terms = ((p[here] - layout.data[here]) / sigma[here])[included] ** 2
        n_bins.setdefault(block.region, {})[block.observable] = int(included.sum())
        chi2.setdefault(block.region, {})[block.observable] = float(terms.sum())
    rows = tuple(
        RegionChi2(
            region=item.region.name,
            group=item.region.group,
            n_stars=int(item.n_stars),
            used=bool(item.used),
            fitted=k in layout.fitted_regions,
            reason=item.reason,
            n_bins=n_bins.get(k, {}),
            chi2=chi2.get(k, {}),
        )
        for k, item in enumerate(layout.survey.regions)
    )
    return Chi2Table(tuple(layout.survey.observables), rows)
