"""Circular and shell orbits: the frame of every table of actions.

Energies are labelled by `y = ln(1/|E| - 1/|Phi(0)|)`, nearly linear in the logarithm of the circular
radius and covering all bound energies for every potential with a finite centre.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.separation import Motion
from galactions.numerics.quadrature import turning_point_rule
from galactions.numerics.roots import bracketed_root, interpolated_root
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
    R = jnp.exp(bracketed_root(excess, low, high, rising=True, iterations=20))
    return R, jnp.sqrt(R**3 * profile.derivatives(R)[1])


def shell_radius(
    profile: RadialProfile, E: Array, L_z: Array, ell: Array, delta2: Array, R_circ: Array
) -> Array:
    """Midplane radius in kpc of the shell orbit (J_r = 0) of (E, L_z); `ell` is L_z/L_circ.

    There `(s^2 + Delta^2) (E - Phi_eff(s, 0))` is largest.
    """

    def slope(x: Array) -> tuple[Array, Array]:
        s = jnp.exp(x)
        phi, first, second = profile.derivatives(s)
        kinetic = E - phi - 0.5 * (L_z / s) ** 2
        force = first - L_z**2 / s**3
        value = 2 * s * kinetic - (s**2 + delta2) * force
        return value, s * (2 * kinetic - 4 * s * force - (s**2 + delta2) * (second + 3 * L_z**2 / s**4))

    low, high = jnp.log(LEAST_SHELL * R_circ), jnp.log(2.0 * R_circ)
    # The longer the spheroids are, the farther in from the circular orbit they are cut.
    guess = jnp.log(R_circ) - 0.25 * (1 - ell**2) * jnp.minimum(delta2 / R_circ**2, 1.0)
    return jnp.exp(
        bracketed_root(slope, low, high, rising=False, iterations=_FOCAL_RADIUS_STEPS, guess=guess)
    )


def focal_distance2(potential: Potential, E: Array, L_z: Array, R_circ: Array) -> Array:
    """Squared focal distance Delta^2 (kpc^2) for which the shell orbit of (E, L_z) follows a spheroid best;
    negative where that is an oblate one.

    On a Staeckel potential `h^2 (E - Phi_eff)`, with `h^2 = s^2 + Delta^2 (1 - c^2)`, is a sum of a
    function of s and one of c. Here Delta is chosen such that its s-derivative, which vanishes in the
    midplane of the shell, also vanishes on average along the shell: the force then bends the orbit along
    the spheroid. The average is over time with weight (z/R)^2, much as in a least-squares fit of an
    ellipse to the orbit.
    """
    t = turning_point_rule(12)[0][6:]
    profile = potential.midplane_profile()

    def imbalance(delta2: Array) -> Array:
        s = shell_radius(profile, E, L_z, ell, delta2, R_circ)
        c_top = shell_top(potential, E, L_z, ell, s, delta2)
        c = c_top[..., None] * t
        wide = Motion(E, L_z, delta2).with_axis()
        slope = wide.momenta2_slopes(potential.field, s[..., None], c)[1]
        mean = jnp.mean((t * (1 + c**2)) ** 2 * slope, axis=-1)
        # Far above the root the spheroids no longer look like shells and cut the midplane beyond the
        # circular orbit.
        return jnp.where((delta2 < 0) | (s < 1.02 * R_circ), mean, jnp.abs(mean))

    ell = L_z / jnp.sqrt(R_circ**3 * profile.derivatives(R_circ)[1])
    highest = (1.5 + 2.5 * ell**2) * R_circ**2
    lowest = -6 * largest_oblateness2(E, L_z, potential.central)
    return interpolated_root(imbalance, lowest, highest, rising=True, iterations=_FOCAL_STEPS)


def largest_oblateness2(E: Array, L_z: Array, central: Array) -> Array:
    """The largest -Delta^2 (kpc^2) for orbits of (E, L_z): the disc of that radius, which oblate coordinates
    cannot cross, is one they do not reach even with all of E - Phi(0) as kinetic energy.
    """
    return _OBLATE * L_z**2 / (E - central)


def reachable_delta2(delta2: Array, E: Array, L_z: Array, central: Array) -> Array:
    """`delta2` (kpc^2) where it is positive, and smoothly kept above the least possible where it is not."""
    limit, negative = largest_oblateness2(E, L_z, central), jnp.where(delta2 > 0, -1.0, delta2)
    return jnp.where(delta2 > 0, delta2, negative * limit / jnp.sqrt(limit**2 + negative**2))


def largest_focal_distance2(profile: RadialProfile, E: Array, R_circ: Array) -> Array:
    """About the largest Delta^2 (kpc^2) for which there still is a shell orbit of energy `E` with L_z = 0,
    beyond s = `LEAST_SHELL` R_circ.

    The shell orbit at s has Delta^2 = 2 s (E - Phi)/Phi' - s^2. Of the largest of these a high power mean is
    taken, which is a little smaller and changes smoothly with the potential.
    """
    s = np.linspace(LEAST_SHELL, 1.0, 24) * R_circ[..., None]
    phi, slope, _ = profile.derivatives(jnp.asarray(s))
    delta2 = jnp.maximum(2 * s * (E[..., None] - phi) / slope - s**2, 0.0) / R_circ[..., None] ** 2
    return jnp.mean(delta2**_POWER, axis=-1) ** (1 / _POWER) * R_circ**2


def shell_top(potential: Potential, E: Array, L_z: Array, ell: Array, s: Array, delta2: Array) -> Array:
    """Largest c = cos v reached along the spheroid `s` with energy `E`: where the kinetic energy vanishes.

    The search begins where an orbit of `ell` = L_z/L_circ turns in a spherical potential.
    """
    motion = Motion(E, L_z, delta2)

    def excess(u: Array) -> tuple[Array, Array]:
        """In u = arctanh c, in which the centrifugal wall at c = 1 is no steeper than an exponential."""
        c = jnp.tanh(u)
        value, _, slope = motion.momenta2_slopes(potential.field, s, c)
        return value, slope * (1 - c**2)

    low, high = jnp.full_like(s, 1e-6), jnp.full_like(s, np.arctanh(1 - 1e-9))
    guess = jnp.arctanh(jnp.sqrt(1 - ell**2))
    return jnp.tanh(bracketed_root(excess, low, high, rising=False, iterations=_TOP_STEPS, guess=guess))


def shell_on_hyperbola(potential: Potential, motion: Motion, R_circ: Array, c: Array) -> tuple[Array, Array]:
    """The outermost maximum of A(s, c) along the hyperbola `c`, beyond s = `LEAST_SHELL` R_circ: s in kpc and
    A in (kpc km/s)^2. (Near L_z = 0 there can be another one close to the axis.)
    """
    nodes = jnp.log(R_circ)[..., None] + _SHELL_SEARCH
    values = motion.with_axis().momenta2(potential, jnp.exp(nodes), c[..., None])
    last = len(_SHELL_SEARCH) - 1
    outermost = jnp.max(jnp.where(values[..., 1:] > values[..., :-1], np.arange(1, last + 1), 0), axis=-1)
    highest = jnp.clip(outermost, 1, last - 1)[..., None]
    low, high = (jnp.take_along_axis(nodes, highest + i, axis=-1)[..., 0] for i in (-1, 1))

    def slope(x: Array) -> Array:
        s = jnp.exp(x)
        return motion.momenta2_slopes(potential.field, s, c)[1]

    s = jnp.exp(interpolated_root(slope, low, high, rising=False, iterations=10))
    return s, motion.momenta2(potential, s, c)


LEAST_SHELL = 0.3
"""Shells are not sought closer to the axis than at this s/R_circ."""
_FOCAL_STEPS, _FOCAL_RADIUS_STEPS, _TOP_STEPS = 9, 6, 7
"""Steps to a focal distance, and in each of them to the radius and to the top of the shell orbit. With 7, 5
and 5 one Delta^2/R_circ^2 in the potential of BV2023 is off by 2e-3; with these none by 1e-9."""
_OBLATE = 0.05
"""Share of L_z^2/(E - Phi(0)) that -Delta^2 is kept below: orbits stay outside of a radius whose square is
half of that. With 0.2 actions are a little more constant along orbits at 10 to 25 kpc, but those of 5% of the
stars differ by more than 3% from AGAMA's, which has no oblate spheroids."""
_POWER = 16
"""Of the mean that stands for the largest Delta^2."""
_SHELL_SEARCH = np.linspace(np.log(LEAST_SHELL), np.log(1.5), 12)
"""ln s/R_circ where the maximum of A is looked for."""
