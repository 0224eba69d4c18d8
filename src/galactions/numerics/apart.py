"""Borders that the compiler may not merge computations across.

A compiler that merges what makes a value with what uses it repeats the making for each of the uses: of a
spline's coordinates once for every look-up, and backwards, of all that comes back to a value once for every
value that it was made of. Optimisation barriers are removed before code is merged; the branch of a condition
stays one.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

Tree = TypeVar("Tree")


def apart(function: Callable[..., Array], flat: Array, *coordinates: Array) -> Array:
    """`function(flat, *coordinates)`, an array like the coordinates, compiled by itself.

    The branch is that for coefficients that are finite, others give NaN. One array from each branch: look-ups
    that two results shared would be written to memory one by one.
    """

    def nothing(*arrays: Array) -> Array:
        return jnp.full_like(arrays[-1], jnp.nan)

    return lax.cond(jnp.abs(flat[0]) < jnp.inf, function, nothing, flat, *coordinates)


@jax.custom_jvp
def seam(values: Tree, finite: Array) -> Tree:
    """The same values; what comes back to them in reverse mode is computed, and kept, before it goes on.

    `finite` is any number that is; for another one derivatives are NaN.
    """
    return values


@seam.defjvp
def _seam_jvp(primals: tuple[Any, Array], tangents: tuple[Any, Any]) -> tuple[Any, Any]:
    values, finite = primals

    def nothing(moves: Any) -> Any:
        return jax.tree.map(lambda move: move * jnp.nan, moves)

    return values, lax.cond(jnp.abs(finite) < jnp.inf, lambda moves: moves, nothing, tangents[0])
