"""The disc of Miyamoto & Nagai (1975), a density and its potential in closed form."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from galactions.constants import G
from galactions.potential.densities import Coordinate, FlatDensity


class MiyamotoNagai(FlatDensity):
    """Disc of mass `M` (Msun), scale length `a` and scale height `b` (kpc) (Miyamoto & Nagai 1975, PASJ 27,
    533; Binney & Tremaine 2008, eq. 2.69).
    """

    M: Float[Array, ""]
    a: Float[Array, ""]
    b: Float[Array, ""]

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3."""
        height = jnp.sqrt(z**2 + self.b**2)
        radial2 = R**2 + (self.a + height) ** 2
        shape = self.a * R**2 + (self.a + 3 * height) * (self.a + height) ** 2
        return self.M * self.b**2 / (4 * jnp.pi) * shape / (radial2**2.5 * height**3)

    def ansatz_potential(self, R: Coordinate, z: Coordinate) -> Array:
        """The whole potential, (km/s)^2."""
        return -G * self.M / jnp.sqrt(R**2 + (self.a + jnp.sqrt(z**2 + self.b**2)) ** 2)

    def residual_density(self, R: Coordinate, z: Coordinate) -> Array:
        """Nothing is left for the multipoles."""
        return jnp.zeros(jnp.broadcast_shapes(jnp.shape(R), jnp.shape(z)))
