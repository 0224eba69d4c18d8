"""Roots of many independent scalar equations at once.

The searches have a fixed number of steps and are not differentiated themselves: one last Newton step from
the root found carries the derivatives with respect to everything the function closes over (implicit
function theorem).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

_SMALL_STEP = 1e-3
"""The largest last step, relative to the first bracket, of a search that has come close to a root."""


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
    steps that leave the current bracket, and every third step in any case, are replaced by bisection; the
    last two are Newton's, since derivatives are taken where the search ends. Where there is no root the
    nearer end is approached.
    """
    start = jax.lax.stop_gradient(lower), jax.lax.stop_gradient(upper)
    margin = 1e-9 * (start[1] - start[0])

    def step(i: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, low, high = state
        value, slope = jax.tree.map(jax.lax.stop_gradient, function(x))
        beyond = (value > 0) == rising
        low, high = jnp.where(beyond, low, x), jnp.where(beyond, x, high)
        newton = x - value / jnp.where(slope == 0, 1.0, slope)
        # With a margin: a step from the root itself must not count as one that leaves the bracket.
        inside = (
            (newton > low - margin) & (newton < high + margin) & (slope != 0) & ((iterations - i) % 3 != 0)
        )
        return jnp.where(inside, newton, 0.5 * (low + high)), low, high

    x, low, high = jax.lax.fori_loop(0, iterations, step, (0.5 * (start[0] + start[1]), *start))
    return _polish(x, *function(jax.lax.stop_gradient(x)), (low, high), (lower, upper))


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
    return _polish(x, value, slope, (low, high), (lower, upper))


def first_sign_change(beyond: Array, start: Array, points: Array) -> tuple[Array, Array]:
    """Bracket (lower, upper) of the first of the ordered `points` (..., n) where `beyond` (..., n) is true.

    The bracket begins at the point before it, or at `start` (...). Where there is none, it ends at the last.
    """
    first = jnp.where(beyond.any(axis=-1), jnp.argmax(beyond, axis=-1), points.shape[-1] - 1)
    points = jax.lax.stop_gradient(points)
    steps = jnp.concatenate([jax.lax.stop_gradient(start)[..., None], points], axis=-1)
    lower = jnp.take_along_axis(steps, first[..., None], axis=-1)[..., 0]
    return lower, jnp.take_along_axis(points, first[..., None], axis=-1)[..., 0]


def _polish(
    x: Array, value: Array, slope: Array, bracket: tuple[Array, Array], ends: tuple[Array, Array]
) -> Array:
    """One Newton step, kept within the last bracket but for a margin that rounding never exceeds.

    Where that step is not small there is no root that could move with the function: what was approached is
    one of the first bracket's `ends`, and moves with it.
    """
    slope, x = jax.lax.stop_gradient((slope, x))
    lower, upper = jax.lax.stop_gradient(ends)
    span = upper - lower
    found = jnp.abs(jax.lax.stop_gradient(value)) < _SMALL_STEP * span * jnp.abs(slope)
    root = x - jnp.where(found, value / jnp.where(found, slope, 1.0), 0.0)
    margin = 1e-6 * span
    root = jnp.clip(root, jnp.maximum(bracket[0] - margin, lower), jnp.minimum(bracket[1] + margin, upper))
    end = jnp.where(x - lower < upper - x, *ends)
    return jnp.where(found, root, x + end - jax.lax.stop_gradient(end))
