"""Tabulated Staeckel actions: one table per potential, a hundred nanoseconds per star.

With A(s, c) of `separation`, the fudge makes J_r a function of (E, L_z, c, p_v^2) and J_z one of
(E, L_z, s, p_u^2). Both are written with an integral K that is zero for motion in the midplane and K_max for
the shell orbit, on which J_r = 0:

    radial motion    K_u = p_v^2/2 + W(c),   W(c) = A(s_shell(0), 0) - A(s_shell(c), c)
    vertical motion  K_v = A(s, 0) - p_u^2/2

with s_shell(c) where A(s, c) is largest along the hyperbola c. On a Staeckel potential the two are equal and
the actions functions of (E, L_z, K) alone. They are tabulated over the unit cube of the energy,
L_z/L_circ(E) and K/K_max, each divided by what it would be in a spherical potential and by what the width of
the spheroids changes: smooth functions of order one. What remains of the fourth variable is smooth and small:

 * J_r depends on how much of K_u is W(c): a parabola in W/K_u, through radial actions along hyperbolas.
 * A star far from its shell oscillates vertically in A(s, 0) - A(s, c), not in the same function at s_shell.
   The two are nearly proportional, by a factor rho found half-way (in c^2) to where the oscillation turns;
   then J_z(K; rho A) = sqrt(rho) J_z(K / rho; A) comes from the same table.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.separation import Motion
from galactions.actions.shells import LEAST_SHELL, energy_label, reachable_delta2
from galactions.actions.spheroidal import from_cylindrical, momenta
from galactions.numerics.apart import seam
from galactions.numerics.elementary import arcsinh
from galactions.numerics.spline import Axis, Spline1D, Spline2D, Spline3D
from galactions.potential.field import Potential, RadialProfile

_LEAST_Y, _LARGEST_Y = -18.5, -7.2
_Y_CENTRE, _Y_WIDTH = -14.2, 2.0
"""Energy labels of the discs, where potentials change most along the tables, and how widely they spread."""


def E_coordinate(y: Any) -> Any:
    """Coordinate of the tables along the energy label: nodes crowd towards the energies of discs."""
    return arcsinh((y - _Y_CENTRE) / _Y_WIDTH)


def E_nodes(axis: Axis) -> np.ndarray:
    """Energy labels of the nodes of a table's axis."""
    return np.asarray(_Y_CENTRE + _Y_WIDTH * np.sinh(axis.nodes))


def energy_axis(n: int) -> Axis:
    """Axis of `n` nodes over all energies."""
    start, stop = (float(np.arcsinh((y - _Y_CENTRE) / _Y_WIDTH)) for y in (_LEAST_Y, _LARGEST_Y))
    return Axis.between(start, stop, n)


E_AXIS = energy_axis(52)
_CIRCULAR_WARP = 1.0
_AXIAL_WARP = 0.2
LARGEST_BEND = 0.9

_FLAT_WARP, _SHELL_WARP, _SHELL_SHARE = 0.5, 0.3, 0.3
"""How nodes in K/K_max crowd towards 0 and towards 1, and the share of them that the latter have."""


class OrbitFrame(NamedTuple):
    """What the actions of a star depend on, apart from its meridional momenta.

    Coordinate e of the tables in energy; energy, L_z and squared focal distance; coordinate x of the tables
    in L_z, |L_z|/L_circ, angular momentum of the circular orbit (kpc km/s), and `shell_width`;
    spheroidal coordinates s (kpc) and c; and, in (kpc km/s)^2, A in the midplane at the star's s, W at its c,
    and the largest K.
    """

    e: Array
    motion: Motion
    x: Array
    ell: Array
    L_circ: Array
    width: Array
    s: Array
    c: Array
    A_midplane: Array
    W: Array
    K_max: Array

    def with_axis(self) -> "OrbitFrame":
        """The same, with a trailing axis of length one: for many momenta of each orbit."""
        return OrbitFrame(*(jax.tree.map(lambda a: jnp.asarray(a)[..., None], part) for part in self))

    @property
    def h2(self) -> Array:
        """Squared scale factor s^2 + Delta^2 (1 - c^2), kpc^2."""
        return self.s**2 + self.motion.delta2 * (1 - self.c**2)


class ActionTable(eqx.Module):
    """Actions in one potential as smooth functions of (R, z, v); built by `tabulate_actions`.

    circular: ln L and ln R of circular orbits over the energy. focal: Delta^2/R_circ^2. shell:
    (s_shell(0)/R_circ)^2. bend: b in s_shell(c) = s_shell(0) (1 + b c^2). radial, radial_change, vertical,
    turning: see the module.
    """

    potential: Potential
    midplane: RadialProfile
    circular: Spline1D
    focal: Spline2D
    shell: Spline2D
    bend: Spline2D
    radial: Spline3D
    radial_change: Spline3D
    vertical: Spline3D
    turning: Spline3D

    def __call__(
        self, R: Array, z: Array, v_R: Array, v_z: Array, v_phi: Array
    ) -> tuple[Array, Array, Array]:
        """(J_r, J_z, J_phi = R v_phi) in kpc km/s of stars at (R, z) in kpc with velocities in km/s; NaN
        where unbound."""
        E = self.potential(R, z) + 0.5 * (v_R**2 + v_z**2 + v_phi**2)
        bound = E < 0
        L_z = R * v_phi
        frame = self.frame(R, z, jnp.where(bound, E, -1.0), L_z)
        p_u, p_v = momenta(frame.s**2, frame.c, frame.motion.delta2, v_R, v_z)
        J_r, J_z = self.actions(frame, 0.5 * p_u**2, 0.5 * p_v**2)
        return jnp.where(bound, J_r, jnp.nan), jnp.where(bound, J_z, jnp.nan), L_z

    def frame(self, R: Array, z: Array, E: Array, L_z: Array) -> OrbitFrame:
        """Orbit frame at (R, z) for the energy `E` < 0 and angular momentum `L_z`."""
        e = E_coordinate(jnp.minimum(energy_label(E, self.potential.central), _LARGEST_Y))
        log_L, log_R = self.circular.all(e)
        L_circ, R_circ = jnp.exp(log_L), jnp.exp(log_R)
        ell = jnp.minimum(jnp.abs(L_z) / L_circ, 1.0)
        x = L_coordinate(ell)
        delta2, s_shell, bend = self.shells(e, x, E, L_z, R_circ)
        motion = Motion(E, L_z, delta2)
        s2, c = from_cylindrical(R, z, delta2)
        s = jnp.sqrt(jnp.maximum(s2, 1e-12))
        K_max, A_midplane = self._in_midplane(motion, s_shell), self._in_midplane(motion, s)
        W = K_max - motion.momenta2(self.potential, s_shell * (1 + bend * c**2), _off_axis(c))
        K_max = jnp.maximum(K_max, 1e-20)
        frame = OrbitFrame(
            e, motion, x, ell, L_circ, shell_width(delta2, s_shell), s, c, A_midplane, W, K_max
        )
        return seam(frame, self.potential.central)

    def shells(self, e: Array, x: Array, E: Array, L_z: Array, R_circ: Array) -> tuple[Array, Array, Array]:
        """Delta^2 (kpc^2), s_shell(0) (kpc) and b of (E, L_z), at the coordinates e and x of these."""
        s_shell = jnp.sqrt(jnp.maximum(self.shell(e, x), LEAST_SHELL**2)) * R_circ
        bend = jnp.clip(self.bend(e, x), -LARGEST_BEND, LARGEST_BEND)
        delta2 = reachable_delta2(self.focal(e, x) * R_circ**2, E, L_z, self.potential.central)
        return delta2, s_shell, bend

    def actions(self, frame: OrbitFrame, half_p_u2: Array, half_p_v2: Array) -> tuple[Array, Array]:
        """(J_r, J_z) in kpc km/s of stars with the given `frame` and p_u^2 / 2, p_v^2 / 2."""
        return self._radial_action(frame, half_p_v2), self._vertical_action(frame, half_p_u2)

    def _radial_action(self, frame: OrbitFrame, half_p_v2: Array) -> Array:
        rest = jnp.clip(1 - (frame.W + half_p_v2) / frame.K_max, 0.0, 1.0)
        k = 1 - rest
        at = frame.e, frame.x, K_coordinate(k)
        ratio, changes = self.radial(*at)[0], self.radial_change(*at)
        share = jnp.clip(frame.W / (frame.K_max * jnp.maximum(k, 1e-6)), 0.0, 1.0)
        factor = jnp.zeros_like(share)
        for change in reversed(changes):
            factor = share * (change + factor)
        ratio = jnp.maximum(ratio * (1 + factor), 0.0)
        return ratio * expected_radial(frame.ell, frame.width, k) * rest * frame.K_max / frame.L_circ

    def _vertical_action(self, frame: OrbitFrame, half_p_u2: Array) -> Array:
        K = frame.A_midplane - half_p_u2
        k = jnp.clip(K / frame.K_max, 0.0, 1.0)
        k_safe = jnp.maximum(k, 1e-8)
        top2, depth = self.top(frame.e, frame.x, frame.ell, frame.width, k_safe)
        half_way = jnp.sqrt(0.5 * top2)
        well = frame.A_midplane - frame.motion.momenta2(self.potential, frame.s, half_way)
        change = well / (k_safe * frame.K_max) - depth
        # Where the well is shallow half-way (a centrifugal wall, the same for all s) there is nothing to
        # rescale.
        rho = jnp.clip(1 + change / jnp.maximum(depth, 0.25), 0.2, 5.0)
        k_shell = jnp.minimum(k / rho, 1.0)
        (ratio,) = self.vertical(frame.e, frame.x, K_coordinate(k_shell))
        ratio = jnp.sqrt(rho) * jnp.maximum(ratio, 0.0)
        expected = expected_vertical(frame.ell, frame.width, k_shell)
        return ratio * expected * k_shell * frame.K_max / frame.L_circ

    def top(self, e: Array, x: Array, ell: Array, width: Array, k: Array) -> tuple[Array, Array]:
        """Square of the c = cos v where a vertical motion of K/K_max = `k` > 0 turns on the spheroid of its
        shell, and how deep A lies half-way there, in units of K."""
        ratio, depth = self.turning(e, x, K_coordinate(k))
        return jnp.clip(ratio * expected_top2(ell, width, k), 1e-12, 1.0), depth

    def _in_midplane(self, motion: Motion, s: Array) -> Array:
        """A(s, 0)."""
        s2 = s**2
        return (s2 + motion.delta2) * (motion.E - self.midplane(s) - 0.5 * motion.L_z**2 / s2)


def _off_axis(c: Array) -> Array:
    return jnp.minimum(jnp.abs(c), 1 - 1e-10)


def _crowd(x: Array, width: float) -> Array:
    """Maps [0, 1] onto itself and stretches the neighbourhood of 0 by (1 + width)/width."""
    return x * (1 + width) / (x + width)


def L_coordinate(ell: Array) -> Array:
    """Coordinate of the tables along |L_z|/L_circ: nodes crowd towards circular orbits, where cold discs
    live, and, where the centrifugal barrier is thin, towards L_z = 0."""
    circular = _crowd(jnp.sqrt(1 - ell + 1e-12), _CIRCULAR_WARP)
    return 0.5 * (circular + 1 - _crowd(ell, _AXIAL_WARP))


def K_coordinate(k: Array) -> Array:
    """Coordinate of the tables along K/K_max: nodes crowd towards small K, where the thin disc shapes the
    vertical motion, and towards shell orbits, which of small L_z are those near the axis."""
    flat = _crowd(jnp.sqrt(k + 1e-12), _FLAT_WARP)
    return flat + _SHELL_SHARE * (1 - flat - _crowd(1 - k, _SHELL_WARP))


def shell_width(delta2: Array, s_shell: Array) -> Array:
    """(s^2 + Delta^2)/s^2 at a shell in the midplane.

    Close to circular orbits J_r = (K_max - K)/(s^2 width kappa) and J_z = K/(s^2 width nu), with K_max
    proportional to the width. Tables from which it is taken out do not bend where Delta^2(E, L_z) does.
    """
    return 1 + delta2 / s_shell**2


def expected_radial(ell: Array, width: Array, k: Array) -> Array:
    """L_circ J_r/(K_max - K) if the potential were spherical and the radial action equal to L_circ - L, over
    the width, which is one there."""
    return 2 / (1 + jnp.sqrt(ell**2 + k * (1 - ell**2))) / width


def expected_vertical(ell: Array, width: Array, k: Array) -> Array:
    """L_circ J_z/K in a spherical potential, where J_z = L - |L_z|, over the width."""
    return 2 / (jnp.sqrt(ell**2 + k * (1 - ell**2) + 1e-12) + ell) / width


def expected_top2(ell: Array, width: Array, k: Array) -> Array:
    """Square of the largest c = cos v reached, in a spherical potential; for small ones over the width."""
    tilt2 = k * (1 - ell**2)
    return tilt2 / (width * ell**2 + tilt2 + 1e-12)
