"""Where to put nodes: densities close to those of the stars, from which points are drawn exactly.

Positions within a region follow a density that is constant in small cells of (l, sin b, distance); velocities
at a position follow a mixture of normal distributions, two for each component. Both are made from a reference
galaxy; a model that differs from it only makes the weights of the nodes less even.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.special import ndtr, ndtri

from galactions.galaxy.model import Galaxy
from galactions.projection.view import DISKS, View
from galactions.survey.frame import galactocentric
from galactions.survey.regions import Region
from galactions.survey.sun import Sun

Floats = NDArray[np.float64]

UNIFORM_SHARE = 0.1
"""Share of positions spread evenly over the region's volume, and of velocities in the broad mixture."""
INFLATION = 1.2
BROAD = 2.5
"""Factors on the dispersions of the narrow and of the broad part of the velocity mixture."""
REACH = 4.0
"""Standard errors of the distance by which stars may have come into a region from outside."""
_NEAREST = 1e-3
"""kpc; the Sun itself is left out."""
_R = 2.0 * np.sinh(np.linspace(0.0, np.arcsinh(40.0 / 2.0), 22))
_R[0] = 0.05
_Z = 0.5 * np.sinh(np.linspace(0.0, np.arcsinh(15.0 / 0.5), 12))
_LEAST_SIGMA = 3.0
"""km/s."""


@dataclass(frozen=True, eq=False)
class VelocityProposal:
    """Mixture of normal distributions of (v_R, v_phi, v_z), km/s, v_phi > 0 along rotation, by position.

    `table` interpolates, in R and |z|, five numbers a component: ln density (Msun/kpc^3), mean v_phi, and the
    three dispersions.
    """

    table: RegularGridInterpolator
    n_components: int

    @classmethod
    def of(cls, galaxy: Galaxy, components: tuple[str, ...] = DISKS) -> "VelocityProposal":
        """From the galaxy's own velocity moments on a coarse grid of (R, z)."""
        R, z = np.meshgrid(_R, _Z, indexing="ij")
        circular = np.asarray(galaxy.circular_velocity(R))
        columns: list[Floats] = []
        for name in components:
            m = galaxy.velocity_moments(name, R, z)
            density, mean, s_R, s_z, s_phi = (np.asarray(a) for a in m)
            # far out, where a disc has next to no stars, its moments are lost in rounding
            lost = ~(density > 1e-6) | ~np.isfinite(mean + s_R + s_z + s_phi)
            columns.append(np.log(np.where(lost, 1e-6, density)))
            columns.append(np.where(lost, circular, mean))
            columns += [np.where(lost, 50.0, np.maximum(s, _LEAST_SIGMA)) for s in (s_R, s_phi, s_z)]
        table = RegularGridInterpolator((_R, _Z), np.stack(columns, axis=-1))
        return cls(table, len(components))

    def _mixture(self, R: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Shares (2 C, n), mean v_phi (2 C, n), dispersions (2 C, 3, n): narrow parts, then broad ones."""
        at = np.stack([np.clip(R, _R[0], _R[-1]), np.clip(np.abs(z), _Z[0], _Z[-1])], axis=-1)
        table = self.table(at).T.reshape(self.n_components, 5, -1)
        density = np.exp(table[:, 0] - table[:, 0].max(axis=0)) + 0.02
        share = density / density.sum(axis=0)
        shares = np.concatenate([(1 - UNIFORM_SHARE) * share, UNIFORM_SHARE * share])
        mean = np.concatenate([table[:, 1], table[:, 1]])
        sigma = np.concatenate([INFLATION * table[:, 2:], BROAD * table[:, 2:]])
        return shares, mean, sigma

    def draw(self, R: Floats, z: Floats, u: Floats) -> tuple[Floats, Floats]:
        """Velocities (3, n) at R, z (n,) from points `u` (4, n) of the unit cube, and ln q of each (n,).

        q is the density in (km/s)^-3.
        """
        shares, mean, sigma = self._mixture(R, z)
        which = (np.cumsum(shares, axis=0)[:-1] < u[0]).sum(axis=0)
        n = np.arange(len(R))
        t = ndtri(np.clip(u[1:], 1e-12, 1 - 1e-12))
        v = sigma[which, :, n].T * t
        v[1] += mean[which, n]
        offset = np.broadcast_to(v, (len(shares), *v.shape)).copy()
        offset[:, 1] -= mean
        log_normal = -0.5 * ((offset / sigma) ** 2).sum(axis=1) - np.log(sigma).sum(axis=1)
        q = np.sum(shares * np.exp(log_normal), axis=0) * (2 * np.pi) ** -1.5
        return v, np.log(q)


@dataclass(frozen=True, eq=False)
class PositionProposal:
    """A density in (l in radians, sin b, distance in kpc) that is constant in each cell of a grid.

    `edges`: of the three axes; `cumulative` (n_b + 1,), (n_b, n_l + 1), (n_b, n_l, n_d + 1): distribution of
    b, of l given b, and of the distance given both.
    """

    edges: tuple[Floats, Floats, Floats]
    cumulative: tuple[Floats, Floats, Floats]
    log_density: Floats

    @classmethod
    def of(
        cls, region: Region, galaxy: Galaxy, sun: Sun, distance_fraction: float, chance: bool = True
    ) -> "PositionProposal":
        """Density d^2 times that of the disc stars, for true distances from which stars come into the region.

        `chance`: times the probability that they do (see `chance_inside`).
        """
        distances = true_distances(region, distance_fraction)
        n_l = int(np.clip(np.ceil((region.l[1] - region.l[0]) / 5.0), 2, 12))
        n_b = int(np.clip(np.ceil((region.b[1] - region.b[0]) / 2.5), 4, 24))
        l_edges = np.linspace(np.radians(region.l[0]), np.radians(region.l[1]), n_l + 1)
        s_edges = np.linspace(np.sin(np.radians(region.b[0])), np.sin(np.radians(region.b[1])), n_b + 1)
        d_edges = np.linspace(max(distances[0], _NEAREST), distances[1], 65)
        s, l, d = np.meshgrid(*(0.5 * (e[1:] + e[:-1]) for e in (s_edges, l_edges, d_edges)), indexing="ij")  # noqa: E741
        still = np.zeros(d.size)
        where = (np.degrees(l).ravel(), np.degrees(np.arcsin(s)).ravel(), d.ravel(), still, still, still)
        xv = np.asarray(galactocentric(*where, sun))
        R, z = np.hypot(xv[:, 0], xv[:, 1]), xv[:, 2]
        density = sum(np.asarray(galaxy.density(name, R, z)) for name in DISKS)
        mass = np.reshape(density, d.shape) * d**2
        even = d**2
        if chance and distance_fraction > 0:
            inside = chance_inside(region, d, distance_fraction)
            mass, even = mass * inside, even * inside
        mass = (1 - UNIFORM_SHARE) * mass / mass.sum() + UNIFORM_SHARE * even / even.sum()
        volume = (s_edges[1] - s_edges[0]) * (l_edges[1] - l_edges[0]) * (d_edges[1] - d_edges[0])
        by_b, by_l = mass.sum(axis=(1, 2)), mass.sum(axis=2)
        cumulative = (_cumulative(by_b), _cumulative(by_l), _cumulative(mass))
        return cls((l_edges, s_edges, d_edges), cumulative, np.log(mass / volume))

    def draw(self, u: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """l, b (deg), distance (kpc), each (n,), from points `u` (3, n) of the unit cube, and ln q (n,).

        q is the density in rad^-1 (of l), of sin b, and kpc^-1.
        """
        l_edges, s_edges, d_edges = self.edges
        of_b, of_l, of_d = self.cumulative
        i, s = _invert(np.broadcast_to(of_b, (u.shape[1], len(of_b))), s_edges, u[0])
        j, l = _invert(of_l[i], l_edges, u[1])  # noqa: E741
        k, d = _invert(of_d[i, j], d_edges, u[2])
        return np.degrees(l) % 360.0, np.degrees(np.arcsin(s)), d, self.log_density[i, j, k]


def _cumulative(mass: Floats) -> Floats:
    sums = np.cumsum(mass, axis=-1)
    zero = np.zeros((*mass.shape[:-1], 1))
    return np.concatenate([zero, sums / sums[..., -1:]], axis=-1)


def _invert(cumulative: Floats, edges: Floats, u: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Cell and value at which the piecewise linear distributions `cumulative` (n, m + 1) reach `u` (n,)."""
    cell = np.clip((cumulative[:, 1:] < u[:, None]).sum(axis=1), 0, len(edges) - 2)
    n = np.arange(len(u))
    low, high = cumulative[n, cell], cumulative[n, cell + 1]
    return cell, edges[cell] + (edges[cell + 1] - edges[cell]) * np.clip((u - low) / (high - low), 0.0, 1.0)


def true_distances(region: Region, distance_fraction: float) -> tuple[float, float]:
    """Range of true distances (kpc) from which stars come into a region of observed distances."""
    low, high = region.distance
    reach = REACH * distance_fraction
    return low / (1 + reach), high / max(1 - reach, 0.3)


def chance_inside(region: Region, distance: Floats, distance_fraction: float) -> Floats:
    """Probability (n,) that stars at true `distance` (n,) are observed within the region's distances.

    The law of `galactions.survey.observe`: d_obs = d (1 + f eps), eps standard normal, d_obs > 0.
    """
    low, high = region.distance
    if distance_fraction == 0:
        return ((distance >= low) & (distance < high)).astype(float)
    below = ndtr((low / distance - 1) / distance_fraction) if low > 0 else ndtr(-1 / distance_fraction)
    inside: Floats = ndtr((high / distance - 1) / distance_fraction) - below
    return inside / ndtr(1 / distance_fraction)


def to_observables(galactic: tuple[Floats, Floats, Floats], velocity: Floats, sun: Sun) -> Floats:
    """Observed coordinates (6, n) of stars at l, b (deg), distance (kpc) with v_R, v_phi, v_z (3, n) km/s."""
    from galactions.survey.frame import observed

    still = np.zeros(len(galactic[0]))
    xv = np.array(galactocentric(*galactic, still, still, still, sun))
    x, y = xv[:, 0], xv[:, 1]
    R = np.hypot(x, y)
    v_R, v_phi, v_z = velocity
    xv[:, 3] = (x * v_R + y * v_phi) / R
    xv[:, 4] = (y * v_R - x * v_phi) / R
    xv[:, 5] = v_z
    return np.stack([*galactic, *(np.asarray(a) for a in observed(xv, sun)[3:])])


def draw(
    positions: PositionProposal, velocities: VelocityProposal, sun: Sun, u: Floats
) -> tuple[Floats, Floats]:
    """Observed coordinates (6, n) at points `u` (7, n) of the unit cube, and the weight (n,) of f at each.

    The weight is d^2 / (q of position times q of velocity): the mass of all stars is the mean of f times it.
    """
    l, b, d, log_q = positions.draw(u[:3])  # noqa: E741
    still = np.zeros_like(d)
    xv = np.asarray(galactocentric(l, b, d, still, still, still, sun))
    velocity, log_q_v = velocities.draw(np.hypot(xv[:, 0], xv[:, 1]), xv[:, 2], u[3:7])
    return to_observables((l, b, d), velocity, sun), d**2 * np.exp(-log_q - log_q_v)


def reference_sun(galaxy: Galaxy) -> Sun:
    """The Sun of a galaxy, as plain numbers."""
    sun = View.of(galaxy).sun
    return Sun(*(float(a) for a in (sun.d, sun.z, sun.u, sun.v, sun.w, sun.v0)))
