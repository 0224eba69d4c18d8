"""Roots of many independent scalar equations at once.

The searches have a fixed number of steps and are not differentiated themselves: one last Newton step from
the root found carries the derivatives with respect to everything the function closes over (implicit
function theorem).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array


def bracketed_root(
    function: Callable[[Array], tuple[Array, Array]],
    lower: Array,
    upper: Array,
    *,
    rising: bool,
    iterations: int,
) -> Array:
    """Root of `function` in [lower, upper], element by element.

    `function(x)` returns value and slope; `rising` says whether it goes from negative to positive. Newton
    steps that leave the current bracket, and every third step in any case, are replaced by bisection.
    Where there is no root the nearer end is approached.
    """
    start = jax.lax.stop_gradient(lower), jax.lax.stop_gradient(upper)

    def step(i: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, low, high = state
        value, slope = jax.tree.map(jax.lax.stop_gradient, function(x))
        beyond = (value > 0) == rising
        low, high = jnp.where(beyond, low, x), jnp.where(beyond, x, high)
        newton = x - value / jnp.where(slope == 0, 1.0, slope)
        inside = (newton > low) & (newton < high) & (slope != 0) & (i % 3 != 2)
        return jnp.where(inside, newton, 0.5 * (low + high)), low, high

    x, _, _ = jax.lax.fori_loop(0, iterations, step, (0.5 * (start[0] + start[1]), *start))
    return _polish(x, *function(jax.lax.stop_gradient(x)), start)


def bisected_root(
    function: Callable[[Array], Array], lower: Array, upper: Array, *, rising: bool, iterations: int
) -> Array:
    """Root of `function`, whose slope is not at hand, in [lower, upper]: bisection, then one Newton step."""
    start = jax.lax.stop_gradient(lower), jax.lax.stop_gradient(upper)

    def step(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = state
        x = 0.5 * (low + high)
        beyond = (jax.lax.stop_gradient(function(x)) > 0) == rising
        return jnp.where(beyond, low, x), jnp.where(beyond, x, high)

    low, high = jax.lax.fori_loop(0, iterations, step, start)
    x = jax.lax.stop_gradient(0.5 * (low + high))
    value, slope = jax.jvp(function, (x,), (jnp.ones_like(x),))
    return _polish(x, value, slope, start)


def _polish(x: Array, value: Array, slope: Array, start: tuple[Array, Array]) -> Array:
    slope = jax.lax.stop_gradient(slope)
    root = jax.lax.stop_gradient(x) - jnp.where(slope == 0, 0.0, value / jnp.where(slope == 0, 1.0, slope))
    return jnp.clip(root, *start)
