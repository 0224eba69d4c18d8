"""The paper's own way to the velocity distributions: stars drawn from the whole model, and those counted that
lie in the regions (section 3.1, step iii).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from galactions.errors import ConfigError
from galactions.projection.bins import Bins
from galactions.projection.histograms import checked_edges
from galactions.projection.prediction import Prediction
from galactions.projection.view import View
from galactions.survey.regions import Region
from galactions.survey.stars import stars_from_phase_space
from galactions.survey.sun import Sun

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

_CHUNK = 1 << 19
"""Stars in memory at once."""
_MARGIN = 1e-3
"""kpc, on the largest distance of the regions: stars beyond it are not looked at further."""


def predict_by_sampling(
    galaxy: "Galaxy", regions: Sequence[Region], edges: Mapping[str, ArrayLike], n: int, seed: int = 0
) -> Prediction:
    """Fractions of each region's stars in bins of observed velocities, counted in `n` stars of all discs.

    This is what `predict` computes without drawing stars; regions, edges and the Sun are those of `predict`.
    The errors are those of multinomial counts, sqrt(p (1 - p)/N), and `Prediction.ess` holds the number N of
    the stars in each region: the paper draws 3e8 stars, of which some 7,500 lie in its region 01. A region
    without stars has fractions and errors of NaN. The memory does not grow with n. Raises ConfigError as
    `predict` does, and ModelError for an n or seed that is no whole number.
    """
    from galactions.galaxy.sampling import Sampler

    limits = checked_edges(edges)
    if not regions:
        raise ConfigError("no regions to predict: at least one is needed")
    bins = Bins.of([limits] * len(regions), range(len(regions)), len(regions))
    view = View.of(galaxy)
    sun, scale = _numbers(view.sun), float(view.distance_scale)
    reach = scale * max(region.distance[1] for region in regions) + _MARGIN
    counts, stars = np.zeros(bins.n_cells), np.zeros(len(regions))
    place = np.array([-np.sqrt(sun.d**2 - sun.z**2), 0.0, sun.z])
    for drawn in Sampler(galaxy).stars(n, seed, _CHUNK):
        near = np.linalg.norm(drawn.xv[:, :3] - place, axis=1) < reach
        seen = stars_from_phase_space(drawn.xv[near], sun)
        velocities = np.stack([seen.v_los, seen.pm_ra, seen.pm_dec])  # type: ignore[list-item]
        for k, region in enumerate(regions):
            inside = region.contains(seen.l, seen.b, seen.distance / scale)
            stars[k] += inside.sum()
            for block in bins.of_region(k):
                counts[block.cells] += np.bincount(
                    block.cell_of(velocities[:, inside]), minlength=block.size + 1
                )
    of_cell = stars[[block.region for block in bins.blocks]][bins.block_of_cell]
    total = np.where(of_cell > 0, of_cell, np.nan)
    p = counts / total
    return Prediction(bins.split(p), bins.split(np.sqrt(p * (1 - p) / total)), stars.tolist())


def _numbers(sun: Sun) -> Sun:
    return Sun(*(float(a) for a in (sun.d, sun.z, sun.u, sun.v, sun.w, sun.v0)))
