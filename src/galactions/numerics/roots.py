"""Roots of many independent scalar equations at once.

The searches have a fixed number of steps and are not differentiated themselves: one last Newton step from
the root found carries the derivatives with respect to everything the function closes over (implicit
function theorem).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

_REACHED = 1e-9
"""The least step of an interpolation, relative to the first bracket."""
_SHORT = 1e-6
"""Newton steps shorter than this, relative to the first bracket, are taken whatever they are: rounding
decides about them, and a bisection would lose the root."""
_TINY = 1e-300
_SMALL_STEP = 1e-3
"""The largest last step, relative to the first bracket, of a search that has come close to a root."""


def bracketed_root(
    function: Callable[[Array], tuple[Array, Array]],
    lower: Array,
    upper: Array,
    *,
    rising: bool,
    iterations: int,
    guess: Array | None = None,
) -> Array:
    """Root of `function` in [lower, upper], element by element.

    `function(x)` returns value and slope; `rising` says whether it goes from negative to positive. The search
    begins at the `guess`, if there is one, else in the middle. Newton steps that leave the current bracket,
    or are not shorter than half the step before, are replaced by bisection. Where there is no root the
    nearer end is approached.
    """
    start = jax.lax.stop_gradient(lower), jax.lax.stop_gradient(upper)
    span = start[1] - start[0]
    short = _SHORT * span

    def step(_: int, state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        x, low, high, last = state
        value, slope = jax.tree.map(jax.lax.stop_gradient, function(x))
        beyond = (value > 0) == rising
        low, high = jnp.where(beyond, low, x), jnp.where(beyond, x, high)
        newton = x - value / jnp.where(slope == 0, 1.0, slope)
        inside = (newton > low - short) & (newton < high + short) & (slope != 0)
        shorter = jnp.abs(newton - x) < jnp.maximum(0.5 * last, short)
        chosen = jnp.where(inside & shorter, newton, 0.5 * (low + high))
        return chosen, low, high, jnp.abs(chosen - x)

    first = 0.5 * (start[0] + start[1])
    if guess is not None:
        first = jnp.clip(jax.lax.stop_gradient(guess), *start)
    x, low, high, _ = jax.lax.fori_loop(0, iterations, step, (first, *start, span))
    return _polish(x, *function(jax.lax.stop_gradient(x)), (low, high), (lower, upper))


def interpolated_root(
    function: Callable[[Array], Array], lower: Array, upper: Array, *, rising: bool, iterations: int
) -> Array:
    """Root of `function`, whose slope is not at hand, in [lower, upper], element by element.

    Inverse quadratic interpolation where the last three points allow it, else bisection (Chandrupatla 1997),
    then one Newton step. Where there is no root the nearer end is approached.
    """
    sign = 1.0 if rising else -1.0

    def rise(x: Array) -> Array:
        return sign * jax.lax.stop_gradient(function(x))

    a, b = jax.lax.stop_gradient(lower), jax.lax.stop_gradient(upper)
    reached = _REACHED * (b - a)
    f_a, f_b = jnp.minimum(rise(a), -_TINY), jnp.maximum(rise(b), _TINY)

    def step(_: int, state: tuple[Array, ...]) -> tuple[Array, ...]:
        """The root lies between the latest point `a` and `b`; `t` is the share of the way from one to the
        other."""
        a, f_a, b, f_b, t = state
        x = a + t * (b - a)
        f = rise(x)
        same = (f > 0) == (f_a > 0)
        c, f_c = jnp.where(same, a, b), jnp.where(same, f_a, f_b)
        b, f_b = jnp.where(same, b, a), jnp.where(same, f_b, f_a)
        a, f_a = x, f
        xi, phi = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
        smooth = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        quadratic = f_a / (f_b - f_a) * f_c / (f_b - f_c)
        quadratic += (c - a) / (b - a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)
        least = jnp.minimum(0.5, reached / jnp.maximum(jnp.abs(b - a), reached))
        t = jnp.where(smooth, jnp.clip(quadratic, least, 1 - least), 0.5)
        return a, f_a, b, f_b, t

    half = jnp.full_like(a, 0.5)
    a, f_a, b, f_b, _ = jax.lax.fori_loop(0, iterations, step, (a, f_a, b, f_b, half))
    x = jnp.where(jnp.abs(f_a) < jnp.abs(f_b), a, b)
    value, slope = jax.jvp(function, (x,), (jnp.ones_like(x),))
    return _polish(x, value, slope, (jnp.minimum(a, b), jnp.maximum(a, b)), (lower, upper))


def first_sign_change(beyond: Array, start: Array, points: Array) -> tuple[Array, Array]:
    """Bracket (lower, upper) of the first of the ordered `points` (..., n) where `beyond` (..., n) is true.

    The bracket begins at the point before it, or at `start` (...). Where there is none, it ends at the last.
    """
    first = jnp.where(beyond.any(axis=-1), jnp.argmax(beyond, axis=-1), points.shape[-1] - 1)[..., None]
    points = jnp.broadcast_to(jax.lax.stop_gradient(points), beyond.shape)
    start = jnp.broadcast_to(jax.lax.stop_gradient(start), beyond.shape[:-1])
    steps = jnp.concatenate([start[..., None], points], axis=-1)
    lower = jnp.take_along_axis(steps, first, axis=-1)[..., 0]
    return lower, jnp.take_along_axis(points, first, axis=-1)[..., 0]


def first_descent(
    function: Callable[[Array], tuple[Array, Array]],
    points: Array,
    heights: Array,
    level: Array,
    *,
    upwards: bool,
    iterations: int,
) -> Array:
    """The first x, from the first of the ordered `points` (..., n) on, where a function comes down to
    `level` (...).

    The function is known by its `heights` (..., n) at the points, where it starts from or near a maximum;
    `function(x)` returns what is left of it above the level, and its slope; `upwards` says whether the points
    rise. Near a maximum the root of the depth is nearly linear, which gives a guess for `bracketed_root`.
    Where the level is not reached, the last point is approached.
    """
    here = jax.lax.stop_gradient(level)
    below = jax.lax.stop_gradient(heights)[..., 1:] < here[..., None]
    (x0, x1), (h0, h1) = (first_sign_change(below, a[..., 0], a[..., 1:]) for a in (points, heights))
    top = jnp.max(jax.lax.stop_gradient(heights), axis=-1)
    d0, d1, d = (jnp.sqrt(jnp.maximum(top - h, 0.0)) for h in (h0, h1, here))
    guess = x0 + jnp.clip((d - d0) / jnp.where(d1 > d0, d1 - d0, 1.0), 1e-3, 1.0) * (x1 - x0)
    ends = (x0, x1) if upwards else (x1, x0)
    return bracketed_root(function, *ends, rising=not upwards, iterations=iterations, guess=guess)


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
