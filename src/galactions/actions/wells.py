"""Actions of many orbits at once, as tables need them.

All orbits of one energy and L_z turn in the same well, whatever their K: it is looked over once, and a few
steps lead from there to the turning points of each.
"""

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
_SHARE_STEPS = 12
"""Steps to the hyperbola whose W is a share of K."""
_LOOKED_OVER = np.linspace(0.0, 1.0, 17)
"""Where turning points are looked for, as shares of the way in ln s to where none can be."""


def radial_actions(
    midplane: RadialProfile,
    E: Array,
    L_z: Array,
    delta2: Array,
    s_shell: Array,
    K: Array,
    R_circ: Array,
    nodes: int,
) -> tuple[Array, Array, Array]:
    """J_r in kpc km/s and the turning points s_in, s_out in kpc of the orbits (E, L_z, K), of broadcastable
    shapes, around the shell radius `s_shell` (kpc); `R_circ` is the radius of the circular orbit of energy E.

    With `delta2` = 0 and K = 0 it is the radial action in the spherical potential `midplane` for angular
    momentum `L_z`.
    """

    E_, L_, delta2_ = (jnp.asarray(a)[..., None] for a in (E, L_z, delta2))

    def well(s: Array) -> Array:
        """A(s, 0), with a trailing axis: the same for all K."""
        return (s**2 + delta2_) * (E_ - midplane(s) - 0.5 * (L_ / s) ** 2)

    def excess(x: Array) -> tuple[Array, Array]:
        s = jnp.exp(x)
        phi, slope_phi, _ = midplane.derivatives(s)
        kinetic = E - phi - 0.5 * (L_z / s) ** 2
        slope = 2 * s * kinetic - (s**2 + delta2) * (slope_phi - L_z**2 / s**3)
        return (s**2 + delta2) * kinetic - K, slope * s

    def turning_point(end: Array, upwards: bool) -> Array:
        points = middle[..., None] + (end - middle)[..., None] * _LOOKED_OVER
        heights = well(jnp.exp(points))
        return jnp.exp(first_descent(excess, points, heights, K, upwards=upwards, iterations=_TURNING_STEPS))

    middle = jnp.log(s_shell)
    inner, outer = _farthest(middle, jnp.abs(L_z), E - midplane(jnp.zeros(())), R_circ)
    s_in, s_out = turning_point(inner, False), turning_point(outer, True)
    J_r = radial_action(lambda s: 2 * (well(s) - K[..., None]) / (s**2 + delta2_), s_in, s_out, nodes)
    return J_r, s_in, s_out


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
    guesses: tuple[Array, Array],
    nodes: int,
) -> Array:
    """J_r in kpc km/s along the hyperbolas `c` of orbits with p_v^2/2 = `own_v` there, around `s_shell`.

    `guesses` are those of the turning points (kpc).
    """

    def beyond(log_s: Array) -> tuple[Array, Array]:
        s = jnp.exp(log_s)
        value, slope, _ = motion.momenta2_slopes(potential.field, s, c)
        return value - own_v, slope * s

    middle = jnp.broadcast_to(jnp.log(s_shell), own_v.shape)
    barrier = jnp.abs(motion.L_z) / jnp.sqrt(1 - c**2)
    inner, outer = _farthest(middle, barrier, motion.E - potential.central, R_circ)
    inner, outer = (jnp.broadcast_to(x, middle.shape) for x in (inner, outer))
    x_in, x_out = (jnp.log(s) for s in guesses)
    x_in = bracketed_root(beyond, inner, middle, rising=True, iterations=_HYPERBOLA_STEPS, guess=x_in)
    x_out = bracketed_root(beyond, middle, outer, rising=False, iterations=_HYPERBOLA_STEPS, guess=x_out)
    s_in, s_out = jnp.exp(x_in), jnp.exp(x_out)
    wide, c, own_v = motion.with_axis(), c[..., None], own_v[..., None]

    def p_s2(s: Array) -> Array:
        return 2 * (wide.momenta2(potential, s, c) - own_v) / (s**2 + wide.delta2)

    return radial_action(p_s2, s_in, s_out, nodes)


def _farthest(middle: Array, barrier: Array, depth: Array, R_circ: Array) -> tuple[Array, Array]:
    """ln s between which, on both sides of the shell at `middle`, all turning points lie.

    No orbit gets closer to the centre than its angular momentum lets it with all of the `depth` E - Phi(0)
    as kinetic energy, nor, whatever the mass, farther than twice the radius of the circular orbit.
    """
    inner = jnp.minimum(0.5 * jnp.log(0.49 * barrier**2 / depth), middle - 1e-6)
    return inner, jnp.maximum(jnp.log(2.2 * R_circ), middle + 1e-6)
