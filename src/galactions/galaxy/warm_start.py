"""Densities to begin an iteration with: those of a settled model nearby, scaled to other parameters.

What the densities of a model settle to changes little from one set of parameters to the next, once what
follows from the parameters at once is taken out. A disc's DF has the surface density of the analytic disc,
and its thickness from its dispersions, whatever the analytic one is; a spheroid's DF has the mass of the
analytic spheroid at each radius.
"""

from typing import cast

import jax.numpy as jnp
from jaxtyping import Array

from galactions.galaxy.tabulated import DiskDensity, SpheroidDensity, disk_of, disk_places, spheroid_of
from galactions.numerics.program import program
from galactions.numerics.spline import Spline1D
from galactions.potential.densities import Disk, FlatDensity, SmoothDensity

Shapes = dict[str, Array | Spline1D]
"""By component: of a disc ln of its density over its surface density (1/kpc) at the `disk_places`, of a
spheroid its `SpheroidDensity.correction`."""


@program()
def shape_of(
    density: DiskDensity | SpheroidDensity, analytic: FlatDensity | SmoothDensity
) -> Array | Spline1D:
    """The shape of a component's settled density, whose analytic one is given."""
    if isinstance(density, SpheroidDensity):
        return density.correction
    R, z = disk_places()
    return density.log(R, z) - _log_scale(analytic)


def scaled(
    shape: Array | Spline1D, analytic: FlatDensity | SmoothDensity, mean: Array | None
) -> DiskDensity | SpheroidDensity:
    """A density of this shape for another analytic one, whose average over spheres is `mean` (spheroids)."""
    if isinstance(shape, Spline1D):
        return spheroid_of(cast(Array, mean), shape)
    return disk_of(shape + _log_scale(analytic))


def _log_scale(analytic: FlatDensity | SmoothDensity) -> Array:
    """ln of what a disc's density is proportional to, at the `disk_places`: the surface density of a disc
    that has one in closed form, else the density itself."""
    R, z = disk_places()
    if isinstance(analytic, Disk):
        return analytic.log_surface_density(R)
    return jnp.log(analytic.density(R, z))
