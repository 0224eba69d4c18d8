"""Where to put nodes in position: cells of a region, filled in proportion to a reference galaxy's stars."""

from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from galactions.projection.distance_selection import DistanceSelection, observed_selection
from galactions.projection.view import DISKS
from galactions.survey.distance_selection import DistanceDistribution
from galactions.survey.frame import galactocentric
from galactions.survey.regions import Region
from galactions.survey.sun import Sun

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

Floats = NDArray[np.float64]

EVEN_SHARE = 0.1
"""Share of positions spread evenly over the region's volume."""
REACH = 4.0
"""Standard errors of the distance by which stars may have come into a region from outside."""
_NEAREST = 1e-3
"""kpc; the Sun itself is left out."""
_CELLS = (16, 8, 64)
"""Cells in sin b, l and distance: the same for all regions, so that one compiled program serves them all."""


class PositionProposal(eqx.Module):
    """A density in (l in radians, sin b, distance in kpc) that is constant in each cell of a grid.

    `l_edges`, `s_edges`, `d_edges`: of the cells. `of_b` (n_b + 1,), `of_l` (n_b, n_l + 1), `of_d` (n_b, n_l,
    n_d + 1): cumulative distributions of sin b, of l given b, and of the distance given both. `log_density`
    (n_b, n_l, n_d): in rad^-1 kpc^-1.
    """

    l_edges: Array
    s_edges: Array
    d_edges: Array
    of_b: Array
    of_l: Array
    of_d: Array
    log_density: Array

    @classmethod
    def of(
        cls,
        region: Region,
        galaxy: "Galaxy",
        sun: Sun,
        distance_fraction: float,
        selection: DistanceSelection | None = None,
    ) -> "PositionProposal":
        """Density d^2 times that of the disc stars, for true distances from which stars come into the region.

        `selection`: times the chance that they are seen.
        """
        s_edges, l_edges, d_edges, density = _disc_density(region, galaxy, sun, distance_fraction)
        d = 0.5 * (d_edges[1:] + d_edges[:-1])
        even = np.broadcast_to(d**2, density.shape)
        if selection is not None:
            even = even * selection.chance(d, distance_fraction)
        mass = density * even
        mass = (1 - EVEN_SHARE) * mass / mass.sum() + EVEN_SHARE * even / even.sum()
        volume = (s_edges[1] - s_edges[0]) * (l_edges[1] - l_edges[0]) * (d_edges[1] - d_edges[0])
        cumulative = (_cumulative(m) for m in (mass.sum(axis=(1, 2)), mass.sum(axis=2), mass))
        columns = (l_edges, s_edges, d_edges, *cumulative, np.log(mass / volume))
        return cls(*(jnp.asarray(column) for column in columns))

    def draw(self, u: Float[Array, "3 n"]) -> tuple[Array, Array, Array, Array]:
        """l, b (deg), distance (kpc) from points `u` of the unit cube, and ln q, each (n,).

        q is the density in rad^-1 (of l), of sin b, and kpc^-1.
        """
        i, s = _invert(jnp.broadcast_to(self.of_b, (u.shape[1], len(self.of_b))), self.s_edges, u[0])
        j, l = _invert(self.of_l[i], self.l_edges, u[1])  # noqa: E741
        k, d = _invert(self.of_d[i, j], self.d_edges, u[2])
        return jnp.degrees(l) % 360.0, jnp.degrees(jnp.arcsin(s)), d, self.log_density[i, j, k]


def selection_like(
    observed: DistanceDistribution, region: Region, galaxy: "Galaxy", sun: Sun, distance_fraction: float
) -> DistanceSelection:
    """The selection with which the disc stars of a galaxy have the `observed` distances in a region."""
    _, _, d_edges, density = _disc_density(region, galaxy, sun, distance_fraction)
    d = 0.5 * (d_edges[1:] + d_edges[:-1])
    # to both ends of the region, of which half a cell is missing
    d, profile = (np.pad(a, 1, "edge") for a in (d, density.mean(axis=(0, 1))))
    d[[0, -1]] = d_edges[[0, -1]]
    return observed_selection(observed, d, profile, distance_fraction)


def _disc_density(
    region: Region, galaxy: "Galaxy", sun: Sun, distance_fraction: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Edges of the cells in sin b, l (rad) and distance (kpc), and the discs' density in their middles."""
    n_b, n_l, n_d = _CELLS
    near, far = true_distances(region, distance_fraction)
    l_edges = np.radians(np.linspace(*region.l, n_l + 1))
    low, high = (float(np.sin(np.radians(b))) for b in region.b)
    s_edges = np.linspace(low, high, n_b + 1)
    d_edges = np.linspace(max(near, _NEAREST), far, n_d + 1)
    s, l, d = np.meshgrid(*(0.5 * (e[1:] + e[:-1]) for e in (s_edges, l_edges, d_edges)), indexing="ij")  # noqa: E741
    still = np.zeros(d.size)
    where = (np.degrees(l).ravel(), np.degrees(np.arcsin(s)).ravel(), d.ravel(), still, still, still)
    x, y, z, *_ = np.asarray(galactocentric(*where, sun)).T
    density = sum(np.asarray(galaxy.density(name, np.hypot(x, y), z)) for name in DISKS)
    return s_edges, l_edges, d_edges, np.reshape(density, d.shape)


def _cumulative(mass: Floats) -> Floats:
    sums = np.cumsum(mass, axis=-1)
    zero = np.zeros((*mass.shape[:-1], 1))
    return np.concatenate([zero, sums / sums[..., -1:]], axis=-1)


def _invert(cumulative: Array, edges: Array, u: Array) -> tuple[Array, Array]:
    """Cell and value at which the piecewise linear distributions `cumulative` (n, m + 1) reach `u` (n,)."""
    cell = jnp.clip(jnp.sum(cumulative[:, 1:] < u[:, None], axis=1), 0, len(edges) - 2)
    n = jnp.arange(len(u))
    low, high = cumulative[n, cell], cumulative[n, cell + 1]
    return cell, edges[cell] + (edges[cell + 1] - edges[cell]) * jnp.clip((u - low) / (high - low), 0.0, 1.0)


def true_distances(region: Region, distance_fraction: float) -> tuple[float, float]:
    """Range of true distances (kpc) from which stars come into a region of observed distances."""
    low, high = region.distance
    reach = REACH * distance_fraction
    return low / (1 + reach), high / max(1 - reach, 0.3)
