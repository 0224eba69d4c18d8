"""How the dispersions of a quasi-isothermal disc change with radius."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.potential.epicycles import CircularOrbit

Scalar = Float[Array, ""]


class Floor(eqx.Module):
    """What a dispersion does not fall below: `sigma` sqrt(1 + (R/R_flare)^2).

    `sigma` in km/s; `R_flare` in kpc, infinite for a floor that is the same at all radii. It is added in
    quadrature, so that the disc's outskirts stay as warm as the floor says where an exponential law would
    leave them cold.
    """

    sigma: Scalar
    R_flare: Scalar

    def squared(self, R: Array) -> Array:
        """(km/s)^2 at the radii `R` (kpc)."""
        return self.sigma**2 * (1 + (R / self.R_flare) ** 2)


class ExponentialDispersion(eqx.Module):
    """Dispersion sigma0 exp(-R/R_sigma) with a floor, added in quadrature (paper, eq. 10)."""

    sigma0: Scalar
    R_sigma: Scalar
    floor: Floor

    def squared(self, orbit: CircularOrbit) -> Array:
        """sigma^2 in (km/s)^2 at circular orbits."""
        return self.sigma0**2 * jnp.exp(-2 * orbit.R / self.R_sigma) + self.floor.squared(orbit.R)


class ScaleHeightDispersion(eqx.Module):
    """Vertical dispersion of a disc whose scale height is the same everywhere: sqrt(2) nu(R) h, and a floor.

    `h` in kpc; nu is the vertical epicycle frequency. The local density of an isothermal sheet in its own
    field, sech^2(z/(2 h)), has this dispersion (the convention of AGAMA's `Hdisk`).
    """

    h: Scalar
    floor: Floor

    def squared(self, orbit: CircularOrbit) -> Array:
        """sigma_z^2 in (km/s)^2 at circular orbits."""
        return 2 * (orbit.nu * self.h) ** 2 + self.floor.squared(orbit.R)


Dispersion = ExponentialDispersion | ScaleHeightDispersion


def constant_floor(sigma: Array) -> Floor:
    """The floor `sigma` (km/s) at all radii."""
    return Floor(jnp.asarray(sigma, float), jnp.asarray(np.inf))
