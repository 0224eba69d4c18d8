"""The exponential distribution function of a disc (Binney & Vasiliev 2023)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.df.base import DiskFunction


class Exponential(DiskFunction):
    """Exponential DF in the form of Binney & Vasiliev (2023, MNRAS 520, 1832), which needs no potential:

        f = mass e^{J_den/J_phi0} / (2 pi)^3  J_phi/J_phi0^2 e^{-(J_phi + J_den)/J_phi0}
            x_r e^{-x_r J_r}  x_z e^{-x_z J_z},      x_i = ((J_phi + J_vel)/J_phi0)^p_i / J_i0

    for J_phi > 0, and zero otherwise. Their J_den only rescales f and so drops out where the mass is given.
    `J_phi0` sets the scale length, `J_r0` and `J_z0` the dispersions, `p_r` and `p_z` how these change with
    radius. Mass in Msun, actions in kpc km/s.
    """

    prograde = True

    mass: Float[Array, ""]
    J_r0: Float[Array, ""]
    J_z0: Float[Array, ""]
    J_phi0: Float[Array, ""]
    p_r: Float[Array, ""]
    p_z: Float[Array, ""]
    J_vel: Float[Array, ""]

    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions (kpc km/s), J_phi > 0 along the disc's rotation."""
        forward = jnp.maximum(J_phi, 0.0)
        scale_r, scale_z = self.action_scales(forward)
        exponent = J_r / scale_r + J_z / scale_z + forward / self.J_phi0
        factor = self.mass / (2 * np.pi) ** 3 / (self.J_phi0**2 * scale_r * scale_z)
        return factor * forward * jnp.exp(-exponent)

    def action_scales(self, L_z: Array) -> tuple[Array, Array]:
        """1/x_r and 1/x_z (kpc km/s) at J_phi = `L_z` >= 0."""
        relative = (L_z + self.J_vel) / self.J_phi0
        return self.J_r0 * relative**-self.p_r, self.J_z0 * relative**-self.p_z
