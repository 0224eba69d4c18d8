"""The separated motion in spheroidal coordinates, on which all actions of the Staeckel fudge rest.

The energy gives the sum of the two squared momenta at (s, c),

    A(s, c) = (p_u^2 + p_v^2)/2 = h^2 (E - Phi) - (L_z^2/2) (1/(1 - c^2) + Delta^2/s^2),
    h^2 = s^2 + Delta^2 (1 - c^2).

In a Staeckel potential A is a function of s plus one of c, so that along a hyperbola c = const
`p_u^2/2 = A(s', c) - p_v^2/2` with p_v fixed, and along a spheroid s = const `p_v^2/2 = A(s, c') - p_u^2/2`
with p_u fixed. The fudge uses both in any potential (Binney 2012), along the lines through the star.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

PotentialFunction = Callable[[Array, Array], Array]
GradientFunction = Callable[[Array, Array], tuple[Array, Array]]
FieldFunction = Callable[[Array, Array], tuple[Array, Array, Array]]
"""Potential and its derivatives in R and z."""


class Motion(NamedTuple):
    """Energy (km/s)^2, angular momentum L_z (kpc km/s) and squared focal distance (kpc^2) of a motion."""

    E: Array
    L_z: Array
    delta2: Array

    def with_axis(self) -> "Motion":
        """The same, with a trailing axis of length one."""
        return Motion(*(jnp.asarray(a)[..., None] for a in self))

    def momenta2(self, potential: PotentialFunction, s: Array, c: Array) -> Array:
        """A(s, c) in (kpc km/s)^2."""
        sin2, s2 = 1 - c**2, s**2
        phi = potential(s * jnp.sqrt(sin2), jnp.sqrt(s2 + self.delta2) * c)
        centrifugal = 0.5 * self.L_z**2 * (1 / sin2 + self.delta2 / s2)
        return (s2 + self.delta2 * sin2) * (self.E - phi) - centrifugal

    def momenta2_slopes(self, field: FieldFunction, s: Array, c: Array) -> tuple[Array, Array, Array]:
        """A, dA/ds and dA/dc."""
        sin2, s2 = 1 - c**2, s**2
        sin_v, width, h2 = jnp.sqrt(sin2), jnp.sqrt(s2 + self.delta2), s2 + self.delta2 * sin2
        R, z = s * sin_v, width * c
        phi, slope_R, slope_z = field(R, z)
        kinetic = self.E - phi
        barrier = 0.5 * self.L_z**2
        value = h2 * kinetic - barrier * (1 / sin2 + self.delta2 / s2)
        in_s = 2 * s * kinetic - h2 * (slope_R * sin_v + slope_z * c * s / width)
        in_s += 2 * barrier * self.delta2 / (s2 * s)
        in_c = -2 * self.delta2 * c * kinetic - h2 * (slope_z * width - slope_R * s * c / sin_v)
        return value, in_s, in_c - 2 * barrier * c / sin2**2
