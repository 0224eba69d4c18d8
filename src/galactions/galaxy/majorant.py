"""A function that is constant in cells of phase space and nowhere much below a component's DF.

Candidates drawn from it and kept with the probability f/majorant are exact draws from f. In a cell the
majorant is a little more than the largest value at the cell's corners. Where f is higher still, a candidate
is kept as many times as f/majorant says on average, so that the expected number of stars is f everywhere;
such cells hold next to nothing of the mass.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from galactions.actions.table import ActionTable
from galactions.df.base import DistributionFunction
from galactions.galaxy.phase_space import PhaseCells, PhasePoint, phase_cells
from galactions.numerics.program import program

MARGIN = 1.08
"""Factor by which the majorant exceeds the values at the corners of its cell."""
_LEAST = 1e-7
"""Share of a component's largest value per cell; the majorant is not below it, so that no cell is empty."""
_BATCH = 8


class Majorant(NamedTuple):
    """A component's majorant: `bound` (n_positions n_velocities,) in Msun per unit cube, and its running sum
    `cumulative` over equal cells, in Msun.
    """

    df: DistributionFunction
    cells: PhaseCells
    bound: NDArray[np.float64]
    cumulative: NDArray[np.float64]

    @property
    def mass(self) -> float:
        """Integral of the majorant, Msun."""
        return float(self.cumulative[-1])


def make_majorant(df: DistributionFunction, actions: ActionTable) -> Majorant:
    """The majorant of `df` in the potential of `actions`."""
    cells = phase_cells(df, actions.potential)
    bound = np.asarray(_bounds(df, actions, cells)).ravel()
    bound = MARGIN * bound + _LEAST * bound.max()
    return Majorant(df, cells, bound, np.cumsum(bound) / bound.size)


def mass_per_cube(df: DistributionFunction, actions: ActionTable, point: PhasePoint) -> Array:
    """f times the volume, Msun per unit cube; zero for unbound stars."""
    return _weighed(df, actions(*point[:5]), point.volume)


def _weighed(df: DistributionFunction, J: tuple[Array, Array, Array], volume: Array) -> Array:
    J_r, J_z, J_phi = J
    bound = ~jnp.isnan(J_r)
    f = df(jnp.where(bound, J_r, 0.0), jnp.where(bound, J_z, 0.0), J_phi)
    return jnp.where(bound, f * volume, 0.0)


@eqx.filter_jit
def _bounds(df: DistributionFunction, actions: ActionTable, cells: PhaseCells) -> Float[Array, "cells n"]:
    """The largest value at the corners of each cell."""
    grid = jnp.meshgrid(*(np.linspace(0.0, 1.0, n + 1) for n in cells.shape[2:]), indexing="ij")
    nodes = jnp.stack([axis.ravel() for axis in grid])
    count = nodes.shape[1]

    def in_cell(item: tuple[Array, Array]) -> Array:
        corners, scales = item  # (2, 4), (scales,)
        position = jnp.repeat(corners, count, axis=1)
        u = jnp.concatenate([position, jnp.tile(nodes, (1, corners.shape[1]))])
        point = cells.point(u, jnp.broadcast_to(scales[:, None], (len(scales), u.shape[1])))
        values = mass_per_cube(df, actions, point).reshape(corners.shape[1], *grid[0].shape).max(axis=0)
        for axis in range(3):
            lower, upper = (jnp.take(values, np.arange(k, values.shape[axis] - 1 + k), axis) for k in (0, 1))
            values = jnp.maximum(lower, upper)
        return values.ravel()

    corners = jnp.asarray(cells.corners()).transpose(1, 0, 2)
    return jax.lax.map(in_cell, (corners, cells.local), batch_size=_BATCH)


class Candidates(NamedTuple):
    """Points drawn from a majorant, and how many times each is to be kept."""

    point: PhasePoint
    copies: Array


def judge(
    df: DistributionFunction,
    actions: ActionTable,
    cells: PhaseCells,
    cell: Array,
    bound: Array,
    inside: Float[Array, "5 n"],
    chance: Array,
) -> Candidates:
    """Candidates in the cells numbered `cell` (n,), at `inside` (between 0 and 1) within them.

    `bound` is the majorant there, `chance` uniform between 0 and 1.
    """
    # Three programs, not one: compiled together, coordinates are computed again for each of their uses.
    point = _place(cells, cell, inside)
    return Candidates(point, _copies(df, _actions(actions, point[:5]), point.volume, bound, chance))


@program()
def _place(cells: PhaseCells, cell: Array, inside: Array) -> PhasePoint:
    index = jnp.stack(jnp.unravel_index(cell, cells.shape))
    u = (index + inside) / np.asarray(cells.shape)[:, None]
    return cells.point(u, cells.local[index[0] * cells.shape[1] + index[1]].T)


@program()
def _actions(actions: ActionTable, coordinates: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    return actions(*coordinates)


@program()
def _copies(
    df: DistributionFunction, J: tuple[Array, Array, Array], volume: Array, bound: Array, chance: Array
) -> Array:
    return jnp.floor(_weighed(df, J, volume) / bound + chance).astype(jnp.int32)
