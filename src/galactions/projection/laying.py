"""Laying the nodes of a region: many points of the reference galaxy, thinned and calibrated."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from galactions.projection.bins import Bins, Block
from galactions.projection.distance_selection import DistanceSelection
from galactions.projection.errors import RegionErrors
from galactions.projection.fine import fine_points
from galactions.projection.nodes import Nodes
from galactions.projection.proposal import Proposal
from galactions.projection.thinning import calibration, choose
from galactions.projection.view import View
from galactions.survey.frame import heliocentric

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RegionNodes:
    """The nodes of one region, as in `Nodes`; cells (n_observables, n) are counted from the region's first,
    and `replicate` (n,) says which each belongs to."""

    seen: Floats
    weight: Floats
    calibrated: Floats
    cells: Integers
    replicate: Integers
    reference: Floats
    reference_p: Floats
    reference_error: Floats


def lay(
    view: View,
    proposal: Proposal,
    selection: DistanceSelection,
    errors: RegionErrors,
    blocks: Sequence[Block],
    n: int,
    n_fine: int,
    seeds: Sequence[list[int]],
) -> RegionNodes:
    """`n` nodes for each of the replicates, whose `seeds` are given, chosen from `n_fine` points each."""
    sizes = [block.size + 1 for block in blocks]
    starts = np.cumsum([0, *sizes])
    sums, seen, weight, mass, cells = [], [], [], [], []
    for seed in seeds:
        points = fine_points(view, proposal, selection, errors, n_fine, seed)
        share = points.mass / n_fine
        own = [block.cell_of(points.observed) for block in blocks]
        sums.append(np.concatenate([np.bincount(c, share, m) for c, m in zip(own, sizes, strict=True)]))
        index, inverse = choose(share, own, sizes, n, np.random.default_rng([*seed, 1]))
        weight.append(points.weight[index] * inverse / (n_fine * len(seeds)))
        seen.append(points.seen[:, index])
        mass.append(points.f[index] * weight[-1])
        cells.append(np.stack([c[index] + start for c, start in zip(own, starts, strict=False)]))
    by_replicate, all_mass, all_cells = np.stack(sums), np.concatenate(mass), np.concatenate(cells, axis=1)
    wanted, n_cells = by_replicate.mean(axis=0), starts[-1]
    factors = np.stack([calibration(all_mass, row, wanted) for row in all_cells])
    replicate = np.repeat(np.arange(len(seeds)), n)
    reference = np.zeros(len(seeds) * n_cells)
    for row, factor in zip(all_cells, factors, strict=True):
        reference += np.bincount(replicate * n_cells + row, all_mass * factor, len(reference))
    p = by_replicate * len(blocks) / by_replicate.sum(axis=1, keepdims=True)
    return RegionNodes(
        np.concatenate(seen, axis=1),
        np.concatenate(weight),
        factors * np.concatenate(weight),
        all_cells,
        replicate,
        reference.reshape(len(seeds), n_cells),
        wanted * len(blocks) / wanted.sum(),
        p.std(axis=0, ddof=1) / np.sqrt(len(seeds)),
    )


def joined(parts: Sequence[RegionNodes], bins: Bins) -> Nodes:
    """The nodes of all regions, in the order of `bins`, end to end."""
    starts = np.cumsum([0, *(len(part.reference_p) for part in parts)])
    cells = [
        part.cells + part.replicate * bins.n_cells + start for part, start in zip(parts, starts, strict=False)
    ]
    seen = np.concatenate([part.seen for part in parts], axis=1)
    columns = (
        seen,
        heliocentric(*seen),
        np.concatenate([part.weight for part in parts]),
        np.concatenate([part.calibrated for part in parts], axis=1),
        np.concatenate(cells, axis=1).astype(np.int32),
        np.repeat(np.arange(len(parts)), [len(part.weight) for part in parts]).astype(np.int32),
        bins.block_of_cell.astype(np.int32),
        np.concatenate([part.reference for part in parts], axis=1),
        np.concatenate([part.reference_p for part in parts]),
        np.concatenate([part.reference_error for part in parts]),
    )
    return Nodes(*(jnp.asarray(column) for column in columns))
