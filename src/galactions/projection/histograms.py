"""`predict`: the velocity distributions of regions of the sky in a galaxy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from galactions.errors import ConfigError
from galactions.projection.bins import OBSERVABLES, Bins
from galactions.projection.distance_selection import DistanceSelection
from galactions.projection.errors import RegionErrors
from galactions.projection.fine import fine_points
from galactions.projection.positions import PositionProposal
from galactions.projection.prediction import Prediction
from galactions.projection.proposal import Proposal, reference_sun
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import View
from galactions.survey.regions import Region

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy


def predict(
    galaxy: "Galaxy",
    regions: Sequence[Region],
    edges: Mapping[str, ArrayLike],
    nodes: int = 131072,
    replicates: int = 4,
    seed: int = 0,
) -> Prediction:
    """Fractions of each region's disc stars (thin and thick) in bins of observed velocities, without errors.

    regions: boxes of l, b (deg) and distance (kpc). edges: bin edges (B + 1,), the same in all regions, of
    any of "v_los" (km/s), "pm_ra" (mu_alpha*) and "pm_dec" (mas/yr). nodes: quasi-random points in each
    region and replicate, rounded up to a power of two; replicates: independent sets of them, whose scatter
    gives each bin's error; the seed fixes them. The Sun is the model's: at d_sun, with v0 = v_circ(d_sun),
    20.8 pc above the plane, and the peculiar motion (11.10, 12.24, 7.25) km/s. Raises ConfigError for unknown
    observables, edges that do not increase, and impossible numbers.
    """
    limits = {name: np.asarray(values, dtype=float) for name, values in edges.items()}
    _check(limits, regions, nodes, replicates)
    bins = Bins.of([limits] * len(regions), range(len(regions)), len(regions))
    view, sun, velocities = View.of(galaxy), reference_sun(galaxy), VelocityProposal.of(galaxy)
    n = 2 ** int(np.ceil(np.log2(nodes)))
    p, error = np.zeros(bins.n_cells), np.zeros(bins.n_cells)
    ess = []
    for k, region in enumerate(regions):
        selection = DistanceSelection.of_region(region)
        proposal = Proposal(PositionProposal.of(region, galaxy, sun, 0.0, selection), velocities, sun)
        sums, totals, squares = np.zeros((replicates, bins.n_cells)), np.zeros(replicates), 0.0
        for replicate in range(replicates):
            points = fine_points(view, proposal, selection, RegionErrors(), n, [seed, k, replicate])
            for block in bins.of_region(k):
                cell = block.cell_of(points.observed)
                sums[replicate, block.cells] = np.bincount(cell, points.mass, block.size + 1)
            totals[replicate] = points.mass.sum()
            squares += np.sum(points.mass**2)
        p += sums.sum(axis=0) / totals.sum()
        error += (sums / totals[:, None]).std(axis=0, ddof=1) / np.sqrt(replicates)
        ess.append(float(totals.sum() ** 2 / squares))
    return Prediction(bins.split(p), bins.split(error), ess)


def _check(limits: Mapping[str, np.ndarray], regions: Sequence[Region], nodes: int, replicates: int) -> None:
    for name, values in limits.items():
        if name not in OBSERVABLES:
            raise ConfigError(f"edges of {name!r}: no such observable; allowed are {', '.join(OBSERVABLES)}")
        if values.ndim != 1 or len(values) < 2 or not np.all(np.diff(values) > 0):
            raise ConfigError(f"edges of {name}: found {values}; allowed: two or more numbers that increase")
    if not limits:
        raise ConfigError(f"no edges: give bins of at least one of {', '.join(OBSERVABLES)}")
    if not regions:
        raise ConfigError("no regions to predict: at least one is needed")
    if nodes < 2 or replicates < 2:
        raise ConfigError(f"nodes = {nodes}, replicates = {replicates}: at least 2 of each are needed")
