"""Stars as a survey would see them: handed in with true values, given errors of measurement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from galactions.errors import CatalogueError, ConfigError
from galactions.survey.regions import Region
from galactions.survey.stars import FloatArray, Stars


@dataclass(frozen=True)
class ErrorModel:
    """Errors of a spectroscopic and astrometric survey of giants, the same for all stars.

    `v_los` (km/s) and `pm` (mas/yr, each component) are standard deviations of normal errors. The distance
    follows d_obs = d_true (1 + f eps) with f = `distance_fraction` and eps standard normal, cut off where
    d_obs would not be positive (eps > -1/f). Raises ConfigError for negative values, or f of 1 and more.
    """

    v_los: float = 5.0
    pm: float = 0.05
    distance_fraction: float = 0.15

    def __post_init__(self) -> None:
        for name in ("v_los", "pm", "distance_fraction"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ConfigError(f"error {name} is {getattr(self, name)}; it must be a number, 0 or more")
        if self.distance_fraction >= 1:
            raise ConfigError(f"error distance_fraction is {self.distance_fraction}; it must be below 1")


def observe(true_stars: Stars, errors: ErrorModel, seed: int) -> Stars:
    """The same stars with observed v_los, proper motions and distances, and the errors that a catalogue
    would quote.

    `e_distance` is f d_obs, as an observer would have it. Positions on the sky are exact. The seed fixes
    the result. Raises CatalogueError for distances that are not positive.
    """
    if len(true_stars) and not np.all(true_stars.distance > 0):
        raise CatalogueError("stars to be observed need distances above 0 (kpc)")
    rng = np.random.default_rng(seed)
    n = len(true_stars)
    measured: dict[str, FloatArray] = {}
    for name, error in (("v_los", errors.v_los), ("pm_ra", errors.pm), ("pm_dec", errors.pm)):
        true = getattr(true_stars, name)
        if true is not None:
            measured[name] = true + error * rng.standard_normal(n)
            measured[f"e_{name}"] = np.full(n, error)
    factor = 1.0 + errors.distance_fraction * rng.standard_normal(n)
    while (bad := np.flatnonzero(factor <= 0)).size:
        factor[bad] = 1.0 + errors.distance_fraction * rng.standard_normal(bad.size)
    measured["distance"] = true_stars.distance * factor
    measured["e_distance"] = errors.distance_fraction * measured["distance"]
    return replace(true_stars, **measured)


def thin_to_counts(stars: Stars, regions: Iterable[Region], counts: Sequence[int], seed: int) -> Stars:
    """A random choice of stars with exactly the wanted number in each region (positions as they are in
    `stars`).

    Stars in no region are left out. Raises ConfigError when the numbers of regions and counts differ or
    regions share stars, and CatalogueError when a region has fewer stars than wanted.
    """
    boxes = tuple(regions)
    if len(boxes) != len(counts):
        raise ConfigError(f"{len(boxes)} regions but {len(counts)} counts: there must be one for each")
    rng = np.random.default_rng(seed)
    taken = np.zeros(len(stars), dtype=bool)
    seen = np.zeros(len(stars), dtype=bool)
    for region, wanted in zip(boxes, counts, strict=True):
        inside = region.contains(stars.l, stars.b, stars.distance)
        if np.any(inside & seen):
            raise ConfigError(
                f"region {region.name!r} shares stars with another one; counts need regions that do not"
            )
        seen |= inside
        mine = np.flatnonzero(inside)
        if len(mine) < wanted:
            raise CatalogueError(
                f"region {region.name!r}: {wanted} stars are wanted, but there are only {len(mine)}"
            )
        taken[rng.choice(mine, size=wanted, replace=False)] = True
    return stars.select(taken)
