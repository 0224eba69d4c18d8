"""Actions of many orbits at once, as tables need them.

All orbits of one energy and L_z turn in the same well, whatever their K: it is looked over once, and a few
steps lead from there to the turning points of each.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
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
_FALL = 0.1
"""How fast a well falls towards the centre at least, in units of its height, for each e-fold of s far from
the shell (`_Descent`)."""


class _Descent(NamedTuple):
    """What makes A(s) fall from the shell at ln s = `middle` (...) inwards without a second rise.

    Near L_z = 0, where the potential is steeper than that of a Staeckel model, A can rise again towards the
    centre. The radial motion would then have a second well, and its action would jump where a model's
    parameters open or close the way to it. From the `dip` (...) on, a distance in ln s from the shell, the
    well is what is lower, A or a line that begins at the bottom of the dip, with `height` (...) what it has
    at the shell and falls by `fall` (...), in (kpc km/s)^2.
    """

    middle: Array
    dip: Array
    height: Array
    fall: Array

    @classmethod
    def of(cls, well: Callable[[Array], Array], middle: Array, points: Array) -> "_Descent":
        """Of a `well` of ln s (..., n), by its heights at `points` (..., n), equally spaced from the shell
        inwards."""
        heights = well(points)
        fall = _FALL * jnp.abs(heights[..., 0])
        away = middle[..., None] - points
        c = jax.lax.stop_gradient(heights + fall[..., None] * _line(away))
        before, here, after = c[..., :-2], c[..., 1:-1], c[..., 2:]
        lowest = jnp.where((here < before) & (here <= after), here, jnp.inf)
        at = jnp.argmin(lowest, axis=-1)[..., None]
        found = jnp.isfinite(jnp.min(lowest, axis=-1))
        y0, y1, y2 = (jnp.take_along_axis(a, at, axis=-1)[..., 0] for a in (before, here, after))
        bend = jnp.where(found, y0 - 2 * y1 + y2, 1.0)
        step = jax.lax.stop_gradient(away[..., 1] - away[..., 0])
        dip = step * (at[..., 0] + 1 + jnp.clip(0.5 * (y0 - y2) / bend, -0.5, 0.5))
        bottom = well((middle - dip)[..., None])[..., 0] + fall * _line(dip)
        return cls(middle, jnp.where(found, dip, jnp.inf), jnp.where(found, bottom, 1e30), fall)

    def lowered(self, x: Array, height: Array) -> Array:
        """The well at ln s = `x`, where A is `height`; with a trailing axis more than this has, or none."""
        middle, dip, bottom, fall = self if x.ndim == self.middle.ndim else (a[..., None] for a in self)
        away = middle - x
        return jnp.where(away > dip, jnp.minimum(height, bottom - fall * _line(away)), height)

    def lowered_with_slope(self, x: Array, height: Array, slope: Array) -> tuple[Array, Array]:
        """The same with its slope, where that of A is `slope`."""
        low = self.lowered(x, height)
        away = self.middle - x
        return low, jnp.where(low < height, self.fall * away**2 / (1 + away**2), slope)


def _line(away: Array) -> Array:
    """How a line falls with the distance from the shell: flat there, by one for each e-fold far away."""
    return away - jnp.arctan(away)


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
        value, slope = descent.lowered_with_slope(x, (s**2 + delta2) * kinetic, slope * s)
        return value - K, slope

    def turning_point(end: Array, upwards: bool) -> Array:
        points = middle[..., None] + (end - middle)[..., None] * _LOOKED_OVER
        heights = descent.lowered(points, well(jnp.exp(points)))
        return jnp.exp(first_descent(excess, points, heights, K, upwards=upwards, iterations=_TURNING_STEPS))

    middle = jnp.log(s_shell)
    inner, outer = _farthest(middle, jnp.abs(L_z), E - midplane(jnp.zeros(())), R_circ)
    descent = _Descent.of(
        lambda x: well(jnp.exp(x)), middle, middle[..., None] + (inner - middle)[..., None] * _LOOKED_OVER
    )
    s_in, s_out = turning_point(inner, False), turning_point(outer, True)
    J_r = radial_action(
        lambda s: 2 * (descent.lowered(jnp.log(s), well(s)) - K[..., None]) / (s**2 + delta2_),
        s_in,
        s_out,
        nodes,
    )
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
        value, slope = descent.lowered_with_slope(log_s, value, slope * s)
        return value - own_v, slope

    middle = jnp.broadcast_to(jnp.log(s_shell), own_v.shape)
    barrier = jnp.abs(motion.L_z) / jnp.sqrt(1 - c**2)
    inner, outer = _farthest(middle, barrier, motion.E - potential.central, R_circ)
    inner, outer = (jnp.broadcast_to(x, middle.shape) for x in (inner, outer))
    wide = motion.with_axis()

    def well(x: Array) -> Array:
        return wide.momenta2(potential, jnp.exp(x), c[..., None])

    descent = _Descent.of(well, middle, middle[..., None] + (inner - middle)[..., None] * _LOOKED_OVER)
    x_in, x_out = (jnp.log(s) for s in guesses)
    x_in = bracketed_root(beyond, inner, middle, rising=True, iterations=_HYPERBOLA_STEPS, guess=x_in)
    x_out = bracketed_root(beyond, middle, outer, rising=False, iterations=_HYPERBOLA_STEPS, guess=x_out)
    s_in, s_out = jnp.exp(x_in), jnp.exp(x_out)

    def p_s2(s: Array) -> Array:
        x = jnp.log(s)
        return 2 * (descent.lowered(x, well(x)) - own_v[..., None]) / (s**2 + wide.delta2)

    return radial_action(p_s2, s_in, s_out, nodes)


def _farthest(middle: Array, barrier: Array, depth: Array, R_circ: Array) -> tuple[Array, Array]:
    """ln s between which, on both sides of the shell at `middle`, all turning points lie.

    No orbit gets closer to the centre than its angular momentum lets it with all of the `depth` E - Phi(0)
    as kinetic energy, nor, whatever the mass, farther than twice the radius of the circular orbit.
    """
    inner = jnp.minimum(0.5 * jnp.log(0.49 * barrier**2 / depth), middle - 1e-6)
    return inner, jnp.maximum(jnp.log(2.2 * R_circ), middle + 1e-6)
