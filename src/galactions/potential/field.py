"""The total axisymmetric potential as one smooth tabulated function of (R, z)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.constants import RHO_CRIT, G
from galactions.numerics.elementary import arcsinh
from galactions.numerics.program import program
from galactions.numerics.quadrature import gauss_legendre
from galactions.numerics.roots import bracketed_root, interpolated_root
from galactions.numerics.spline import Axis, Spline1D, Spline2D
from galactions.potential.densities import FlatDensity, Spheroid
from galactions.potential.multipole import MultipoleGrid, Operators, SamplePoints

R_SCALE = 0.3
Z_SCALE = 0.05
R_MAX = 3e4
R_AXIS = Axis.between(0.0, float(np.arcsinh(R_MAX / R_SCALE)), 288)
Z_AXIS = Axis.between(0.0, float(np.arcsinh(R_MAX / Z_SCALE)), 160)
POISSON_GRID = MultipoleGrid()


class RadialProfile(eqx.Module):
    """A potential as a function of one radius: cubic spline in asinh(r/a), nodes as in `Potential`."""

    table: Spline1D

    def __call__(self, r: Array) -> Array:
        """Potential in (km/s)^2 at r in kpc."""
        return self.table(arcsinh(r / R_SCALE))

    def derivatives(self, r: Array) -> tuple[Array, Array, Array]:
        """Potential, its first and its second derivative in r."""
        X = arcsinh(r / R_SCALE)
        width2 = r**2 + R_SCALE**2
        value, first, second = self.table.derivatives(X, (0, 1, 2))
        slope = first / jnp.sqrt(width2)
        return value, slope, (second - r * slope) / width2


class Potential(eqx.Module):
    """Axisymmetric potential, even in z: bicubic spline in (asinh R/a, asinh |z|/b).

    `central` is the value at the origin, (km/s)^2. Valid for R, |z| <= 3e4 kpc. The midplane is a line of
    nodes, so quantities taken along it agree with the full table to rounding.
    """

    table: Spline2D
    central: Float[Array, ""]

    def __call__(self, R: Array, z: Array) -> Array:
        """Potential in (km/s)^2 at R, z in kpc."""
        return self.table(arcsinh(R / R_SCALE), arcsinh(jnp.abs(z) / Z_SCALE))

    def gradient(self, R: Array, z: Array) -> tuple[Array, Array]:
        """(dPhi/dR, dPhi/dz) in (km/s)^2/kpc."""
        return self.field(R, z)[1:]

    def field(self, R: Array, z: Array) -> tuple[Array, Array, Array]:
        """(Phi, dPhi/dR, dPhi/dz) in (km/s)^2 and (km/s)^2/kpc."""
        value, slope_X, slope_Z = self.table.derivatives(
            arcsinh(R / R_SCALE), arcsinh(jnp.abs(z) / Z_SCALE), ((0, 0), (1, 0), (0, 1))
        )
        slope_R = slope_X / jnp.sqrt(R**2 + R_SCALE**2)
        return value, slope_R, jnp.sign(z) * slope_Z / jnp.sqrt(z**2 + Z_SCALE**2)

    def midplane(self, R: Array) -> tuple[Array, Array, Array, Array]:
        """Phi, dPhi/dR, d2Phi/dR2 and d2Phi/dz2 at z = 0."""
        X = arcsinh(R / R_SCALE)
        value, first, second = self.table.derivatives(X, jnp.zeros_like(R), ((0, 0), (1, 0), (2, 0)))
        # Five-point stencil: the second derivative of a cubic spline is of second order only.
        f1, f2 = (self.table(X, jnp.full_like(R, k * Z_AXIS.step)) for k in (1, 2))
        vertical = (-30 * value + 32 * f1 - 2 * f2) / (12 * Z_AXIS.step**2)
        width2 = R**2 + R_SCALE**2
        slope = first / jnp.sqrt(width2)
        return value, slope, (second - R * slope) / width2, vertical / Z_SCALE**2

    def midplane_profile(self) -> RadialProfile:
        """The potential along z = 0, equal to the full table to rounding."""
        return RadialProfile(
            Spline1D(R_AXIS, (self.table.coefficients[:, :3] @ np.array([1, 4, 1]) / 6)[:, None])
        )

    def spherical_average(self) -> RadialProfile:
        """The potential averaged over spheres."""
        c, w = gauss_legendre(24, 0.0, 1.0)
        r = R_SCALE * np.sinh(R_AXIS.nodes)[:, None]
        return RadialProfile(Spline1D.fit(R_AXIS, self(r * np.sqrt(1 - c**2), r * c) @ w, "even"))

    def circular_velocity(self, R: Array) -> Array:
        """Circular velocity in the midplane, km/s."""
        return jnp.sqrt(R * self.gradient(R, jnp.zeros_like(R))[0])

    def frequencies(self, R: Array) -> tuple[Array, Array, Array]:
        """Radial and vertical epicycle and circular frequency kappa, nu, Omega at R > 0, km/s/kpc."""
        _, slope, curvature, vertical = self.midplane(R)
        return jnp.sqrt(curvature + 3 * slope / R), jnp.sqrt(vertical), jnp.sqrt(slope / R)

    def circular_radius(self, L_z: Array) -> Array:
        """Radius of the circular orbit of angular momentum `L_z` > 0 (kpc km/s), kpc."""

        def excess(x: Array) -> tuple[Array, Array]:
            R = jnp.exp(x)
            _, slope, curvature, _ = self.midplane(R)
            return 0.5 * jnp.log(R**3 * slope) - jnp.log(L_z), 0.5 * (3 + R * curvature / slope)

        low, high = jnp.full_like(L_z, np.log(1e-4)), jnp.full_like(L_z, np.log(R_MAX))
        return jnp.exp(bracketed_root(excess, low, high, rising=True, iterations=40))

    def enclosed_mass(self, r: Array) -> Array:
        """Mass within the sphere of radius `r`, Msun, by Gauss's theorem on the sphere's surface."""
        c, w = gauss_legendre(24, 0.0, 1.0)
        R, z = r[..., None] * np.sqrt(1 - c**2), r[..., None] * c
        F_R, F_z = self.gradient(R, z)
        return r**2 / G * jnp.sum(w * (F_R * np.sqrt(1 - c**2) + F_z * c), axis=-1)

    def virial_radius(self) -> Array:
        """Radius within which the mean density is 200 times critical (H0 = 67.66 km/s/Mpc), kpc."""

        def excess(x: Array) -> Array:
            return jnp.log(self.enclosed_mass(jnp.exp(x)) / (800 * np.pi / 3 * RHO_CRIT)) - 3 * x

        ends = jnp.log(jnp.asarray(10.0)), jnp.log(jnp.asarray(2000.0))
        return jnp.exp(interpolated_root(excess, *ends, rising=False, iterations=60))


def solve_poisson(density: Float[Array, "n_r n_theta"], disks: Sequence[FlatDensity] = ()) -> Potential:
    """Potential of a smooth density plus analytic discs.

    `density` (Msun/kpc^3) is given at the nodes `POISSON_GRID.Rz`; the `disks` come on top, each as its
    analytic ansatz and the multipoles of the remainder.
    """
    return _solved(*_sources(density, tuple(disks)), *_constants())


@program()
def _sources(density: Array, disks: tuple[FlatDensity, ...]) -> tuple[Array, Array]:
    """The density that is expanded in multipoles, and the sum of the ansatzes at the points of the table."""
    residuals = (disk.residual_density(*POISSON_GRID.Rz) for disk in disks)
    R, z = _table_points()
    R_safe = np.where(R + z == 0, 1e-12, R)
    ansatzes = (disk.ansatz_potential(R_safe, z) for disk in disks)
    return sum(residuals, start=density), sum(ansatzes, start=jnp.zeros(R.shape))


@program()
def _solved(total: Array, ansatz: Array, operators: Operators, points: SamplePoints) -> Potential:
    values = POISSON_GRID.solve(total, operators).sample(points).reshape(ansatz.shape) + ansatz
    return Potential(Spline2D.fit(R_AXIS, Z_AXIS, values, "even", "even"), values[0, 0])


def _table_points() -> tuple[np.ndarray, np.ndarray]:
    R, z = np.meshgrid(R_SCALE * np.sinh(R_AXIS.nodes), Z_SCALE * np.sinh(Z_AXIS.nodes), indexing="ij")
    return R, z


@lru_cache(maxsize=1)
def _constants() -> tuple[Operators, SamplePoints]:
    """Some 64 MB, which one program takes as arguments: as constants, each program that solves Poisson's
    equation would hold them, be compiled with them and be read from disk with them."""
    R, z = _table_points()
    with jax.ensure_compile_time_eval():
        points = SamplePoints.at(POISSON_GRID, R.ravel(), z.ravel())
        return jax.tree.map(jnp.asarray, (POISSON_GRID.operators, points))


def spheroid_density(spheroid: Spheroid) -> Any:
    """Density of a spheroid at the nodes `POISSON_GRID.Rz`, Msun/kpc^3."""
    return spheroid.density(*POISSON_GRID.Rz)
