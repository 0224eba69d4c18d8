"""The tapered exponential distribution function of a disc or bulge (Binney & Vasiliev 2024)."""

from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from galactions.df.base import DiskFunction
from galactions.df.mass import total_mass

Scalar = Float[Array, ""]


class TaperedExponential(DiskFunction):
    """Tapered exponential DF of Binney & Vasiliev (2024, MNRAS 527, 1915), which needs no potential.

    With J_t = J_r + J_z + J_phi, J_v = J_t + J_vel, J_d = J_t + J_den and x_i = (J_v/J_phi0)^p_i / J_i0,

        f = e^log_norm / J_phi0^2  J_d e^{-J_d/J_phi0}  x_r e^{-x_r J_r}  x_z e^{-x_z J_z}

    for J_phi > 0 and zero otherwise. Where J_trans > 0 it is tapered inwards, by
    1/(1 + e^{-2 (J_phi - J_taper)/J_trans}), and where J_width > 0 outwards, by
    1/(1 + e^{2 (J_phi - J_cut)/J_width}). Actions in kpc km/s; made by `of`.
    """

    prograde = True

    log_norm: Scalar
    J_r0: Scalar
    J_z0: Scalar
    J_phi0: Scalar
    p_r: Scalar
    p_z: Scalar
    J_vel: Scalar
    J_den: Scalar
    J_taper: Scalar
    J_trans: Scalar
    J_cut: Scalar
    J_width: Scalar

    @classmethod
    def of(
        cls,
        *,
        mass: ArrayLike,
        J_r0: ArrayLike,
        J_z0: ArrayLike,
        J_phi0: ArrayLike,
        p_r: ArrayLike = 0.0,
        p_z: ArrayLike = 0.0,
        J_vel: ArrayLike = 0.0,
        J_den: ArrayLike = 0.0,
        J_taper: ArrayLike = 0.0,
        J_trans: ArrayLike = 0.0,
        J_cut: ArrayLike = 0.0,
        J_width: ArrayLike = 0.0,
    ) -> Self:
        """The DF of a component of `mass` (Msun). `J_trans` = 0 or `J_width` = 0 leaves out that taper."""
        scales = (J_r0, J_z0, J_phi0, p_r, p_z, J_vel, J_den, J_taper, J_trans, J_cut, J_width)
        unit = cls(jnp.zeros(()), *(jnp.asarray(value, float) for value in scales))
        log_norm = jnp.log(jnp.asarray(mass, float) / total_mass(unit))
        return eqx.tree_at(lambda df: df.log_norm, unit, log_norm)

    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions (kpc km/s), J_phi > 0 along the disc's rotation."""
        forward = jnp.maximum(J_phi, 0.0)
        total = J_r + J_z + forward
        scale_r, scale_z = self.action_scales(total)
        J_d = total + self.J_den
        exponent = self.log_norm - J_r / scale_r - J_z / scale_z - J_d / self.J_phi0
        f = J_d / (self.J_phi0**2 * scale_r * scale_z) * jnp.exp(exponent)
        f *= _taper(forward - self.J_taper, self.J_trans) * _taper(self.J_cut - forward, self.J_width)
        return jnp.where(J_phi > 0, f, 0.0)

    def action_scales(self, L_z: Array) -> tuple[Array, Array]:
        """1/x_r and 1/x_z (kpc km/s) at J_t = `L_z` >= 0."""
        relative = (L_z + self.J_vel) / self.J_phi0
        return self.J_r0 * relative**-self.p_r, self.J_z0 * relative**-self.p_z


def _taper(J: Array, width: Array) -> Array:
    """From 0 at J << -`width` to 1 at J >> `width`; 1 everywhere for a width of zero."""
    present = width > 0
    return jnp.where(present, jax.nn.sigmoid(2 * J / jnp.where(present, width, 1.0)), 1.0)
