"""A few of many points, and weights by which they stand for all of them.

The few are a systematic sample of the many, taken in the order of the cells they count in: each is chosen
with a known probability, close to its share in the reference model's mass. A second factor on their weights,
the calibration, makes the sums of the reference model over every cell those of the many points. What noise
is left in another model's histograms comes from how it differs from the reference alone.

Literature: Deville & Saerndal (1992, JASA 87, 376) for calibrated samples; Owen & Zhou (2000, JASA 95, 135)
for defensive mixtures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DEFENSIVE = 0.2
"""Share of the choices that follow the points' own density, wider than the reference model: it bounds the
weights of a model that is hotter than the reference."""
LEAST_IN_CELL = 8
"""So many of the few shall lie in each cell, however little mass it holds ..."""
_MOST_BOOST = 20.0
"""... as long as no point is chosen more often by this factor."""
_MOST_CALIBRATION = 4.0
"""Factors beyond this, or below its inverse, would trust a cell with next to no nodes in it."""


def choose(
    mass: Floats, cells: Sequence[Integers], sizes: Sequence[int], n: int, rng: np.random.Generator
) -> tuple[Integers, Floats]:
    """`n` of N points, as indices (n,), and one over the expected number of times each is chosen, (n,).

    mass (N,): of the reference model at each point. cells: for each observable, the cell of each point (N,),
    of so many as `sizes` says.
    """
    share = (1 - DEFENSIVE) * mass / mass.sum() + DEFENSIVE / len(mass)
    boost = np.ones(len(mass))
    for cell, size in zip(cells, sizes, strict=True):
        expected = n * np.bincount(cell, share, size)
        wanted = LEAST_IN_CELL / np.maximum(expected, LEAST_IN_CELL / _MOST_BOOST)
        boost = np.maximum(boost, wanted[cell])
    share = share * boost / np.sum(share * boost)
    order = np.lexsort(tuple(cells))
    steps = np.cumsum(share[order])
    ticks = (np.arange(n) + rng.random()) / n * steps[-1]
    index = order[np.searchsorted(steps, ticks, side="right").clip(max=len(mass) - 1)]
    return index, 1.0 / (n * share[index])


def calibration(mass: Floats, cell: Integers, wanted: Floats) -> Floats:
    """Factors (n,) by which the sums of `mass` (n,) over the cells become as `wanted` (n_cells,).

    Of all such factors they are those nearest to one (in the mean square). They are bounded, so cells that
    hold next to no nodes come closer to what is wanted but may not reach it.
    """
    found = np.bincount(cell, mass, len(wanted))
    squares = np.bincount(cell, mass**2, len(wanted))
    slope = np.divide(wanted - found, squares, out=np.zeros(len(wanted)), where=squares > 0)
    return np.clip(1.0 + slope[cell] * mass, 1.0 / _MOST_CALIBRATION, _MOST_CALIBRATION)
