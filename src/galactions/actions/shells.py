"""Circular and shell orbits: the frame of every table of actions.

Energies are labelled by `y = ln(1/|E| - 1/|Phi(0)|)`, nearly linear in the logarithm of the circular
radius and covering all bound energies for every potential with a finite centre.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.numerics.quadrature import turning_point_rule
from galactions.numerics.roots import bisected_root, bracketed_root
from galactions.potential.field import R_MAX, Potential, RadialProfile


def energy_label(E: Array, central: Array) -> Array:
    """Label y of the energy `E` (km/s)^2, Phi(0) < E < 0."""
    return jnp.log(1 / central - 1 / E)


def labelled_energy(y: Array, central: Array) -> Array:
    """Energy of the label `y`, (km/s)^2."""
    return 1 / (1 / central - jnp.exp(y))


def circular_orbit(profile: RadialProfile, E: Array) -> tuple[Array, Array]:
    """(radius in kpc, angular momentum in kpc km/s) of the circular orbit of energy `E`."""

    def excess(x: Array) -> tuple[Array, Array]:
        R = jnp.exp(x)
        value, slope, curvature = profile.derivatives(R)
        return value + 0.5 * R * slope - E, 0.5 * R * (3 * slope + R * curvature)

    low, high = jnp.full_like(E, np.log(1e-4)), jnp.full_like(E, np.log(R_MAX))
    R = jnp.exp(bracketed_root(excess, low, high, rising=True, iterations=40))
    return R, jnp.sqrt(R**3 * profile.derivatives(R)[1])


def shell_radius(profile: RadialProfile, E: Array, L_z: Array, delta2: Array, R_circ: Array) -> Array:
    """Midplane radius in kpc of the shell orbit (J_r = 0).

    There `(s^2 + Delta^2) (E - Phi_eff(s, 0))` is largest.
    """

    def slope(x: Array) -> tuple[Array, Array]:
        s = jnp.exp(x)
        phi, first, second = profile.derivatives(s)
        kinetic = E - phi - 0.5 * (L_z / s) ** 2
        force = first - L_z**2 / s**3
        value = 2 * s * kinetic - (s**2 + delta2) * force
        return value, s * (2 * kinetic - 4 * s * force - (s**2 + delta2) * (second + 3 * L_z**2 / s**4))

    low, high = jnp.log(0.3 * R_circ), jnp.log(2.0 * R_circ)
    return jnp.exp(bracketed_root(slope, low, high, rising=False, iterations=25))


def focal_distance2(potential: Potential, E: Array, L_z: Array, R_circ: Array) -> Array:
    """Squared focal distance Delta^2 >= 0 (kpc^2) for which the shell orbit of (E, L_z) follows a spheroid
    best.

    On a Staeckel potential `h^2 (E - Phi_eff)`, with `h^2 = s^2 + Delta^2 (1 - c^2)`, is a sum of a
    function of s and one of c. Here Delta is chosen such that its s-derivative, which vanishes in the
    midplane of the shell, also vanishes on average along the shell: the force then bends the orbit along
    the spheroid. The average is over time with weight (z/R)^2, much as in a least-squares fit of an
    ellipse to the orbit.
    """
    t = turning_point_rule(12)[0][6:]
    profile = potential.midplane_profile()

    def imbalance(delta2: Array) -> Array:
        s = shell_radius(profile, E, L_z, delta2, R_circ)
        c_top = shell_top(potential, E, L_z, s, delta2)
        c = c_top[..., None] * t
        s_, d2, E_, L_ = s[..., None], delta2[..., None], E[..., None], L_z[..., None]
        sin2, width2 = 1 - c**2, s_**2 + d2
        R, z = s_ * jnp.sqrt(sin2), jnp.sqrt(width2) * c
        slope_R, slope_z = potential.gradient(R, z)
        kinetic = E_ - potential(R, z) - 0.5 * (L_ / R) ** 2
        force = (slope_R - L_**2 / R**3) * jnp.sqrt(sin2) + slope_z * c * s_ / jnp.sqrt(width2)
        mean = jnp.mean((t * (1 + c**2)) ** 2 * (2 * s_ * kinetic - (s_**2 + d2 * sin2) * force), axis=-1)
        # Far above the root the spheroids no longer look like shells and cut the midplane beyond the
        # circular orbit.
        return jnp.where(s < 1.02 * R_circ, mean, jnp.abs(mean))

    ell = L_z / jnp.sqrt(R_circ**3 * profile.derivatives(R_circ)[1])
    highest = (0.5 + 3.5 * ell**2) * R_circ**2
    return bisected_root(imbalance, jnp.zeros_like(E), highest, rising=True, iterations=30)


def shell_top(potential: Potential, E: Array, L_z: Array, s: Array, delta2: Array) -> Array:
    """Largest c = cos v reached along the spheroid `s` with energy `E`: where the kinetic energy vanishes."""

    def kinetic(c: Array) -> tuple[Array, Array]:
        sin2 = 1 - c**2
        R, z = s * jnp.sqrt(sin2), jnp.sqrt(s**2 + delta2) * c
        slope_R, slope_z = potential.gradient(R, z)
        value = sin2 * (E - potential(R, z)) - 0.5 * (L_z / s) ** 2
        slope = -2 * c * (E - potential(R, z)) + sin2 * (
            slope_R * s * c / jnp.sqrt(sin2) - slope_z * jnp.sqrt(s**2 + delta2)
        )
        return value, slope

    low, high = jnp.full_like(s, 1e-6), jnp.full_like(s, 1 - 1e-9)
    return bracketed_root(kinetic, low, high, rising=False, iterations=25)
