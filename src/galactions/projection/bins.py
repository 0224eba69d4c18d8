"""The bins of all regions and observables, end to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

OBSERVABLES = ("v_los", "pm_ra", "pm_dec")


@dataclass(frozen=True, eq=False)
class Block:
    """The bins between `edges` (B + 1,) of an observable in region number `region`, as B + 1 cells from
    number `start` on: the last takes what lies outside all edges."""

    region: int
    observable: str
    edges: Floats
    start: int

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1

    @property
    def cells(self) -> slice:
        """Its cells, the one outside too."""
        return slice(self.start, self.start + self.size + 1)

    @property
    def bins(self) -> slice:
        """Its bins alone."""
        return slice(self.start, self.start + self.size)

    def cell_of(self, observed: Floats) -> NDArray[np.int64]:
        """In which of its cells, counted from 0, each of `observed` (3, n) lies: lower <= x < upper."""
        cell = np.searchsorted(self.edges, observed[OBSERVABLES.index(self.observable)], side="right") - 1
        return np.where(cell < 0, self.size, np.minimum(cell, self.size))


@dataclass(frozen=True, eq=False)
class Bins:
    """All blocks of a survey. numbers: of the K regions that have bins, of `n_regions`; observables: names in
    the order of `OBSERVABLES`; n_cells: in all blocks together."""

    blocks: tuple[Block, ...]
    numbers: tuple[int, ...]
    n_regions: int
    observables: tuple[str, ...]
    n_cells: int

    @classmethod
    def of(cls, edges: Sequence[Mapping[str, Floats]], numbers: Sequence[int], n_regions: int) -> "Bins":
        """Blocks for the `edges` of each region, of those with the given `numbers`."""
        names = tuple(name for name in OBSERVABLES if name in edges[numbers[0]])
        blocks = []
        start = 0
        for k in numbers:
            for name in names:
                blocks.append(Block(k, name, np.asarray(edges[k][name], dtype=float), start))
                start += blocks[-1].size + 1
        return cls(tuple(blocks), tuple(numbers), n_regions, names, start)

    def of_region(self, k: int) -> tuple[Block, ...]:
        """The blocks of region number k, one for each observable."""
        return tuple(block for block in self.blocks if block.region == k)

    @property
    def block_of_cell(self) -> NDArray[np.int64]:
        """Number of the block of each cell (n_cells,)."""
        return np.repeat(np.arange(len(self.blocks)), [block.size + 1 for block in self.blocks])

    def split(self, cells: NDArray[np.float64]) -> dict[str, list[NDArray[np.float64]]]:
        """Values of all cells (n_cells, ...) as `[observable][region]`: bins only, none for other regions."""
        nothing = np.zeros((0, *cells.shape[1:]))
        parts = {name: [nothing] * self.n_regions for name in self.observables}
        for block in self.blocks:
            parts[block.observable][block.region] = cells[block.bins]
        return parts

    def joined(self, parts: Mapping[str, Sequence[ArrayLike]]) -> NDArray[np.float64]:
        """Values of all cells (n_cells,) from those of bins as `split` gives them: zero outside of all
        bins."""
        cells = np.zeros(self.n_cells)
        for block in self.blocks:
            cells[block.bins] = parts[block.observable][block.region]
        return cells
