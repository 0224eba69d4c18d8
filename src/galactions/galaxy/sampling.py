"""Stars drawn from a model's distribution functions (paper, section 3.1, step iii)."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from galactions.actions.table import ActionTable
from galactions.errors import ModelError
from galactions.galaxy.majorant import Majorant, judge, make_majorant

if TYPE_CHECKING:
    from galactions.galaxy.model import Galaxy

Floats = NDArray[np.float64]

BLOCK = 1 << 18
"""Candidates drawn with one state of the random generator: part of what a seed means."""
_CHUNK = 1 << 14
"""Candidates judged at once; a block's candidates of one component are padded to a multiple of it."""


class Stars(NamedTuple):
    """Stars of equal mass: `xv` (n, 6), x, y, z (kpc) and v_x, v_y, v_z (km/s) in the paper's frame, and the
    number of each star's component in the order asked for (n,).
    """

    xv: Floats
    component: NDArray[np.int8]

    def rows(self, start: int, stop: int | None = None) -> "Stars":
        """Some of the stars."""
        return Stars(self.xv[start:stop], self.component[start:stop])

    @classmethod
    def joined(cls, parts: Sequence["Stars"]) -> "Stars":
        """The stars of all `parts`."""
        return cls(np.concatenate([p.xv for p in parts]), np.concatenate([p.component for p in parts]))


class Sampler:
    """Draws stars from the DFs of `components` of a galaxy, block by block.

    Making one tabulates a majorant of f over phase space for each component (seconds); drawing is exact for
    any majorant. Every block has a random generator of its own, so the stars of a seed are one sequence, the
    same for every number of threads and however it is cut into chunks. Without `components`, all discs with
    a DF. Raises `ModelError` for components that are unknown or have no DF.
    """

    def __init__(self, galaxy: "Galaxy", components: Sequence[str] | None = None) -> None:
        if components is None:
            components = galaxy.spec.stellar_disks
        if not components or len(set(components)) < len(components):
            raise ModelError(f"components = {tuple(components)!r}: name one or more, each once")
        self.components = tuple(components)
        self._actions: ActionTable = galaxy.action_table
        self._majorants = [make_majorant(galaxy.df(name), self._actions) for name in self.components]
        masses = np.array([majorant.mass for majorant in self._majorants])
        self._shares = masses / masses.sum()

    def block(self, seed: int, number: int) -> Stars:
        """The stars of block `number` (0, 1, ...) of the sequence of `seed`, in random order."""
        rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, number])))
        counts = rng.multinomial(BLOCK, self._shares)
        parts = [self._draw(m, int(count), rng) for m, count in zip(self._majorants, counts, strict=True)]
        order = rng.permutation(sum(part.shape[1] for part in parts))
        labels = np.repeat(np.arange(len(parts), dtype=np.int8), [part.shape[1] for part in parts])
        meridional = np.concatenate(parts, axis=1)[:, order]
        return Stars(_with_azimuth(meridional, rng), labels[order])

    def blocks(self, seed: int, threads: int = 2) -> Iterator[Stars]:
        """All blocks of the sequence of `seed`, in order and without end; `threads` are drawn ahead."""
        with ThreadPoolExecutor(threads) as pool:
            ahead: deque[Future[Stars]] = deque()
            try:
                for number in itertools.count():
                    ahead.append(pool.submit(self.block, seed, number))
                    if len(ahead) > threads:
                        yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def stars(self, n: int, seed: int, chunk: int) -> Iterator[Stars]:
        """The first `n` stars of the sequence of `seed`, in chunks of `chunk` (the last one may be shorter).

        Raises `ModelError` for numbers that are not whole or too small.
        """
        for name, value, least in (("n", n, 0), ("seed", seed, 0), ("chunk", chunk, 1)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ModelError(f"{name} = {value!r}: must be a whole number, {least} or more")
        return self._chunks(n, seed, chunk)

    def sample(self, n: int, seed: int = 0) -> Stars:
        """The first `n` stars of the sequence of `seed`."""
        empty = Stars(np.empty((0, 6)), np.empty(0, np.int8))
        return next(self.stars(n, seed, max(n, 1)), empty)

    def _chunks(self, n: int, seed: int, chunk: int) -> Iterator[Stars]:
        waiting: list[Stars] = []
        held, left = 0, n
        for stars in self.blocks(seed) if n else ():
            waiting.append(stars)
            held += len(stars.xv)
            while left and held >= min(chunk, left):
                size = min(chunk, left)
                joined = Stars.joined(waiting)
                yield joined.rows(0, size)
                waiting = [joined.rows(size)]
                held, left = held - size, left - size
            if not left:
                return

    def _draw(self, majorant: Majorant, count: int, rng: np.random.Generator) -> Floats:
        """R, z, v_R, v_z, v_phi (5, m) of the stars among `count` candidates."""
        # Uniform numbers in rising order, from the gaps between them: the search through the cells, and the
        # look-ups of neighbouring candidates, then stay in the processor's caches.
        rising = np.cumsum(rng.standard_exponential(count + 1))
        target = rising[:-1] * (majorant.mass / rising[-1])
        cell = np.searchsorted(majorant.cumulative, target, side="right").astype(np.int32)
        cell = np.minimum(cell, len(majorant.bound) - 1)
        found = []
        for start in range(0, count, _CHUNK):
            numbers = cell[start : start + _CHUNK]
            size = len(numbers)
            padded = np.pad(numbers, (0, _CHUNK - size), mode="edge")
            uniform = rng.random((6, _CHUNK))
            point, copies = judge(
                majorant.df,
                self._actions,
                majorant.cells,
                jnp.asarray(padded),
                jnp.asarray(majorant.bound[padded]),
                jnp.asarray(uniform[:5]),
                jnp.asarray(uniform[5]),
            )
            kept = np.repeat(np.arange(size), np.asarray(copies)[:size])
            found.append(np.stack([np.asarray(column)[kept] for column in point[:5]]))
        return np.concatenate(found, axis=1) if found else np.empty((5, 0))


def _with_azimuth(meridional: Floats, rng: np.random.Generator) -> Floats:
    """Cartesian coordinates (n, 6): azimuth, side of the plane and sense of the meridional motion at random.

    v_phi > 0 along the disc's rotation becomes clockwise motion seen from the north, as in the paper's frame.
    """
    R, z, v_R, v_z, v_phi = meridional
    n = len(R)
    azimuth = 2 * np.pi * rng.random(n)
    signs = rng.integers(0, 4, n)
    side, sense = 1.0 - 2.0 * (signs & 1), 1.0 - (signs & 2)
    cos, sin = np.cos(azimuth), np.sin(azimuth)
    v_R = sense * v_R
    xv = np.empty((n, 6))
    xv[:, 0], xv[:, 1], xv[:, 2] = R * cos, R * sin, side * z
    xv[:, 3] = v_R * cos + v_phi * sin
    xv[:, 4] = v_R * sin - v_phi * cos
    xv[:, 5] = side * sense * v_z
    return xv
