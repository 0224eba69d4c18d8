"""Where the Sun is and how it moves: what ties observed coordinates to the Galaxy's own frame."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

Scalar = float | Float[Array, ""]


class Sun(eqx.Module):
    """Position and velocity of the Sun in the frame of the paper (section 2), a pytree that can be
    differentiated.

    `d` is the distance to the Galactic centre and `z` the height above the plane (kpc); `u`, `v`, `w` the
    motion (km/s) relative to a circular orbit, towards the centre, along Galactic rotation and to the north
    pole; `v0` the circular velocity at the Sun (km/s).
    """

    d: Scalar
    z: Scalar
    u: Scalar
    v: Scalar
    w: Scalar
    v0: Scalar

    @property
    def velocity(self) -> Float[Array, "3"]:
        """Velocity (v_x, v_y, v_z) = (u, v + v0, w) in the Galactic rest frame, km/s."""
        return jnp.stack([jnp.asarray(c, dtype=float) for c in (self.u, self.v + self.v0, self.w)])


PAPER_SUN = Sun(d=8.178, z=0.0208, u=11.10, v=12.24, w=7.25, v0=232.8)
"""The Sun of section 2 of the paper: Gravity Collaboration (2019), Bennett & Bovy (2019), Schoenrich et al.
(2010)."""
