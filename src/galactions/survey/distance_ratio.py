"""The ratio of photometric to parallax distances by direction, and what it does to distances (Fig. 2 of the
paper).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.stars import FloatArray

PAPER_RATIOS = {"disc": 0.86, "pole": 0.97}
"""D_Carlin / D_parallax of section 2.1, for photometric distances made as the paper's were."""

POLE_B = 50.0
"""|b| (deg) from which on a direction is polar. The paper does not say; its regions lie at |b| < 20 and b
> 80.
"""

PARALLAX_FRACTION = 0.1
"""Largest relative error of a parallax that takes part (Fig. 2)."""

DISTANCE_FRACTION = 0.5
"""Largest relative error of a photometric distance that takes part (Fig. 2)."""

LEAST = 30
"""Stars that a measured ratio needs."""


@dataclass(frozen=True)
class DistanceRatio:
    """D_photometric / D_parallax in one direction: its value and error, of how many stars (0: set, not
    measured), and whether of this direction's own stars or, for want of them, of all.
    """

    value: float
    error: float = 0.0
    n_stars: int = 0
    of_all: bool = False


def direction(b: npt.ArrayLike, pole_b: float = POLE_B) -> npt.NDArray[np.str_]:
    """ "disc" or "pole" for Galactic latitudes (N,) in degrees."""
    return np.where(np.abs(np.asarray(b, dtype=np.float64)) >= pole_b, "pole", "disc")


def good_ratios(
    distance: FloatArray, e_distance: FloatArray, parallax: FloatArray, e_parallax: FloatArray
) -> npt.NDArray[np.bool_]:
    """Which stars (N,) take part in Fig. 2: relative errors of the parallax (mas) below 0.1 and of the
    photometric distance (kpc) below 0.5.
    """
    with np.errstate(invalid="ignore"):
        good = (parallax > 0) & (e_parallax < PARALLAX_FRACTION * parallax)
        return good & (distance > 0) & (e_distance < DISTANCE_FRACTION * distance)


def measure_ratios(
    distance: FloatArray,
    e_distance: FloatArray,
    parallax: FloatArray,
    e_parallax: FloatArray,
    b: FloatArray,
    pole_b: float = POLE_B,
) -> dict[str, DistanceRatio]:
    """The median of D_photometric x parallax for each direction, its error from the scatter.

    Photometric distances (kpc), zero-point-corrected parallaxes (mas), their errors and latitudes (deg) have
    shape (N,). A direction with fewer than `LEAST` good stars takes the ratio of all stars together. Raises
    CatalogueError when even these are too few.
    """
    good = good_ratios(distance, e_distance, parallax, e_parallax)
    if good.sum() < LEAST:
        raise CatalogueError(
            f"{int(good.sum())} stars have parallax and photometric distance good enough to measure their "
            f"ratio; {LEAST} are needed (or give ratio = {{disc = ..., pole = ...}} in [survey.distance])"
        )
    product, where = distance * parallax, direction(b, pole_b)
    ratios = {}
    for name in PAPER_RATIOS:
        mine = good & (where == name)
        of_all = bool(mine.sum() < LEAST)
        values = product[good if of_all else mine]
        scatter = 1.4826 * np.median(np.abs(values - np.median(values)))
        error = float(np.sqrt(np.pi / 2.0 / len(values)) * scatter)
        ratios[name] = DistanceRatio(float(np.median(values)), error, len(values), of_all)
    return ratios


def ratio_of_each(b: FloatArray, ratios: Mapping[str, DistanceRatio], pole_b: float = POLE_B) -> FloatArray:
    """The ratio (N,) that a photometric distance towards latitude b (deg, (N,)) is to be divided by."""
    return np.where(direction(b, pole_b) == "pole", ratios["pole"].value, ratios["disc"].value)
