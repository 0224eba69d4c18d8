"""Velocity distributions of all regions of a survey: what a model is fitted to."""

import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from galactions.atomic import replacing
from galactions.errors import CatalogueError
from galactions.survey.bins import make_edges
from galactions.survey.config import Bins
from galactions.survey.distance_selection import DistanceDistribution, observed_distances
from galactions.survey.histograms import Histogram, Method, make_histogram
from galactions.survey.progress import Share, chunks, untold
from galactions.survey.regions import Region
from galactions.survey.stars import FloatArray, Stars

FORMAT = 2
"""Version of the saved form."""


@dataclass(frozen=True)
class BinnedRegion:
    """One region: its number of stars, a histogram for each observable, and whether it takes part in a fit.

    `reason` says why not, and is empty for a region that is used. `errors` holds the median standard error
    of the region's stars for each observable (its unit) and, where known, `distance_fraction`, the median
    of e_distance / distance.
    """

    region: Region
    n_stars: int
    histograms: dict[str, Histogram]
    used: bool
    reason: str = ""
    errors: dict[str, float] = field(default_factory=dict)
    distances: DistanceDistribution | None = None


@dataclass(frozen=True)
class BinnedSurvey:
    """All regions of a survey, in the order of the config, used or not.

    `observables`: those of v_los (km/s), pm_ra, pm_dec (mas/yr) that were binned. `meta`: how it was made
    (config, cut flow, Sun, file and its checksum, version, seed), plain values for JSON.
    """

    regions: tuple[BinnedRegion, ...]
    observables: tuple[str, ...]
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> tuple[BinnedRegion, ...]:
        """The regions that take part in a fit."""
        return tuple(r for r in self.regions if r.used)

    def __str__(self) -> str:
        lines = [f"{'region':<14} {'group':<8} {'stars':>8}  bins"]
        for r in self.regions:
            bins = ", ".join(f"{name} {h.n_bins}" for name, h in r.histograms.items())
            lines.append(
                f"{r.region.name:<14} {r.region.group:<8} {r.n_stars:>8,d}  {bins if r.used else r.reason}"
            )
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Writes the survey to one .npz file (arrays and a JSON header), whole or not at all."""
        path = Path(path)
        header: dict[str, Any] = {
            "format": FORMAT,
            "observables": self.observables,
            "meta": self.meta,
            "regions": [],
        }
        arrays: dict[str, Any] = {}
        for i, r in enumerate(self.regions):
            rest = {"n_stars": r.n_stars, "used": r.used, "reason": r.reason, "errors": r.errors}
            header["regions"].append({"region": asdict(r.region), **rest})
            if r.distances is not None:
                arrays |= {f"{i}/distances/{k}": getattr(r.distances, k) for k in ("edges", "share")}
            for name, h in r.histograms.items():
                arrays |= {f"{i}/{name}/{key}": getattr(h, key) for key in ("edges", "p", "sigma", "counts")}
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "BinnedSurvey":
        """The inverse of `save`. Raises CatalogueError for a file that is missing or is no saved survey."""
        path = Path(path)
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                header = json.loads(str(file["header"]))
                arrays = {name: file[name] for name in file.files if name != "header"}
            if header["format"] != FORMAT:
                raise CatalogueError(
                    f"{path}: saved survey of format {header['format']}; this version reads {FORMAT}"
                )
            regions = tuple(_restore(i, row, arrays) for i, row in enumerate(header["regions"]))
        except FileNotFoundError:
            raise CatalogueError(f"{path}: no such file") from None
        except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, CatalogueError):
                raise
            raise CatalogueError(f"{path}: not a saved survey, or a damaged one: {error}") from error
        return cls(regions, tuple(header["observables"]), header["meta"])


def _restore(i: int, row: dict[str, Any], arrays: dict[str, Any]) -> BinnedRegion:
    prefix = f"{i}/"
    names = list(dict.fromkeys(key.split("/")[1] for key in arrays if key.startswith(prefix)))
    distances = None
    if "distances" in names:
        names.remove("distances")
        distances = DistanceDistribution(*(arrays[f"{prefix}distances/{key}"] for key in ("edges", "share")))
    histograms = {
        name: Histogram(*(arrays[f"{i}/{name}/{key}"] for key in ("edges", "p", "sigma", "counts")))
        for name in names
    }
    box = row["region"]
    region = Region(box["name"], box["l"], box["b"], box["distance"], box["group"], box["count"])
    return BinnedRegion(
        region, row["n_stars"], histograms, row["used"], row["reason"], row["errors"], distances
    )


def bin_regions(
    stars: Stars,
    regions: Iterable[Region],
    observables: Iterable[str],
    bins: Bins | None = None,
    method: Method = "exact",
    min_stars: int = 200,
    seed: int = 0,
    share: Share = untold,
) -> tuple[BinnedRegion, ...]:
    """Histograms of the stars of each region, by the rules of the config (`bins`, `method`, `min_stars`).

    A region is not used, with a reason, when it holds fewer than `min_stars` stars or when less than half of
    them lie within the bins of an observable. `share` is told how much is done. Stars must have every
    observable, and its error unless `method` is "counts"; else CatalogueError.
    """
    rules, names = bins or Bins(), tuple(observables)
    for name in names:
        if getattr(stars, name) is None:
            raise CatalogueError(
                f"observable {name!r} is asked for: the stars have only {', '.join(stars.observables)}"
            )
        if method != "counts" and getattr(stars, f"e_{name}") is None:
            raise CatalogueError(
                f"method {method!r} needs the error of {name} of every star: no column e_{name} is mapped, "
                "and [survey.errors] gives none"
            )
    binned, boxes = [], tuple(regions)
    for one in chunks(len(boxes), 1, share):
        i, region = one.start, boxes[one.start]
        mine = stars.select(np.flatnonzero(region.contains(stars.l, stars.b, stars.distance)))
        histograms = {}
        for j, name in enumerate(names if len(mine) else ()):
            errors = getattr(mine, f"e_{name}")
            edges = make_edges(getattr(mine, name), getattr(rules, name), _median(errors))
            histograms[name] = make_histogram(
                getattr(mine, name), errors, edges, method, seed + 3 * i + j, mine.weight
            )
        reason = _why_not(len(mine), min_stars, histograms)
        distances = observed_distances(mine.distance, region, mine.weight) if len(mine) else None
        errors_of = _typical_errors(mine, names)
        binned.append(BinnedRegion(region, len(mine), histograms, not reason, reason, errors_of, distances))
    return tuple(binned)


def _median(values: FloatArray | None) -> float:
    return 0.0 if values is None or len(values) == 0 else float(np.median(values))


def _typical_errors(stars: Stars, names: tuple[str, ...]) -> dict[str, float]:
    if len(stars) == 0:
        return {}
    errors = {n: _median(getattr(stars, f"e_{n}")) for n in names if getattr(stars, f"e_{n}") is not None}
    if stars.e_distance is not None:
        errors["distance_fraction"] = float(np.median(stars.e_distance / stars.distance))
    return errors


def _why_not(n: int, min_stars: int, histograms: dict[str, Histogram]) -> str:
    if n == 0:
        return "no stars"
    if n < min_stars:
        return f"only {n} star{'' if n == 1 else 's'}, fewer than min_stars = {min_stars}"
    for name, h in histograms.items():
        if h.counts.sum() < 0.5 * n:
            return f"only {int(h.counts.sum())} of {n} stars lie within the bins of {name}"
        if h.n_bins < 2:
            return f"{name} has a single bin: too few stars for the rule of its bins"
    return ""
