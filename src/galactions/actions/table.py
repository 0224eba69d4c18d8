"""Tabulated Staeckel actions: one table per potential, a hundred nanoseconds per star.

With the potential taken along the midplane (for the radial motion) and along the shell orbit's spheroid (for
the vertical one), the fudge makes the actions functions of three integrals: the energy, L_z, and
K = p_v^2/2 + V(s, c) with

    V = E Delta^2 c^2 + L_z^2 c^2 / (2 (1 - c^2)) + h^2 Phi(s, c) - (s^2 + Delta^2) Phi(s, 0),
    h^2 = s^2 + Delta^2 (1 - c^2),

so that K is zero in the midplane and K_max on the shell orbit. They are tabulated over the unit cube of the
energy label y, L_z/L_circ(E) and K/K_max, each divided by what it would be in a spherical potential: smooth
functions of order one.

The radial motion of a star at (s, c) runs along its own hyperbola c = const, on which p_v^2/2 + V(s', c) is
not constant. To first order J_r is that of its mean over the radial oscillation, weighted by the time spent
and by 1/(s'^2 + Delta^2); two Chebyshev nodes give the mean.

A star far from its shell oscillates vertically in V(s, .), not in V(s_shell, .). The two are nearly
proportional, by a factor rho found half-way (in c^2) to where the oscillation turns; then
J_z(K; rho V) = sqrt(rho) J_z(K / rho; V) comes from the same table.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.integrals import radial_action, vertical_action
from galactions.actions.shells import (
    circular_orbit,
    energy_label,
    focal_distance2,
    labelled_energy,
    shell_radius,
)
from galactions.actions.spheroidal import from_cylindrical, momenta
from galactions.numerics.roots import bracketed_root
from galactions.numerics.spline import Axis, Spline1D, Spline2D, Spline3D
from galactions.potential.field import R_MAX, Potential, RadialProfile

Y_FINE = Axis.between(-18.5, -7.2, 512)
Y_AXIS = Axis.between(-18.5, -7.2, 48)
L_AXIS = Axis.between(0.0, 1.0, 48)
K_AXIS = Axis.between(0.0, 1.0, 36)
_L_WARP = 1.0
_K_WARP = 0.5

_LOWEST_ELL = 0.005
"""Stands for L_z = 0, where the centrifugal barrier is too thin for the tables to resolve."""
_EDGE = 1e-4
"""Where a ratio of two vanishing quantities is tabulated instead of at the edge itself."""


class OrbitFrame(NamedTuple):
    """What the actions of a star depend on, apart from the direction of its meridional motion.

    Energy label y and energy (km/s)^2, radius (kpc) and angular momentum (kpc km/s) of the circular orbit,
    |L_z| relative to the latter, squared focal distance (kpc^2), spheroidal coordinates s^2 (kpc^2) and c,
    and, in (kpc km/s)^2, the well V at the star and the largest K.
    """

    y: Array
    E: Array
    R_circ: Array
    L_circ: Array
    ell: Array
    delta2: Array
    s2: Array
    c: Array
    K_own: Array
    K_max: Array


class ActionTable(eqx.Module):
    """Actions in one potential as smooth functions of (R, z, v); built by `tabulate_actions`."""

    potential: Potential
    midplane: RadialProfile
    circular: Spline1D
    focal: Spline2D
    K_max: Spline2D
    radial: Spline3D
    orbit: Spline3D
    vertical: Spline3D

    def __call__(
        self, R: Array, z: Array, v_R: Array, v_z: Array, v_phi: Array
    ) -> tuple[Array, Array, Array]:
        """(J_r, J_z, J_phi = R v_phi) in kpc km/s of stars at (R, z) in kpc with velocities in km/s; NaN
        where unbound."""
        E = self.potential(R, z) + 0.5 * (v_R**2 + v_z**2 + v_phi**2)
        bound = E < 0
        L_z = R * v_phi
        frame = self.frame(R, z, jnp.where(bound, E, -1.0), L_z)
        p_v = momenta(frame.s2, frame.c, frame.delta2, v_R, v_z)[1]
        J_r, J_z = self.actions(frame, 0.5 * p_v**2)
        return jnp.where(bound, J_r, jnp.nan), jnp.where(bound, J_z, jnp.nan), L_z

    def frame(self, R: Array, z: Array, E: Array, L_z: Array) -> OrbitFrame:
        """Orbit frame at (R, z) for the energy `E` < 0 and angular momentum `L_z`."""
        y = jnp.minimum(energy_label(E, self.potential.central), Y_AXIS.nodes[-1])
        log_L, log_R = _settled(self.circular.all(y))
        L_circ = jnp.exp(log_L)
        ell = jnp.minimum(jnp.abs(L_z) / L_circ, 1.0)
        x, L_circ, ell = _settled((_L_coordinate(ell), L_circ, ell))
        focal, K_max = _settled((self.focal(y, x), self.K_max(y, x)))
        R_circ = jnp.exp(log_R)
        delta2 = jnp.maximum(focal, 0.0) * R_circ**2
        s2, c = _settled(from_cylindrical(R, z, delta2))
        K_own = _settled(self._well(E, L_z, delta2, s2, c**2))
        K_max = K_max * 0.5 * L_circ**2 * (1 - ell**2)
        return OrbitFrame(y, E, R_circ, L_circ, ell, delta2, s2, c, K_own, K_max)

    def actions(self, frame: OrbitFrame, half_p_v2: Array) -> tuple[Array, Array]:
        """(J_r, J_z) in kpc km/s of stars with the given `frame` and p_v^2 / 2."""
        K_max = jnp.where(frame.K_max > 0, frame.K_max, 1.0)
        x = _L_coordinate(frame.ell)
        L_z = frame.ell * frame.L_circ
        k = jnp.clip((frame.K_own + half_p_v2) / K_max, 0.0, 1.0)
        ratio_top, depth, s_low, s_high = _settled(self.orbit(frame.y, x, _K_coordinate(k)))

        K_mean, total = jnp.zeros_like(k), jnp.zeros_like(k)
        for s in (s_low, s_high):
            s2 = jnp.maximum(s * frame.R_circ, 1e-3) ** 2
            weight = 1 / (s2 + frame.delta2)
            K_mean += weight * self._well(frame.E, L_z, frame.delta2, s2, frame.c**2)
            total += weight
        shift = (_settled(K_mean) / total - frame.K_own) / K_max
        # What is left for the radial motion, 1 - k, bounds the shift: first order where it is small,
        # saturating where it is not.
        shift = shift * (1 - k) / (1 - k + jnp.maximum(shift, 0.0) + 1e-12)
        k_radial = jnp.clip(k + shift, 0.0, 1.0)
        (ratio_r,) = self.radial(frame.y, x, _K_coordinate(k_radial))
        J_r = jnp.maximum(ratio_r, 0.0) * _spherical_radial(frame.ell, k_radial) * frame.L_circ
        k_safe = jnp.maximum(k, 1e-8)
        half_way2 = 0.5 * jnp.clip(ratio_top * _spherical_top2(frame.ell, k_safe), 1e-12, 1.0)
        change = self._well(frame.E, L_z, frame.delta2, frame.s2, half_way2) / (k_safe * K_max) - depth
        # Where V is shallow half-way (a centrifugal wall, the same for all s) there is nothing to rescale.
        rho = jnp.clip(1 + change / jnp.maximum(depth, 0.25), 0.2, 5.0)
        k_shell = jnp.minimum(k / rho, 1.0)
        (ratio_z,) = self.vertical(frame.y, x, _K_coordinate(k_shell))
        J_z = (
            jnp.sqrt(rho) * jnp.maximum(ratio_z, 0.0) * _spherical_vertical(frame.ell, k_shell) * frame.L_circ
        )
        return J_r, J_z

    def _well(self, E: Array, L_z: Array, delta2: Array, s2: Array, c2: Array) -> Array:
        """V(s, c)."""
        sin2, width2 = 1 - c2, s2 + delta2
        phi = self.potential(jnp.sqrt(s2 * sin2), jnp.sqrt(width2 * c2))
        bend = c2 * (E * delta2 + 0.5 * L_z**2 / sin2)
        return bend + (s2 + delta2 * sin2) * phi - width2 * self.midplane(jnp.sqrt(s2))


_settled = jax.lax.optimization_barrier
"""Keeps the compiler from computing the same look-ups again inside each of their users."""


def _crowd(x: Array, width: float) -> Array:
    """Maps [0, 1] onto itself and stretches the neighbourhood of 0 by (1 + width)/width."""
    return x * (1 + width) / (x + width)


def _uncrowd(t: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(width * t / (1 + width - t))


def _L_coordinate(ell: Array) -> Array:
    """Coordinate of the tables along L_z: nodes crowd towards circular orbits."""
    return _crowd(1 - ell, _L_WARP)


def _K_coordinate(k: Array) -> Array:
    """Coordinate of the tables along K: nodes crowd towards small K, where the thin disc shapes the vertical
    motion."""
    return _crowd(jnp.sqrt(k + 1e-12), _K_WARP)


def _spherical_radial(ell: Array, k: Array) -> Array:
    """J_r/L_circ if the potential were spherical and the radial action equal to L_circ - L."""
    rest = 1 - ell**2
    return (1 - k) * rest / (1 + jnp.sqrt(ell**2 + k * rest))


def _spherical_vertical(ell: Array, k: Array) -> Array:
    """J_z/L_circ = (L - |L_z|)/L_circ in a spherical potential."""
    rest = 1 - ell**2
    return k * rest / (jnp.sqrt(ell**2 + k * rest + 1e-30) + ell)


def _spherical_top2(ell: Array, k: Array) -> Array:
    """Square of the largest c = cos v reached, in a spherical potential."""
    return k * (1 - ell**2) / (ell**2 + k * (1 - ell**2))


def tabulate_actions(potential: Potential, radial_nodes: int = 20, vertical_nodes: int = 10) -> ActionTable:
    """Tables of Delta^2, K_max, J_r and J_z for `potential`."""
    midplane = potential.midplane_profile()
    E_fine = labelled_energy(jnp.asarray(Y_FINE.nodes), potential.central)
    R_fine, L_fine = circular_orbit(midplane, E_fine)
    circular = Spline1D.fit(Y_FINE, jnp.stack([jnp.log(L_fine), jnp.log(R_fine)], axis=1))

    ell_nodes = np.clip(1 - _uncrowd(L_AXIS.nodes, _L_WARP), _LOWEST_ELL, 1 - _EDGE)
    y, ell = np.meshgrid(Y_AXIS.nodes, ell_nodes, indexing="ij")
    E = labelled_energy(jnp.asarray(y), potential.central)
    log_L, log_R = circular.all(jnp.asarray(y))
    L_circ, R_circ = jnp.exp(log_L), jnp.exp(log_R)
    L_z = ell * L_circ
    delta2 = focal_distance2(potential, E, L_z, R_circ)
    s_shell = shell_radius(midplane, E, L_z, delta2, R_circ)
    K_max = (s_shell**2 + delta2) * (E - midplane(s_shell) - 0.5 * (L_z / s_shell) ** 2)
    K_scale = 0.5 * L_circ**2 * (1 - ell**2)

    k = np.clip(_uncrowd(K_AXIS.nodes, _K_WARP) ** 2, _EDGE**2, 1 - 10 * _EDGE)
    E, L_z, delta2_, s_shell = (a[..., None] for a in (E, L_z, delta2, s_shell))
    K = K_max[..., None] * k
    J_r, s_in, s_out = radial_actions(midplane, E, L_z, delta2_, s_shell, K, radial_nodes)
    middle, reach = 0.5 * (s_in + s_out), (s_out - s_in) / np.sqrt(8)
    s_low, s_high = ((middle + sign * reach) / R_circ[..., None] for sign in (-1, 1))
    J_z, c_top, depth = _vertical_actions(potential, midplane, E, L_z, delta2_, s_shell, K, vertical_nodes)
    ell, scale = ell[..., None], L_circ[..., None]
    # Near L_z = 0 the fudge can fail (no oscillation about the shell, or about the midplane); true ratios
    # stay below 2.
    ratio_r = jnp.minimum(J_r / (_spherical_radial(ell, k) * scale), 2.0)
    ratio_z = jnp.minimum(J_z / (_spherical_vertical(ell, k) * scale), 2.0)
    ratio_top = jnp.minimum(c_top**2 / _spherical_top2(ell, k), 2.0)
    return ActionTable(
        potential,
        midplane,
        circular,
        Spline2D.fit(Y_AXIS, L_AXIS, delta2 / R_circ**2),
        Spline2D.fit(Y_AXIS, L_AXIS, K_max / K_scale),
        Spline3D.fit(Y_AXIS, L_AXIS, K_AXIS, ratio_r[..., None]),
        Spline3D.fit(Y_AXIS, L_AXIS, K_AXIS, jnp.stack([ratio_top, depth, s_low, s_high], axis=-1)),
        Spline3D.fit(Y_AXIS, L_AXIS, K_AXIS, ratio_z[..., None]),
    )


def radial_actions(
    midplane: RadialProfile, E: Array, L_z: Array, delta2: Array, s_shell: Array, K: Array, nodes: int
) -> tuple[Array, Array, Array]:
    """J_r in kpc km/s and the turning points s_in, s_out in kpc of the orbits (E, L_z, K), of broadcastable
    shapes, around the shell radius `s_shell` (kpc).

    With `delta2` = 0 and K = 0 it is the radial action in the spherical potential `midplane` for angular
    momentum `L_z`.
    """

    def half_p_u2(s: Array, E: Array, L_z: Array, delta2: Array, K: Array) -> Array:
        return (s**2 + delta2) * (E - midplane(s) - 0.5 * (L_z / s) ** 2) - K

    def excess(x: Array) -> tuple[Array, Array]:
        s = jnp.exp(x)
        phi, slope_phi, _ = midplane.derivatives(s)
        kinetic = E - phi - 0.5 * (L_z / s) ** 2
        slope = 2 * s * kinetic - (s**2 + delta2) * (slope_phi - L_z**2 / s**3)
        return (s**2 + delta2) * kinetic - K, slope * s

    middle = jnp.broadcast_to(jnp.log(s_shell), K.shape)
    ends = jnp.full_like(middle, np.log(1e-5)), jnp.full_like(middle, np.log(R_MAX))
    s_in = jnp.exp(bracketed_root(excess, ends[0], middle, rising=True, iterations=30))
    s_out = jnp.exp(bracketed_root(excess, middle, ends[1], rising=False, iterations=30))
    E, L_z, delta2, K = (a[..., None] for a in (E, L_z, delta2, K))
    J_r = radial_action(lambda s: 2 * half_p_u2(s, E, L_z, delta2, K) / (s**2 + delta2), s_in, s_out, nodes)
    return J_r, s_in, s_out


def _vertical_actions(
    potential: Potential,
    midplane: RadialProfile,
    E: Array,
    L_z: Array,
    delta2: Array,
    s_shell: Array,
    K: Array,
    nodes: int,
) -> tuple[Array, Array, Array]:
    width2 = s_shell**2 + delta2
    floor = width2 * midplane(s_shell)

    def half_p_v2(c: Array, E: Array, L_z: Array, delta2: Array, s: Array, floor: Array, K: Array) -> Array:
        sin2, width2 = 1 - c**2, s**2 + delta2
        phi = potential(s * jnp.sqrt(sin2), jnp.sqrt(width2) * c)
        return K - c**2 * (E * delta2 + 0.5 * L_z**2 / sin2) - (s**2 + delta2 * sin2) * phi + floor

    def excess(c: Array) -> tuple[Array, Array]:
        sin2 = 1 - c**2
        R, z = s_shell * jnp.sqrt(sin2), jnp.sqrt(width2) * c
        slope_R, slope_z = potential.gradient(R, z)
        d_phi = -slope_R * s_shell * c / jnp.sqrt(sin2) + slope_z * jnp.sqrt(width2)
        slope = -2 * c * E * delta2 - L_z**2 * c / sin2**2
        slope += 2 * delta2 * c * potential(R, z) - (s_shell**2 + delta2 * sin2) * d_phi
        return half_p_v2(c, E, L_z, delta2, s_shell, floor, K), slope

    ends = jnp.zeros_like(K), jnp.full_like(K, 1 - 1e-10)
    c_top = bracketed_root(excess, *ends, rising=False, iterations=30)
    wide = [a[..., None] for a in (E, L_z, delta2, s_shell, floor, K)]
    depth = 1 - half_p_v2(c_top / np.sqrt(2), E, L_z, delta2, s_shell, floor, K) / K
    return vertical_action(lambda c: 2 * half_p_v2(c, *wide), c_top, nodes), c_top, depth
