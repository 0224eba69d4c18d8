"""What a model predicts for each kind of outside constraint: JAX functions of the state of its iteration.

All can be differentiated by everything in the state and by the parameters. R, z, r in kpc; arrays (m,).
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from galactions.constants import G
from galactions.galaxy.iteration import State
from galactions.numerics.quadrature import gauss_legendre
from galactions.projection.view import model_sun

Parameters = Mapping[str, Array]

_PC2 = 1e-6
_PC3 = 1e-9
"""Per kpc^2 and per kpc^3 to per pc^2 and per pc^3."""
_Z_SCALE = 0.1
"""kpc; nodes of surface densities crowd within it."""


def circular_velocity(state: State, R: ArrayLike) -> Array:
    """Circular velocity in the midplane, km/s."""
    return state.potential.circular_velocity(jnp.asarray(R, float))


def local_density(state: State, names: Sequence[str], R: ArrayLike, z: ArrayLike) -> Array:
    """Density of the components `names` together, Msun/pc^3."""
    R, z = jnp.broadcast_arrays(jnp.asarray(R, float), jnp.asarray(z, float))
    return _PC3 * sum((state.densities[name].density(R, z) for name in names), start=jnp.zeros_like(R))


def surface_density(state: State, names: Sequence[str], R: ArrayLike, z_max: ArrayLike) -> Array:
    """Surface density of the components `names` together within |z| < `z_max`, Msun/pc^2."""
    R, z_max = jnp.broadcast_arrays(jnp.asarray(R, float), jnp.asarray(z_max, float))
    x, w = gauss_legendre(64, 0.0, 1.0)
    end = jnp.arcsinh(z_max / _Z_SCALE)[..., None]
    z, weight = _Z_SCALE * jnp.sinh(end * x), w * end * _Z_SCALE * jnp.cosh(end * x)
    columns = local_density(state, names, R[..., None], z) / _PC3
    return 2 * _PC2 * jnp.sum(columns * weight, axis=-1)


def vertical_force(state: State, R: ArrayLike, z: ArrayLike) -> Array:
    """|K_z|/(2 pi G), Msun/pc^2: the surface density within z of a plane-parallel layer of that force."""
    R, z = jnp.broadcast_arrays(jnp.asarray(R, float), jnp.asarray(z, float))
    return _PC2 * state.potential.gradient(R, z)[1] / (2 * np.pi * G)


def terminal_velocity(
    state: State, parameters: Parameters, l_deg: ArrayLike, solar_motion: tuple[float, float]
) -> Array:
    """Terminal velocity (km/s) at longitudes l (Binney & Tremaine 2008, eq. 9.17), for an observer whose
    motion has been corrected by `solar_motion` (U, V)."""
    sun = model_sun(state.potential, parameters)
    sine, cosine = np.sin(np.radians(l_deg)), np.cos(np.radians(l_deg))
    tangent = state.potential.circular_velocity(jnp.asarray(sun.d * np.abs(sine)))
    U, V = solar_motion
    return tangent * np.sign(sine) - (sun.v0 + sun.v - V) * sine - (sun.u - U) * cosine


def enclosed_mass(state: State, r: ArrayLike) -> Array:
    """All mass within spheres of radius r, Msun."""
    return state.potential.enclosed_mass(jnp.asarray(r, float))


def virial_mass(state: State) -> Array:
    """M200 of all mass, Msun."""
    return state.potential.enclosed_mass(state.potential.virial_radius())


def escape_speed(state: State, R: ArrayLike, z: ArrayLike, limit_r200: float | None) -> Array:
    """Speed (km/s) that just reaches infinity, or `limit_r200` virial radii in the plane."""
    R, z = jnp.broadcast_arrays(jnp.asarray(R, float), jnp.asarray(z, float))
    depth = -state.potential(R, z)
    if limit_r200 is not None:
        far = limit_r200 * state.potential.virial_radius()
        depth = depth + state.potential(far, jnp.zeros_like(far))
    return jnp.sqrt(2 * depth)
