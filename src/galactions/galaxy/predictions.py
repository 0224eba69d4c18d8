"""What a built galaxy predicts beyond its fields: profiles by component (paper, section 4.5 and figs. 13-18),
escape speed and stability.

Each function is also a method of `Galaxy`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from galactions.constants import G
from galactions.errors import ModelError

if TYPE_CHECKING:
    from galactions.galaxy.model import Galaxy


class CircularVelocitySplit(NamedTuple):
    """Circular velocities in km/s: of everything, of the baryons and of the dark matter alone.

    NaN where a part would push outwards.
    """

    total: Array
    baryons: Array
    dark: Array


class DispersionRatios(NamedTuple):
    """sigma_z / sigma_R and sigma_phi / sigma_R."""

    z_to_R: Array
    phi_to_R: Array


def midplane_densities(galaxy: "Galaxy", R: ArrayLike) -> dict[str, Array]:
    """Densities in the midplane by component, Msun/kpc^3, at `R` in kpc (fig. 13)."""
    return {name: galaxy.density(name, R, 0.0) for name in galaxy.components}


def vertical_densities(galaxy: "Galaxy", z: ArrayLike, R: ArrayLike | None = None) -> dict[str, Array]:
    """Densities at the heights `z` (kpc) by component, Msun/kpc^3 (fig. 14); at the Sun's radius unless `R`
    (kpc) says otherwise.
    """
    if R is None:
        R = galaxy.spec.parameters["d_sun"]
    return {name: galaxy.density(name, R, z) for name in galaxy.components}


def circular_velocity_split(galaxy: "Galaxy", R: ArrayLike) -> CircularVelocitySplit:
    """The circular velocity in the midplane and what baryons and dark matter contribute to it (fig. 17).

    The squares of the two parts add up to the square of the whole.
    """
    squares = {True: jnp.zeros(jnp.shape(R)), False: jnp.zeros(jnp.shape(R))}
    for component in galaxy.spec.components:
        squares[component.dark] += galaxy.circular_velocity_squared(component.name, R)
    return CircularVelocitySplit(
        galaxy.circular_velocity(R), jnp.sqrt(squares[False]), jnp.sqrt(squares[True])
    )


def mean_streaming(galaxy: "Galaxy", component: str, R: ArrayLike, z: ArrayLike = 0.0) -> Array:
    """Mean rotation of a component's stars, km/s, positive along the disc's rotation (eq. 2, fig. 18)."""
    return galaxy.velocity_moments(component, R, z).mean_v_phi


def dispersion_ratios(galaxy: "Galaxy", component: str, R: ArrayLike, z: ArrayLike = 0.0) -> DispersionRatios:
    """Axis ratios of a component's velocity ellipsoid along R, z and phi (eq. 4)."""
    moments = galaxy.velocity_moments(component, R, z)
    return DispersionRatios(moments.sigma_z / moments.sigma_R, moments.sigma_phi / moments.sigma_R)


def escape_speed(galaxy: "Galaxy", R: ArrayLike, z: ArrayLike = 0.0, limit: float | None = None) -> Array:
    """Speed (km/s) of a star at (R, z) that just reaches infinity, or a `limit` in the plane (kpc).

    A finite limit, such as three virial radii, is what comparisons with observed escape speeds use (Piffl
    et al. 2014, A&A 562, A91). Raises `ModelError` if it lies within the star's own radius.
    """
    if limit is None:
        return jnp.sqrt(-2 * galaxy.potential(R, z))
    if not np.all(np.hypot(R, z) < limit):
        raise ModelError(f"limit = {limit!r} kpc: must lie beyond all points, in kpc")
    return jnp.sqrt(2 * (galaxy.potential(limit, 0.0) - galaxy.potential(R, z)))


def toomre_q(galaxy: "Galaxy", R: ArrayLike, components: Sequence[str] | None = None) -> Array:
    """Toomre's Q of stellar discs in the midplane, kappa sigma_R / (3.36 G Sigma) (Toomre 1964; Binney &
    Tremaine 2008, eq. 6.71); of several together by 1/Q = sum of 1/Q_i (Wang & Silk 1994).

    `components` are by default all discs with a DF. Gas is not counted. Raises `ModelError` for a component
    without a DF, or if there is no disc with one.
    """
    if components is None:
        components = galaxy.spec.stellar_disks
    kappa = galaxy.frequencies(R)[0]
    inverse = jnp.zeros(jnp.shape(R))
    for name in components:
        sigma_R = galaxy.velocity_moments(name, R, 0.0).sigma_R
        inverse += 3.36 * G * galaxy.surface_density(name, R) / (kappa * sigma_R)
    return 1 / inverse
