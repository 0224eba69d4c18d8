"""Poisson's equation by expansion in Legendre polynomials on a fixed grid (even in z, axisymmetric).

The density is given on a grid of logarithmic radii and Gauss-Legendre angles. Between radial nodes each
multipole of the density is the cubic spline in ln r through its nodal values; its radial integrals are
then exact, so the map from nodal densities to multipoles of the potential (and their radial derivatives)
is a fixed matrix per order, made once.

The highest orders are those of thin discs. There the angular part of the Laplacian outweighs the radial one
by the square of l over the logarithmic slope of the density, and the potential follows from the density at
the same radius alone.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.legendre import legvander
from numpy.polynomial.polynomial import polyval

from galactions.constants import G
from galactions.numerics.quadrature import gauss_legendre
from galactions.numerics.spline import WEIGHTS, Axis, cubic_prefilter

CELLS = 8
"""Cells of a band: more make its matrices wider, fewer make more of them."""
FADED = 1e-6
"""Relative to its part at `r_flat`, that of an order which is left out."""
FEWEST = 8
"""Orders that are never left out."""


class Band(NamedTuple):
    """The cells from `first` to `last` of a grid's radii, and how many orders matter there."""

    first: int
    last: int
    n_orders: int


class Operators(NamedTuple):
    """Matrices of a `MultipoleGrid`: `analysis` (n_theta, n_l) from angular nodes to the coefficients of P_l;
    `value`, `slope` (n_whole, n_r + 1, n_r) from these to Phi_l and dPhi_l/dln r at the origin (first row)
    and the radii, for the orders that are not local; `coefficients` (n_r + 2, n_r) from values at the radii
    to those of a cubic spline in ln r.
    """

    analysis: Array | np.ndarray
    value: Array | np.ndarray
    slope: Array | np.ndarray
    coefficients: Array | np.ndarray


@dataclass(frozen=True)
class MultipoleGrid:
    """Nodes and operators of the solver.

    `n_r` radii between `r_min` and `r_max` (kpc), `n_theta` angles in 0 < cos(theta) < 1, even orders up
    to `l_max`, those above `l_whole` local. Inside `r_min` the density is taken as constant; beyond `r_max`
    its monopole falls as r^-3 (an untruncated NFW halo) and its higher multipoles vanish. r_flat: see
    `bands`.
    """

    n_r: int = 200
    r_min: float = 1e-3
    r_max: float = 3e4
    n_theta: int = 160
    l_max: int = 200
    l_whole: int = 80
    r_flat: float = 45.0

    @cached_property
    def axis(self) -> Axis:
        """Grid in ln r."""
        return Axis.between(np.log(self.r_min), np.log(self.r_max), self.n_r)

    @cached_property
    def r(self) -> np.ndarray:
        """Radii in kpc, shape (n_r,)."""
        return np.exp(self.axis.nodes)

    @cached_property
    def cos_theta(self) -> np.ndarray:
        """Angular nodes, shape (n_theta,): the upper half of the Gauss-Legendre rule of 2 n_theta nodes."""
        return gauss_legendre(2 * self.n_theta)[0][self.n_theta :]

    @cached_property
    def orders(self) -> np.ndarray:
        """Even orders l."""
        return np.arange(0, self.l_max + 1, 2)

    @cached_property
    def Rz(self) -> tuple[np.ndarray, np.ndarray]:
        """Cylindrical coordinates of the density nodes, each (n_r, n_theta), kpc."""
        sin_theta = np.sqrt(1 - self.cos_theta**2)
        return self.r[:, None] * sin_theta, self.r[:, None] * self.cos_theta

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """All cells, a few to a band, with the orders that matter there.

        What is flat, discs, ends within `r_flat`. Beyond, its multipoles fall as r^-(l+1), faster than those
        of what is round: orders whose part has fallen to `FADED` are left out, but for the `FEWEST` lowest.
        """
        found = []
        for first in range(0, self.n_r - 1, CELLS):
            last = min(first + CELLS, self.n_r - 1) - 1
            beyond = self.axis.nodes[first] - np.log(self.r_flat)
            highest = np.inf if beyond <= 0 else max(-np.log(FADED) / beyond, 2 * FEWEST - 2)
            found.append(Band(first, last, int(np.sum(self.orders <= highest))))
        return tuple(found)

    @cached_property
    def analysis(self) -> np.ndarray:
        """Matrix (n_theta, n_l) from angular nodes to the coefficients of P_l."""
        weights = gauss_legendre(2 * self.n_theta)[1][self.n_theta :]
        return (2 * self.orders + 1) * weights[:, None] * self.legendre(self.cos_theta, len(self.orders))

    def legendre(self, cos_theta: np.ndarray, n_orders: int) -> np.ndarray:
        """P_l of the lowest orders, shape (n, n_orders)."""
        return legvander(cos_theta, 2 * n_orders - 2)[:, ::2]

    @cached_property
    def operators(self) -> Operators:
        """The matrices that `solve` needs."""
        radial = _radial_operators(self.n_r, self.r_min, self.r_max, self.l_whole)
        return Operators(self.analysis, *radial, cubic_prefilter(self.n_r, "free"))

    def solve(self, density: Float[Array, "n_r n_theta"], operators: Operators) -> "Multipoles":
        """Potential of `density` (Msun/kpc^3 at the nodes `Rz`), with the grid's own `operators`."""
        rho = density @ operators.analysis
        source = 4 * jnp.pi * G * self.r[:, None] ** 2 * rho
        n = len(operators.value)
        value = jnp.einsum("lij,jl->il", operators.value, rho[:, :n])
        slope = jnp.einsum("lij,jl->il", operators.slope, rho[:, :n])
        square = self.orders * (self.orders + 1)
        curvature = source[:, :n] - slope[1:] + square[:n] * value[1:]
        local = operators.coefficients @ (-source[:, n:] / square[n:])
        below, at, above = local[:-2], local[1:-1], local[2:]
        step = self.axis.step
        return Multipoles(
            self,
            value[0, 0],
            jnp.hstack([value[1:], (below + 4 * at + above) / 6]),
            jnp.hstack([slope[1:], (above - below) / (2 * step)]),
            jnp.hstack([curvature, (above - 2 * at + below) / step**2]),
        )


@dataclass(frozen=True)
class Multipoles:
    """Multipoles of a potential in (km/s)^2: value, first and second derivative in ln r, each (n_r, n_l)."""

    grid: MultipoleGrid
    central: Float[Array, ""]
    value: Float[Array, "n_r n_l"]
    slope: Float[Array, "n_r n_l"]
    curvature: Float[Array, "n_r n_l"]

    def sample(self, points: "SamplePoints") -> Float[Array, " n"]:
        """Potential at fixed points, (km/s)^2.

        Band by band, each by one small product of matrices: to gather the multipoles of every point's own
        cell takes ten times as long.
        """
        found = []
        for band, weights, legendre in zip(self.grid.bands, points.weights, points.legendre, strict=True):
            rows, orders = slice(band.first, band.last + 2), slice(0, band.n_orders)
            parts = jnp.concatenate([f[rows, orders] for f in (self.value, self.slope, self.curvature)])
            found.append(jnp.sum((weights @ parts) * legendre, axis=1))
        return jnp.where(points.at_origin, self.central, jnp.concatenate(found)[points.place])


class SamplePoints(NamedTuple):
    """What it takes to evaluate `Multipoles` at n fixed points, which are sorted into the grid's bands.

    weights: for each band (n_band, 3 n_rows), of the values, the slopes and the curvatures at its radii:
    those of quintic Hermite interpolation in ln r. legendre: for each band (n_band, n_orders), P_l. place:
    where each point is among the sorted ones; at_origin: which are at the origin, each (n,).
    """

    weights: tuple[Array | np.ndarray, ...]
    legendre: tuple[Array | np.ndarray, ...]
    place: Array | np.ndarray
    at_origin: Array | np.ndarray

    @classmethod
    def at(cls, grid: MultipoleGrid, R: np.ndarray, z: np.ndarray) -> "SamplePoints":
        """Prepare the points (R, z), each of shape (n,), in kpc."""
        r = np.hypot(R, z)
        origin = r == 0
        safe = np.where(origin, grid.r_min, r)
        x = np.clip((np.log(safe) - grid.axis.start) / grid.axis.step, 0, grid.n_r - 1)
        cell = np.minimum(x.astype(int), grid.n_r - 2)
        ends = _hermite(x - cell, grid.axis.step)
        cos_theta = np.abs(z) / safe
        weights, legendre, members = [], [], []
        for band in grid.bands:
            inside = np.flatnonzero((cell >= band.first) & (cell <= band.last))
            own = np.zeros((3, len(inside), band.last + 2 - band.first))
            row, left = np.arange(len(inside)), cell[inside] - band.first
            for kind, pair in enumerate(ends):
                own[kind, row, left], own[kind, row, left + 1] = pair[:, inside]
            weights.append(np.concatenate(own, axis=1))
            legendre.append(grid.legendre(cos_theta[inside], band.n_orders))
            members.append(inside)
        place = np.empty(len(r), dtype=np.int32)
        place[np.concatenate(members)] = np.arange(len(r))
        return cls(tuple(weights), tuple(legendre), place, origin)


def _hermite(t: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of the values, slopes and curvatures at both ends of a cell of this length, each (2, n), for
    the place t in units of it."""
    value = np.stack([1 - t**3 * (10 - 15 * t + 6 * t**2), t**3 * (10 - 15 * t + 6 * t**2)])
    slope = step * np.stack([t - t**3 * (6 - 8 * t + 3 * t**2), -(t**3) * (4 - 7 * t + 3 * t**2)])
    curvature = step**2 / 2 * np.stack([t**2 * (1 - t) ** 3, t**3 * (1 - t) ** 2])
    return value, slope, curvature


@lru_cache(maxsize=4)
def _radial_operators(n_r: int, r_min: float, r_max: float, l_max: int) -> tuple[np.ndarray, np.ndarray]:
    axis = Axis.between(np.log(r_min), np.log(r_max), n_r)
    step, r = axis.step, np.exp(axis.nodes)
    to_coefficients = cubic_prefilter(n_r, "free")
    t, w = gauss_legendre(12, 0.0, 1.0)
    spline = polyval(t, WEIGHTS[3].T)  # (4, n_t)
    values, slopes = [], []
    for order in range(0, l_max + 1, 2):
        # Integrals over one cell, relative to the power of r at its outer (inner) edge; the growth of r^l
        # cancels in the recursions.
        inner_cell = (w * step * np.exp((order + 3) * step * (t - 1)) * spline).sum(axis=1)
        outer_cell = (w * step * np.exp((2 - order) * step * t) * spline).sum(axis=1)
        inner = np.zeros((n_r, n_r))  # I_i = r_i^-(l+1) int_0^r_i rho r^(l+2) dr
        inner[0, 0] = r[0] ** 2 / (order + 3)
        for i in range(1, n_r):
            inner[i] = inner[i - 1] * np.exp(-(order + 1) * step)
            inner[i] += r[i] ** 2 * (inner_cell @ to_coefficients[i - 1 : i + 3])
        outer = np.zeros((n_r, n_r))  # O_i = r_i^l int_r_i^inf rho r^(1-l) dr
        if order == 0:
            outer[-1, -1] = r[-1] ** 2
        for i in range(n_r - 2, -1, -1):
            outer[i] = outer[i + 1] * np.exp(-order * step)
            outer[i] += r[i] ** 2 * (outer_cell @ to_coefficients[i : i + 4])
        factor = -4 * np.pi * G / (2 * order + 1)
        centre = np.zeros(n_r)
        if order == 0:
            centre = factor * outer[0]
            centre[0] += factor * r[0] ** 2 / 2
        values.append(np.vstack([centre, factor * (inner + outer)]))
        slopes.append(np.vstack([np.zeros(n_r), factor * (order * outer - (order + 1) * inner)]))
    return np.stack(values), np.stack(slopes)
