"""Actions of many orbits at once, as tables need them.

All orbits of one energy and L_z turn in the same well, whatever their K: it is looked over once, and a few
steps lead from there to the turning points of each.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.integrals import radial_action, vertical_action
from galactions.actions.separation import Motion
from galactions.numerics.roots import bracketed_root, first_descent
from galactions.potential.field import Potential, RadialProfile

_WALL_SEARCH = np.arctanh(1 - 1e-10) * np.linspace(0.0, 1.0, 33) ** 2
"""arctanh c at which the well of the vertical motion is looked over for its first wall."""
_TURNING_STEPS = 4
"""Steps from a guess to a turning point."""
_HYPERBOLA_STEPS = 8
"""The same along hyperbolas, whose guesses are those of the midplane."""
_EXTREMUM_STEPS = 8
"""Steps to the bottom of a dip and to the top of the hump beyond."""
_FADE = 2.0
"""How far below a dip, in heights of the hump beyond, that hump is counted in full (`_share_of_second`)."""
_SHARE_STEPS = 12
"""Steps to the hyperbola whose W is a share of K."""
_LOOKED_OVER = np.linspace(0.0, 1.0, 17)
"""Where turning points are looked for, as shares of the way in ln s to where none can be."""


class RadialMotions(NamedTuple):
    """Radial actions `J_r` in kpc km/s, the turning points `s_in` and `s_out` in the hump of A that holds the
    shell, and, of a second one closer to the centre, the dip before it, its top, and the turning points
    `second_in` and `second_out` (kpc)."""

    J_r: Array
    s_in: Array
    s_out: Array
    s_dip: Array
    s_peak: Array
    second_in: Array
    second_out: Array


def radial_actions(
    midplane: RadialProfile,
    E: Array,
    L_z: Array,
    delta2: Array,
    s_shell: Array,
    K: Array,
    R_circ: Array,
    nodes: int,
) -> RadialMotions:
    """The radial motions in the midplane of the orbits (E, L_z, K), of broadcastable shapes, around the shell
    radius `s_shell` (kpc); `R_circ` is the radius of the circular orbit of energy E.

    With `delta2` = 0 and K = 0 they are those in the spherical potential `midplane` for angular momentum
    `L_z`.
    """

    E_, L_, delta2_ = (jnp.asarray(a)[..., None] for a in (E, L_z, delta2))

    def well(s: Array) -> Array:
        """A(s, 0), with a trailing axis: the same for all K."""
        return (s**2 + delta2_) * (E_ - midplane(s) - 0.5 * (L_ / s) ** 2)

    def slopes(x: Array) -> tuple[Array, Array, Array]:
        """A(s, 0) and its first two derivatives in x = ln s."""
        s = jnp.exp(x)
        phi, phi_s, phi_ss = midplane.derivatives(s)
        s2, h2, v2 = s**2, s**2 + delta2, (L_z / s) ** 2
        kinetic, first, second = E - phi - 0.5 * v2, v2 - s * phi_s, -2 * v2 - s * phi_s - s2 * phi_ss
        return h2 * kinetic, 2 * s2 * kinetic + h2 * first, 4 * s2 * (kinetic + first) + h2 * second

    def excess(x: Array) -> tuple[Array, Array]:
        value, slope, _ = slopes(x)
        return value - K, slope

    def turning_point(start: Array, end: Array, *, upwards: bool) -> Array:
        points = _between(start, end)
        heights = well(jnp.exp(points))
        return first_descent(excess, points, heights, K, upwards=upwards, iterations=_TURNING_STEPS)

    def action(x_in: Array, x_out: Array) -> Array:
        def p_s2(s: Array) -> Array:
            return 2 * (well(s) - K[..., None]) / (s**2 + delta2_)

        return radial_action(p_s2, jnp.exp(x_in), jnp.exp(x_out), nodes)

    middle = jnp.log(s_shell)
    inner, outer = _farthest(middle, jnp.abs(L_z), E - midplane(jnp.zeros(())), R_circ)
    points = _between(middle, inner)
    dip, peak = _second_hump(lambda x: slopes(x)[1:], points, well(jnp.exp(points)))
    at_dip, at_peak, at_shell = (excess(x)[0] for x in (dip, peak, middle))
    x_in = jnp.where(at_dip > 0, dip, turning_point(middle, dip, upwards=False))
    turns = x_in, turning_point(middle, outer, upwards=True)
    x_out = jnp.where(at_dip > 0, dip, turning_point(peak, dip, upwards=True))
    second = turning_point(peak, inner, upwards=False), x_out
    share = _share_of_second(at_dip, at_peak, at_shell)
    J_r = action(*turns) + jnp.where(dip > inner, share * action(*second), 0.0)
    return RadialMotions(J_r, *(jnp.exp(x) for x in (*turns, dip, peak, *second)))


def _between(start: Array, end: Array) -> Array:
    """Where turning points are looked for."""
    return start[..., None] + (end - start)[..., None] * _LOOKED_OVER


def _second_hump(
    slopes: Callable[[Array], tuple[Array, Array]], points: Array, heights: Array
) -> tuple[Array, Array]:
    """Where a well, of `heights` (..., n) at `points` (..., n) from the shell inwards, has its deepest dip
    and the top of the hump beyond; the last point where it has none. `slopes` are its first two derivatives.
    """
    before, here, after = heights[..., :-2], heights[..., 1:-1], heights[..., 2:]
    dips = (here < before) & (here <= after)
    exists, at_dip = dips.any(axis=-1), jnp.argmin(jnp.where(dips, here, jnp.inf), axis=-1)[..., None]
    beyond = jnp.arange(here.shape[-1]) > at_dip
    at_peak = jnp.argmax(jnp.where(beyond, here, -jnp.inf), axis=-1)[..., None]

    def extremum(at: Array, rising: bool) -> Array:
        upper, lower = (jnp.take_along_axis(points, at + i, axis=-1)[..., 0] for i in (0, 2))
        return bracketed_root(slopes, lower, upper, rising=rising, iterations=_EXTREMUM_STEPS)

    places = extremum(at_dip, True), extremum(at_peak, False)
    dip, peak = (jnp.where(exists, x, points[..., -1]) for x in places)
    return dip, peak


def _share_of_second(dip: Array, peak: Array, shell: Array) -> Array:
    """How much of the action in the second hump of A is counted, by the heights above K of the dip before it,
    of its top and of the shell.

    Where K is far below the dip the motion goes through both humps, and where K is above it stays in that of
    the shell: the action would jump where a model's parameters open or close the way. An orbit knows of no
    such division, which is that of the separated motion. The share is therefore a smooth function of K, one
    from some way below the dip and none from the top of the lower hump on.
    """
    hump = jnp.minimum(peak, shell) - dip
    x = jnp.clip((_FADE - dip / jnp.where(hump > 0, hump, 1.0)) / (1 + _FADE), 0.0, 1.0)
    return jnp.where(hump > 0, 1 - x**2 * (3 - 2 * x), 1.0 * (dip > 0))


def vertical_actions(
    potential: Potential, motion: Motion, s_shell: Array, K: Array, nodes: int
) -> tuple[Array, Array, Array]:
    """J_z in kpc km/s, its turning point cos v, and A(s, 0) - A(s, c) half-way to it relative to `K`, on the
    spheroid of the shell."""
    floor = motion.momenta2(potential, s_shell, jnp.zeros_like(s_shell))

    def excess(u: Array) -> tuple[Array, Array]:
        """In u = arctanh c, in which the centrifugal wall at c = 1 is no steeper than an exponential."""
        c = jnp.tanh(u)
        value, _, slope = motion.momenta2_slopes(potential.field, s_shell, c)
        return K + value - floor, slope * (1 - c**2)

    wide, s, lift = motion.with_axis(), s_shell[..., None], (K - floor)[..., None]
    # Near L_z = 0 there can be walls beyond the first: the orbit turns at that one. The well is the same for
    # all K, so it is looked over once.
    heights = wide.momenta2(potential, s, np.tanh(_WALL_SEARCH)) - floor[..., None]
    c_top = jnp.tanh(
        first_descent(excess, jnp.asarray(_WALL_SEARCH), heights, -K, upwards=True, iterations=_TURNING_STEPS)
    )
    depth = (floor - motion.momenta2(potential, s_shell, c_top / np.sqrt(2))) / K
    J_z = vertical_action(lambda c: 2 * (wide.momenta2(potential, s, c) + lift), c_top, nodes)
    return J_z, c_top, depth


def hyperbolas(
    potential: Potential, motion: Motion, s_shell: Array, bend: Array, W: Array, top2: Array
) -> tuple[Array, Array]:
    """s of the shell (kpc) on the hyperbolas where its A is smaller by `W` than in the midplane, and their c.

    `top2` is c^2 where orbits of that K turn on the spheroid of the shell, which is close by.
    """
    highest = motion.momenta2(potential, s_shell, jnp.zeros_like(s_shell))

    def bent(c: Array) -> Array:
        return s_shell * (1 + bend * c**2)

    def excess(u: Array) -> tuple[Array, Array]:
        """In u = arctanh c, as for vertical actions."""
        c = jnp.tanh(u)
        value, in_s, in_c = motion.momenta2_slopes(potential.field, bent(c), c)
        return highest - value - W, -(in_c + in_s * 2 * s_shell * bend * c) * (1 - c**2)

    low, high = jnp.zeros_like(W), jnp.full_like(W, _WALL_SEARCH[-1])
    guess = jnp.minimum(jnp.arctanh(jnp.sqrt(top2)), high)
    c = jnp.tanh(bracketed_root(excess, low, high, rising=True, iterations=_SHARE_STEPS, guess=guess))
    return bent(c), c


def actions_along_hyperbolas(
    potential: Potential,
    motion: Motion,
    s_shell: Array,
    c: Array,
    own_v: Array,
    R_circ: Array,
    in_plane: RadialMotions,
    nodes: int,
) -> Array:
    """J_r in kpc km/s along the hyperbolas `c` of orbits with p_v^2/2 = `own_v` there, around `s_shell`.

    `in_plane` are the same motions in the midplane: guesses of the turning points, and where the humps of A
    are divided.
    """

    def beyond(log_s: Array) -> tuple[Array, Array]:
        s = jnp.exp(log_s)
        value, slope, _ = motion.momenta2_slopes(potential.field, s, c)
        return value - own_v, slope * s

    wide, c_, own_v_ = motion.with_axis(), c[..., None], own_v[..., None]

    def p_s2(s: Array) -> Array:
        return 2 * (wide.momenta2(potential, s, c_) - own_v_) / (s**2 + wide.delta2)

    def turning_point(low: Array, high: Array, guess: Array, *, rising: bool) -> Array:
        return bracketed_root(
            beyond, low, high, rising=rising, iterations=_HYPERBOLA_STEPS, guess=jnp.log(guess)
        )

    def action(x_in: Array, x_out: Array) -> Array:
        return radial_action(p_s2, jnp.exp(x_in), jnp.exp(x_out), nodes)

    middle = jnp.broadcast_to(jnp.log(s_shell), own_v.shape)
    barrier = jnp.abs(motion.L_z) / jnp.sqrt(1 - c**2)
    inner, outer = _farthest(middle, barrier, motion.E - potential.central, R_circ)
    dip, peak = (jnp.clip(jnp.log(s), inner, middle) for s in (in_plane.s_dip, in_plane.s_peak))
    around_shell = action(
        turning_point(dip, middle, in_plane.s_in, rising=True),
        turning_point(middle, outer, in_plane.s_out, rising=False),
    )
    second = action(
        turning_point(inner, peak, in_plane.second_in, rising=True),
        turning_point(peak, dip, in_plane.second_out, rising=False),
    )
    share = _share_of_second(*(beyond(x)[0] for x in (dip, peak, middle)))
    return around_shell + jnp.where(dip > inner, share * second, 0.0)


def _farthest(middle: Array, barrier: Array, depth: Array, R_circ: Array) -> tuple[Array, Array]:
    """ln s between which, on both sides of the shell at `middle`, all turning points lie.

    No orbit gets closer to the centre than its angular momentum lets it with all of the `depth` E - Phi(0)
    as kinetic energy, nor, whatever the mass, farther than twice the radius of the circular orbit.
    """
    inner = jnp.minimum(0.5 * jnp.log(0.49 * barrier**2 / depth), middle - 1e-6)
    return inner, jnp.maximum(jnp.log(2.2 * R_circ), middle + 1e-6)
