"""Densities computed from DFs at a few nodes and interpolated everywhere."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.table import ActionTable
from galactions.df.base import DiskFunction, DistributionFunction
from galactions.galaxy.moments import density_at_once
from galactions.numerics.elementary import arcsinh
from galactions.numerics.quadrature import gauss_legendre
from galactions.numerics.spline import Axis, Spline1D, Spline2D
from galactions.potential.densities import Coordinate
from galactions.potential.field import POISSON_GRID

_DISK_R, _DISK_Z = 0.6, 0.25
_DISK_R_MAX, _DISK_Z_MAX = 45.0, 20.0
_R_AXIS = Axis.between(0.0, float(np.arcsinh(_DISK_R_MAX / _DISK_R)), 24)
_Z_AXIS = Axis.between(0.0, float(np.arcsinh(_DISK_Z_MAX / _DISK_Z)), 18)
_LOG_R_AXIS = Axis.between(np.log(2e-3), np.log(1.5e3), 32)
SPHEROID_ANGLES = 3
"""Angles between the plane and the pole at which densities of spheroids are computed: 3 is a multipole
expansion to order 4, as of the reference models. A halo above a thin disc is flattened more sharply than that
resolves: 9 angles change v_circ by up to 0.6% inside 10 kpc.
"""
_NEGLIGIBLE = 1.0
"""Msun/kpc^3; where no more than this is expected of a disc, its density is not computed anew."""
_PLACES = 12
"""Places, neighbours in R at one z, that are computed or left out together."""
_FLOOR = 1e-9
"""Msun/kpc^3; densities below this are of no account and keep their logarithm finite."""


class DiskDensity(eqx.Module):
    """Density of a disc: bicubic spline of its logarithm in (asinh R/0.6 kpc, asinh |z|/0.25 kpc).

    Zero beyond R = 45 or |z| = 20 kpc.
    """

    table: Spline2D

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Msun/kpc^3 at R, z in kpc."""
        z = jnp.abs(z)
        inside = (R <= _DISK_R_MAX) & (z <= _DISK_Z_MAX)
        return jnp.where(inside, jnp.exp(self.log(R, z)), 0.0)

    def log(self, R: Coordinate, z: Coordinate) -> Array:
        """Its natural logarithm, z >= 0; constant beyond the ends of the table."""
        return self.table(
            arcsinh(jnp.minimum(R, _DISK_R_MAX) / _DISK_R),
            arcsinh(jnp.minimum(z, _DISK_Z_MAX) / _DISK_Z),
        )


class SpheroidDensity(eqx.Module):
    """Density of a spheroid: a spherical profile times the exponential of a smooth correction.

    `profile` is the logarithm of the initial density averaged over spheres, in ln r; `correction` the
    coefficients, in ln r, of a polynomial in cos^2(theta), exact in the midplane among others. Constant
    outside 0.002 - 1500 kpc.
    """

    profile: Spline1D
    correction: Spline1D

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Msun/kpc^3 at R, z in kpc, away from the origin."""
        r2 = R**2 + z**2
        x = 0.5 * jnp.log(r2)
        c2 = z**2 / r2
        coefficients = self.correction.all(jnp.clip(x, _LOG_R_AXIS.start, _LOG_R_AXIS.nodes[-1]))
        correction = jnp.zeros_like(r2)
        for coefficient in reversed(coefficients):
            correction = coefficient + c2 * correction
        return jnp.exp(self.profile(x) + correction)


def tabulate_density(
    df: DistributionFunction,
    actions: ActionTable,
    expected: Array | None = None,
    angles: int = SPHEROID_ANGLES,
) -> DiskDensity | SpheroidDensity:
    """Density of `df` in the potential of `actions`.

    `expected` is, for a spheroid, its initial density averaged over spheres at the radii of the Poisson
    grid, and its density is computed at this number of `angles`. For a disc it is its density before, at
    the `disk_places`: where that is negligible it is kept.
    """
    if isinstance(df, DiskFunction):
        return _tabulate_disk(df, actions, expected)
    assert expected is not None
    return _tabulate_spheroid(df, actions, expected, angles)


def disk_places() -> tuple[np.ndarray, np.ndarray]:
    """R and z in kpc at which densities of discs are computed, each (n_z, n_R)."""
    R, z = np.meshgrid(_DISK_R * np.sinh(_R_AXIS.nodes), _DISK_Z * np.sinh(_Z_AXIS.nodes))
    return np.maximum(R, 1e-3), z


def _tabulate_disk(df: DiskFunction, actions: ActionTable, expected: Array | None) -> DiskDensity:
    R, z = disk_places()
    before = jnp.full(R.shape, jnp.inf) if expected is None else expected
    rows = (jnp.reshape(a, (-1, _PLACES)) for a in (R, z, before))
    return disk_of(_log_density(df, actions, *rows).reshape(R.shape))


def _log_density(df: DistributionFunction, actions: ActionTable, R: Array, z: Array, before: Array) -> Array:
    """ln of the density of `df`, an array like R and z (rows, n): in rows where all of it is negligible, that
    of `before`."""

    # Backwards, a row at a time is integrated once more: all would not fit in memory. The logarithm is taken
    # in here: what is not needed on the way back, the density itself, is then not computed for it.
    @partial(jax.checkpoint, prevent_cse=False)
    def of_row(places: tuple[Array, Array, Array]) -> Array:
        R, z, before = places
        counts = jnp.max(before) > _NEGLIGIBLE
        values = jax.lax.cond(counts, lambda: density_at_once(df, actions, R, z), lambda: before)
        return jnp.log(values + _FLOOR)

    return jax.lax.map(of_row, (R, z, before))


def disk_of(logarithm: Array) -> DiskDensity:
    """The disc whose density has this natural logarithm at the `disk_places`."""
    return DiskDensity(Spline2D.fit(_R_AXIS, _Z_AXIS, logarithm.T, "even", "even"))


def _tabulate_spheroid(
    df: DistributionFunction, actions: ActionTable, initial_mean: Array, angles: int
) -> SpheroidDensity:
    c = gauss_legendre(2 * angles - 1)[0][angles - 1 :]
    r = np.exp(_LOG_R_AXIS.nodes)
    R, z = r * np.sqrt(1 - c**2)[:, None], r * c[:, None]
    profile = _profile(initial_mean)
    values = _log_density(df, actions, jnp.asarray(R), jnp.asarray(z), jnp.full(R.shape, jnp.inf))
    log_ratio = values.T - profile(jnp.asarray(_LOG_R_AXIS.nodes))[:, None]
    to_polynomial = np.linalg.inv(np.vander(c**2, increasing=True))
    return SpheroidDensity(profile, Spline1D.fit(_LOG_R_AXIS, log_ratio @ to_polynomial.T))


def spheroid_of(initial_mean: Array, correction: Spline1D) -> SpheroidDensity:
    """The spheroid with this initial density averaged over spheres, and this correction of it."""
    return SpheroidDensity(_profile(initial_mean), correction)


def _profile(initial_mean: Array) -> Spline1D:
    return Spline1D.fit(POISSON_GRID.axis, jnp.log(initial_mean + _FLOOR))
