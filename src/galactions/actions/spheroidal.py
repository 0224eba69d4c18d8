"""Spheroidal coordinates of the Staeckel fudge, prolate and oblate, in a form that stays regular in between.

The usual coordinates (u, v) with focal distance Delta (Binney 2012) are used as `s = Delta sinh u`, the
radius at which a surface of constant u cuts the midplane (kpc), and `c = cos v`:

    R = s sqrt(1 - c^2),    z = sqrt(s^2 + Delta^2) c.

For Delta = 0 they are the spherical radius and the cosine of the polar angle, for Delta^2 < 0 they are
oblate, down to the disc s^2 = -Delta^2. The momenta are those conjugate to u and v, in kpc km/s: in the limit
p_u = r v_r, and p_v is that of the polar angle but for its sign.
"""

import jax.numpy as jnp
from jaxtyping import Array


def from_cylindrical(R: Array, z: Array, delta2: Array) -> tuple[Array, Array]:
    """(s^2 in kpc^2, c) of the point (R, z) for the squared focal distance `delta2`."""
    b = R**2 + z**2 - delta2
    root = jnp.sqrt(b**2 + 4 * R**2 * delta2)
    # The branch without cancellation: s^2 is the positive root of s^4 - b s^2 - R^2 Delta^2.
    s2 = jnp.where(b > 0, 0.5 * (b + root), 2 * R**2 * delta2 / jnp.where(b > 0, 1.0, root - b))
    return s2, z / jnp.sqrt(s2 + delta2)


def momenta(s2: Array, c: Array, delta2: Array, v_R: Array, v_z: Array) -> tuple[Array, Array]:
    """(p_u, p_v) in kpc km/s of the meridional velocity (v_R, v_z)."""
    s, sin_v, width = jnp.sqrt(s2), jnp.sqrt(1 - c**2), jnp.sqrt(s2 + delta2)
    return v_R * width * sin_v + v_z * s * c, v_R * s * c - v_z * width * sin_v
