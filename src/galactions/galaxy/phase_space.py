"""Phase space cut into cells: coordinates in which a component's stars are spread over a unit cube.

Positions take two of the five coordinates; the azimuth is left out, since all models are axisymmetric. In
each cell of position the three velocity coordinates are stretched to the local dispersions and reach to the
escape velocity, so that all bound orbits are covered. Models are symmetric about z = 0 and under reversal of
the meridional motion, so z >= 0, and v_R >= 0, stand for both signs.
"""

import abc
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.df.base import DiskFunction, DistributionFunction
from galactions.potential.field import Potential

_LEAST_SIGMA = 1.0
"""km/s; cells are not finer than this where a disc is colder."""


class PhasePoint(NamedTuple):
    """R, z >= 0 (kpc) and v_R, v_z, v_phi (km/s), and the volume of phase space per unit cube,
    kpc^3 (km/s)^3, azimuth and signs included.
    """

    R: Array
    z: Array
    v_R: Array
    v_z: Array
    v_phi: Array
    volume: Array


class PhaseCells(eqx.Module):
    """A map of the unit cube onto the phase space of one component, cut into equal cells of `shape`.

    `local` holds, for each cell in position (first axis), the scales of velocity there.
    """

    shape: ClassVar[tuple[int, int, int, int, int]]
    local: eqx.AbstractVar[Float[Array, "cells scales"]]

    @abc.abstractmethod
    def point(self, u: Float[Array, "5 n"], scales: Float[Array, "scales n"]) -> PhasePoint:
        """The points of phase space at `u` in the unit cube, in cells of the given local scales."""

    @property
    def n_positions(self) -> int:
        """Number of cells in position."""
        return self.shape[0] * self.shape[1]

    @property
    def n_velocities(self) -> int:
        """Number of cells in velocity, of each cell in position."""
        return int(np.prod(self.shape[2:]))

    @classmethod
    def corners(cls) -> np.ndarray:
        """Coordinates (2, n_positions, 4) of the corners of the cells in position."""
        i, j = (a.ravel() for a in np.indices(cls.shape[:2]))
        ends = [(a, b) for a in (0, 1) for b in (0, 1)]
        return np.stack(
            [np.stack([(i + a) / cls.shape[0], (j + b) / cls.shape[1]]) for a, b in ends], axis=-1
        )


class DiskCells(PhaseCells):
    """Cells in (R, z) out to 60 and 40 kpc, and in v_phi, v_R >= 0 and v_z about the circular orbit.

    Positions are uniform in asinh of the coordinate over a fixed scale. Velocities are uniform in w =
    v/sqrt(v^2 + s^2) with s^2 three times the DF's own variance: in w a normal distribution is level but for
    its tails, so that cells lie where the stars are. `local`: circular velocity, scale in the plane, least
    and largest w of v_phi and largest of v_R, and scale and largest w of v_z.
    """

    local: Float[Array, "cells 7"]

    shape = (36, 30, 16, 8, 12)
    R_scale: ClassVar[float] = 3.0
    z_scale: ClassVar[float] = 0.4
    R_max: ClassVar[float] = 60.0
    z_max: ClassVar[float] = 40.0

    @classmethod
    def of(cls, df: DiskFunction, potential: Potential) -> "DiskCells":
        """Cells for `df` in `potential`."""
        R, z, _ = cls._position(jnp.asarray(cls.corners()))
        escape = 1.001 * jnp.sqrt(2 * jnp.max(-potential(R, z), axis=-1))
        R = jnp.mean(R, axis=-1)
        kappa, nu, Omega = potential.frequencies(R)
        v_circ = R * Omega
        scale_r, scale_z = df.action_scales(R * v_circ)
        s_R = jnp.sqrt(3 * (kappa * scale_r + _LEAST_SIGMA**2))
        s_z = jnp.sqrt(3 * (nu * scale_z + _LEAST_SIGMA**2))
        low, high = (v / jnp.hypot(v, s_R) for v in (-escape - v_circ, escape - v_circ))
        reach_R, reach_z = (escape / jnp.hypot(escape, s) for s in (s_R, s_z))
        return cls(jnp.stack([v_circ, s_R, low, high, reach_R, s_z, reach_z], axis=1))

    @classmethod
    def _position(cls, u: Array) -> tuple[Array, Array, Array]:
        a, b = np.arcsinh(cls.R_max / cls.R_scale), np.arcsinh(cls.z_max / cls.z_scale)
        R, z = cls.R_scale * jnp.sinh(a * u[0]), cls.z_scale * jnp.sinh(b * u[1])
        volume = 4 * np.pi * R * a * jnp.hypot(R, cls.R_scale) * b * jnp.hypot(z, cls.z_scale)
        return jnp.maximum(R, 1e-4), z, volume

    def point(self, u: Float[Array, "5 n"], scales: Float[Array, "scales n"]) -> PhasePoint:
        """The points of phase space at `u` in the unit cube, in cells of the given local scales."""
        v_circ, s_R, low, high, reach_R, s_z, reach_z = scales
        R, z, volume = self._position(u)
        v_phi, d_phi = _from_w(low + (high - low) * u[2], s_R)
        v_R, d_R = _from_w(reach_R * u[3], s_R)
        v_z, d_z = _from_w(reach_z * (2 * u[4] - 1), s_z)
        volume *= 2 * (high - low) * d_phi * reach_R * d_R * 2 * reach_z * d_z
        return PhasePoint(R, z, v_R, v_z, v_circ + v_phi, volume)


def _from_w(w: Array, s: Array) -> tuple[Array, Array]:
    """v = s w/sqrt(1 - w^2), and dv/dw."""
    rest = (1 - w) * (1 + w)
    return s * w / jnp.sqrt(rest), s * rest**-1.5


class SpheroidCells(PhaseCells):
    """Cells in r (to 1500 kpc) and cos(theta), and in speed and direction.

    The radius is uniform in asinh(r/0.05 kpc), the speed v in arcsin(v/v_escape), the direction in the cosine
    to the sense of rotation and in the angle of the meridional motion, 0 to pi. `local`: escape speed.
    """

    local: Float[Array, "cells 1"]

    shape = (64, 6, 16, 8, 6)
    r_scale: ClassVar[float] = 0.05
    r_max: ClassVar[float] = 1500.0

    @classmethod
    def of(cls, potential: Potential) -> "SpheroidCells":
        """Cells in `potential`."""
        R, z, _ = cls._position(jnp.asarray(cls.corners()))
        return cls(1.001 * jnp.sqrt(2 * jnp.max(-potential(R, z), axis=-1))[:, None])

    @classmethod
    def _position(cls, u: Array) -> tuple[Array, Array, Array]:
        a = np.arcsinh(cls.r_max / cls.r_scale)
        r, c = cls.r_scale * jnp.sinh(a * u[0]), u[1]
        volume = 4 * np.pi * r**2 * a * jnp.hypot(r, cls.r_scale)
        return jnp.maximum(r * jnp.sqrt(1 - c**2), 1e-4), r * c, volume

    def point(self, u: Float[Array, "5 n"], scales: Float[Array, "scales n"]) -> PhasePoint:
        """The points of phase space at `u` in the unit cube, in cells of the given local scales."""
        (escape,) = scales
        R, z, volume = self._position(u)
        t = 0.5 * np.pi * u[2]
        v, mu, angle = escape * jnp.sin(t), 2 * u[3] - 1, np.pi * u[4]
        across = v * jnp.sqrt(1 - mu**2)
        volume *= 2 * v**2 * escape * 0.5 * np.pi * jnp.cos(t) * 2 * np.pi
        return PhasePoint(R, z, across * jnp.sin(angle), across * jnp.cos(angle), v * mu, volume)


def phase_cells(df: DistributionFunction, potential: Potential) -> PhaseCells:
    """The cells that suit `df` in `potential`."""
    return DiskCells.of(df, potential) if isinstance(df, DiskFunction) else SpheroidCells.of(potential)
