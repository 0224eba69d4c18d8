"""Elementary functions at less cost than the compiler's own."""

import jax.numpy as jnp
from jaxtyping import Array


def arcsinh(x: Array) -> Array:
    """Inverse hyperbolic sine of coordinates, which need its absolute error small: half the time.

    Below x = -1 the relative error grows as x^2; it is 1e-14 at -5.
    """
    return jnp.log(x + jnp.sqrt(x * x + 1))
