"""Density profiles of the galactic components (paper, section 3.2, eqs. 7-9)."""

from abc import abstractmethod
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.constants import G

Coordinate = Array | np.ndarray
"""Fixed grids are plain NumPy arrays: they are constants of the compiled code."""

VerticalProfile = Literal["exponential", "sech2"]


class SmoothDensity(eqx.Module):
    """A density whose potential a multipole expansion gives as it stands."""

    @abstractmethod
    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3, away from the origin."""


class FlatDensity(eqx.Module):
    """A density too steep in z for multipoles, which brings an analytic part of its potential with it."""

    @abstractmethod
    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3, for R > 0."""

    @abstractmethod
    def ansatz_potential(self, R: Coordinate, z: Coordinate) -> Array:
        """The analytic part of the potential, (km/s)^2, away from the origin."""

    @abstractmethod
    def residual_density(self, R: Coordinate, z: Coordinate) -> Array:
        """The density minus that which generates `ansatz_potential`, Msun/kpc^3, for R > 0."""


class Disk(FlatDensity):
    """Disc of eq. (7): `Sigma0 exp(-R/R_d - R_cut/R)` times a vertical profile of unit integral.

    `Sigma0` in Msun/kpc^2, lengths in kpc. `vertical` is "exponential" (eq. 7 with h > 0) or "sech2" (h <
    0 there; here `h` is always positive).
    """

    Sigma0: Float[Array, ""]
    R_d: Float[Array, ""]
    h: Float[Array, ""]
    R_cut: Float[Array, ""]
    vertical: VerticalProfile = eqx.field(static=True)

    def surface_density(self, R: Coordinate) -> Array:
        """Sigma(R) in Msun/kpc^2, for R > 0."""
        return self.Sigma0 * jnp.exp(-R / self.R_d - self.R_cut / R)

    def log_surface_density(self, R: Coordinate) -> Array:
        """Its logarithm, finite where it is too small for a number."""
        return jnp.log(self.Sigma0) - R / self.R_d - self.R_cut / R

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3, for R > 0."""
        return self.surface_density(R) * self._layer(z)

    def _layer(self, z: Coordinate) -> Array:
        if self.vertical == "exponential":
            return jnp.exp(-jnp.abs(z) / self.h) / (2 * self.h)
        decay = jnp.exp(-jnp.abs(z) / self.h)
        return decay / (self.h * (1 + decay) ** 2)

    def _layer_integrals(self, z: Coordinate) -> tuple[Array, Array]:
        """H(z) and H'(z), where H'' is the vertical profile and H(0) = H'(0) = 0."""
        x = jnp.abs(z) / self.h
        decay = jnp.exp(-x)
        if self.vertical == "exponential":
            return 0.5 * self.h * (decay - 1 + x), 0.5 * jnp.sign(z) * (1 - decay)
        log_cosh = 0.5 * x + jnp.log1p(decay) - jnp.log(2.0)
        return self.h * log_cosh, 0.5 * jnp.sign(z) * (1 - decay) / (1 + decay)

    def ansatz_potential(self, R: Coordinate, z: Coordinate) -> Array:
        """Analytic part `4 pi G Sigma(r) H(z)` of the disc's potential, (km/s)^2, for r > 0.

        It carries the steep vertical structure; what it leaves (`residual_density`) is smooth enough for
        a multipole expansion (Kuijken & Dubinski 1995; Dehnen & Binney 1998).
        """
        r = jnp.sqrt(R**2 + z**2)
        return 4 * jnp.pi * G * self.surface_density(r) * self._layer_integrals(z)[0]

    def residual_density(self, R: Coordinate, z: Coordinate) -> Array:
        """The disc's density minus that which generates `ansatz_potential`, Msun/kpc^3, for R > 0."""
        r = jnp.sqrt(R**2 + z**2)
        surface = self.surface_density(r)
        log_slope = -1 / self.R_d + self.R_cut / r**2
        first = surface * log_slope
        second = surface * (log_slope**2 - 2 * self.R_cut / r**3)
        H, H1 = self._layer_integrals(z)
        return (
            (self.surface_density(R) - surface) * self._layer(z) - second * H - 2 / r * first * (H + z * H1)
        )


class Spheroid(SmoothDensity):
    """Spheroid of eqs. (8)-(9): double power law in the ellipsoidal radius with an outer cut-off.

    `rho0` in Msun/kpc^3, lengths in kpc, `q` the axis ratio z/x; `cutoff` says whether the factor
    `exp(-(r/r_cut)^2)` is there.
    """

    rho0: Float[Array, ""]
    r0: Float[Array, ""]
    gamma: Float[Array, ""]
    beta: Float[Array, ""]
    q: Float[Array, ""]
    r_cut: Float[Array, ""]
    cutoff: bool = eqx.field(static=True)

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3, away from the origin."""
        m = jnp.sqrt(R**2 + (z / self.q) ** 2)
        x = m / self.r0
        profile = self.rho0 * x**-self.gamma * (1 + x) ** (self.gamma - self.beta)
        return profile * jnp.exp(-((m / self.r_cut) ** 2)) if self.cutoff else profile
