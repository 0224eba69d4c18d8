"""Points drawn exactly from a density close to that of a region's stars.

Positions and velocities follow a reference galaxy; a model that differs from it only makes the weights of
the points less even.
"""

from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from galactions.projection.positions import PositionProposal
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import View
from galactions.survey.frame import galactocentric, observed
from galactions.survey.sun import Sun

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy


class Pairs(NamedTuple):
    """n points and as many mirror images at the same places, with v_R and v_z reversed.

    f depends on the actions alone, which the reversal leaves as they are: it is the same at both, and so is
    the density they were drawn from. Hence one evaluation of f serves two points.

    seen, mirrored (6, n): l, b (deg), distance (kpc), v_los (km/s), mu_alpha*, mu_delta (mas/yr). weight
    (n,): d^2 over the density; the mass of all stars (Msun) is the mean of f times it.
    """

    seen: Array
    mirrored: Array
    weight: Array


class Proposal(eqx.Module):
    """Where the points of one region are drawn from, seen from `sun`."""

    positions: PositionProposal
    velocities: VelocityProposal
    sun: Sun

    def draw(self, u: Float[Array, "7 n"]) -> Pairs:
        """Points at `u` of the unit cube."""
        l, b, d, log_q = self.positions.draw(u[:3])  # noqa: E741
        still = jnp.zeros_like(d)
        place = galactocentric(l, b, d, still, still, still, self.sun)[:, :3]
        x, y, z = place.T
        R = jnp.hypot(x, y)
        velocity, log_q_v = self.velocities.draw(R, z, u[3:7])

        def seen_with(v_R: Array, v_phi: Array, v_z: Array) -> Array:
            v_x, v_y = (x * v_R + y * v_phi) / R, (y * v_R - x * v_phi) / R
            phase = jnp.concatenate([place, jnp.stack([v_x, v_y, v_z], axis=1)], axis=1)
            return jnp.stack([l, b, d, *observed(phase, self.sun)[3:]])

        v_R, v_phi, v_z = velocity
        weight = d**2 * jnp.exp(-log_q - log_q_v)
        return Pairs(seen_with(v_R, v_phi, v_z), seen_with(-v_R, v_phi, -v_z), weight)


def reference_sun(galaxy: "Galaxy") -> Sun:
    """The Sun of a galaxy, as arrays of numbers."""
    sun = View.of(galaxy).sun
    return Sun(*(jnp.asarray(a, float) for a in (sun.d, sun.z, sun.u, sun.v, sun.w, sun.v0)))
