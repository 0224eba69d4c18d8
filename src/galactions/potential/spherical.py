"""Densities averaged over spheres, and the masses within spheres, at the radii of the Poisson grid."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.constants import G
from galactions.numerics.quadrature import gauss_legendre
from galactions.potential.densities import FlatDensity, SmoothDensity
from galactions.potential.field import POISSON_GRID

_HEIGHT = 0.05
"""kpc; nodes in z crowd into layers about this thin."""


def spherical_mean(density: SmoothDensity | FlatDensity) -> Float[Array, " n_r"]:
    """The density averaged over spheres, Msun/kpc^3."""
    if isinstance(density, SmoothDensity):
        return density.density(*POISSON_GRID.Rz) @ POISSON_GRID.analysis[:, 0]
    r = POISSON_GRID.r[:, None]
    x, w = gauss_legendre(64, 0.0, 1.0)
    t = np.arcsinh(r / _HEIGHT)
    z, dz = _HEIGHT * np.sinh(t * x), _HEIGHT * np.cosh(t * x) * t * w
    return jnp.sum(density.density(np.sqrt(r**2 - z**2), z) * dz, axis=1) / POISSON_GRID.r


def mass_within(mean: Float[Array, " n_r"]) -> Float[Array, " n_r"]:
    """Mass (Msun) within each radius of the density whose average over spheres is `mean`."""
    slopes = POISSON_GRID.operators.slope[0, 1:] @ mean
    return jnp.asarray(POISSON_GRID.r) * slopes / G
