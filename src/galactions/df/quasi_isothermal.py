"""The quasi-isothermal distribution function of a disc (paper, eq. 10; Binney & McMillan 2011)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from galactions.df.base import DiskFunction
from galactions.df.dispersions import Dispersion
from galactions.numerics.spline import Spline1D
from galactions.potential.epicycles import LOG_L_AXIS, Epicycles, log_angular_momentum


class QuasiIsothermal(DiskFunction):
    """Quasi-isothermal DF: f(J) in Msun / (kpc km/s)^3, mass = (2 pi)^3 int f d^3J.

    The radius R_c and the frequencies kappa, nu, Omega belong to the circular orbit of angular momentum
    `|J_phi| + coef_jr J_r + coef_jz J_z` in the potential the DF was made for, and stay what they are
    when the potential changes. Everything that depends on them is tabulated: the logarithms of the
    prefactor, of kappa/sigma_r^2, nu/sigma_z^2, 2 Omega/sigma_r^2, sigma_r and sigma_z.
    """

    table: Spline1D
    coef_jr: Float[Array, ""]
    coef_jz: Float[Array, ""]

    @classmethod
    def of(
        cls,
        epicycles: Epicycles,
        *,
        Sigma0: Array,
        R_d: Array,
        sigma_r: Dispersion,
        sigma_z: Dispersion,
        coef_jr: Array,
        coef_jz: Array,
    ) -> "QuasiIsothermal":
        """DF of a disc of central surface density `Sigma0` (Msun/kpc^2), scale length `R_d` (kpc) and radial
        and vertical dispersions that follow `sigma_r` and `sigma_z`.
        """
        orbit = epicycles.nodes()
        R, kappa, nu, Omega = orbit
        sigma_r2, sigma_z2 = sigma_r.squared(orbit), sigma_z.squared(orbit)
        log_prefactor = jnp.log(Sigma0 * Omega * nu / (2 * jnp.pi**2 * kappa * sigma_r2 * sigma_z2)) - R / R_d
        logs = [
            log_prefactor,
            jnp.log(kappa / sigma_r2),
            jnp.log(nu / sigma_z2),
            jnp.log(2 * Omega / sigma_r2),
        ]
        logs += [0.5 * jnp.log(sigma_r2), 0.5 * jnp.log(sigma_z2)]
        return cls(
            Spline1D.fit(LOG_L_AXIS, jnp.stack(logs, axis=1)), jnp.asarray(coef_jr), jnp.asarray(coef_jz)
        )

    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions (kpc km/s), J_phi > 0 along the disc's rotation."""
        L = jnp.abs(J_phi) + self.coef_jr * J_r + self.coef_jz * J_z
        log_prefactor, log_r, log_z, log_phi, *_ = self.table.all(log_angular_momentum(L))
        exponent = log_prefactor - jnp.exp(log_r) * J_r - jnp.exp(log_z) * J_z
        return jnp.exp(exponent + jnp.exp(log_phi) * jnp.minimum(J_phi, 0.0))

    def action_scales(self, L_z: Array) -> tuple[Array, Array]:
        """sigma_r^2/kappa and sigma_z^2/nu (kpc km/s) at the circular orbit of `L_z` (kpc km/s)."""
        _, log_r, log_z, *_ = self.table.all(log_angular_momentum(L_z))
        return jnp.exp(-log_r), jnp.exp(-log_z)

    def dispersions(self, L_z: Array) -> tuple[Array, Array]:
        """The parameters sigma_r and sigma_z (km/s) at the circular orbit of `L_z` (kpc km/s)."""
        *_, log_sigma_r, log_sigma_z = self.table.all(log_angular_momentum(L_z))
        return jnp.exp(log_sigma_r), jnp.exp(log_sigma_z)
