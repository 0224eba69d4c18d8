"""Boxes of sky and distance in which velocity distributions are made and compared (Table 1 of the paper)."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from galactions.errors import ConfigError

Range = tuple[float, float]

COLUMNS = ("name", "group", "l_min", "l_max", "b_min", "b_max", "distance_min", "distance_max", "count")
"""Columns of a file of regions; `group` and `count` may be empty."""


@dataclass(frozen=True)
class Region:
    """A box lower <= x < upper in Galactic longitude and latitude (degrees) and distance (kpc).

    A box across l = 0 is written with l below 0 or above 360: (-10, 10) or (350, 370). l = (0, 360) with b
    = (80, 90) is the cap at the pole. b = 90 itself belongs to a box that ends there. `group` names the set
    that a region is reported with ("in", "mid", "out", "pole", "check" in the paper); `count` is the
    published number of stars, if any.

    Raises ConfigError for a box that is empty, reversed, or outside the sky.
    """

    name: str
    l: Range  # noqa: E741 - the field's name for Galactic longitude
    b: Range
    distance: Range
    group: str = ""
    count: int | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("a region needs a name: found an empty one")
        for what in ("l", "b", "distance"):
            given = getattr(self, what)
            try:
                low, high = (float(v) for v in given)
            except (TypeError, ValueError):
                raise self._bad(what, given, "two numbers, [lower, upper]") from None
            if not (math.isfinite(low) and math.isfinite(high)):
                raise self._bad(what, given, "two finite numbers")
            object.__setattr__(self, what, (low, high))
            if not low < high:
                hint = "; a box across l = 0 is written as (-10, 10) or (350, 370)" if what == "l" else ""
                raise self._bad(what, given, f"lower < upper{hint}")
        if self.l[0] < -360 or self.l[1] > 720 or self.l[1] - self.l[0] > 360:
            raise self._bad("l", self.l, "degrees within -360 to 720 and at most 360 wide")
        if self.b[0] < -90 or self.b[1] > 90:
            raise self._bad("b", self.b, "degrees within -90 to 90 (are l and b swapped?)")
        if self.distance[0] < 0:
            raise self._bad("distance", self.distance, "kpc from 0 up")
        if self.count is not None and self.count < 0:
            raise self._bad("count", self.count, "a number of stars, 0 or more")

    def _bad(self, what: str, found: object, allowed: str) -> ConfigError:
        return ConfigError(f"region {self.name!r}: {what} is {found}; it must be {allowed}")

    def contains(
        self, l_deg: npt.ArrayLike, b_deg: npt.ArrayLike, d_kpc: npt.ArrayLike
    ) -> npt.NDArray[np.bool_]:
        """Which stars lie in the box; arrays (N,) of degrees and kpc, l in any turn. NaN is in no region."""
        lon, lat, dist = (np.asarray(a, dtype=float) for a in (l_deg, b_deg, d_kpc))
        width = self.l[1] - self.l[0]
        with np.errstate(invalid="ignore"):
            inside = (lat >= self.b[0]) & ((lat < self.b[1]) | ((lat == 90.0) & (self.b[1] == 90.0)))
            inside &= (dist >= self.distance[0]) & (dist < self.distance[1])
            inside &= np.isfinite(lon) if width >= 360 else np.mod(lon - self.l[0], 360.0) < width
        return inside

    @property
    def solid_angle(self) -> float:
        """Steradians."""
        sines = math.sin(math.radians(self.b[1])) - math.sin(math.radians(self.b[0]))
        return math.radians(self.l[1] - self.l[0]) * sines

    @property
    def volume(self) -> float:
        """kpc^3."""
        return self.solid_angle * (self.distance[1] ** 3 - self.distance[0] ** 3) / 3.0


def check_names(regions: Iterable[Region]) -> tuple[Region, ...]:
    """The regions as a tuple. Raises ConfigError when there is none, or when two have the same name."""
    checked = tuple(regions)
    if not checked:
        raise ConfigError("no regions: found an empty list; at least one region is needed")
    names = [region.name for region in checked]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"region names must differ: found {', '.join(map(repr, twice))} more than once")
    return checked


def _parse(text: str, where: str) -> tuple[Region, ...]:
    rows = csv.DictReader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    found = [name.strip() for name in rows.fieldnames or ()]
    needed = [name for name in COLUMNS if name not in ("group", "count")]
    if missing := [name for name in needed if name not in found]:
        raise ConfigError(
            f"{where}: columns {', '.join(missing)} are missing; found {', '.join(found) or 'none'}"
        )
    regions = []
    for number, raw in enumerate(rows, start=1):
        row = {
            (key or "").strip(): (value or "").strip() for key, value in raw.items() if isinstance(value, str)
        }
        try:
            limits = [float(row[name]) for name in needed[1:]]
            count = int(row["count"]) if row.get("count") else None
        except (KeyError, ValueError) as error:
            raise ConfigError(f"{where}: region {number} is not six numbers and a count: {error}") from None
        l_range, b_range, distance = ((limits[i], limits[i + 1]) for i in (0, 2, 4))
        regions.append(Region(row["name"], l_range, b_range, distance, row.get("group", ""), count))
    return check_names(regions)


def read_regions(path: str | Path) -> tuple[Region, ...]:
    """Regions of a CSV file with the columns `COLUMNS` (degrees, kpc), or ConfigError."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the file of regions cannot be read: {error}") from None
    return _parse(text, str(path))


@lru_cache(maxsize=1)
def paper_regions() -> tuple[Region, ...]:
    """The 30 regions of Table 1 of the paper, "01" to "30", with counts and the groups of Table 3."""
    text = resources.files("galactions").joinpath("data", "regions_table1.csv").read_text(encoding="utf-8")
    return _parse(text, "regions_table1.csv")
