"""A potential of Staeckel form."""

import jax.numpy as jnp

GM = 4.3e5
"""(km/s)^2 kpc: 1e11 Msun."""


def kuzmin_kutuzov(R, z, a, c):
    """Of Delta^2 = a^2 - c^2 (Dejonghe & de Zeeuw 1988)."""
    product = jnp.sqrt(a**2 * c**2 + R**2 * c**2 + z**2 * a**2)
    return -GM / jnp.sqrt(R**2 + z**2 + a**2 + c**2 + 2 * product)
