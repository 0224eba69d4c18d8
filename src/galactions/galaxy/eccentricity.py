"""Orbital eccentricities of stars (paper, section 3.3 and fig. 5)."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from galactions.actions.spheroidal import momenta
from galactions.actions.table import ActionTable
from galactions.galaxy.star_coordinates import checked_stars, meridional_motion
from galactions.numerics.program import program
from galactions.numerics.roots import interpolated_root
from galactions.potential.field import R_MAX

if TYPE_CHECKING:
    from galactions.galaxy.model import Galaxy


def eccentricities(galaxy: "Galaxy", xv: Float[ArrayLike, "n 6"]) -> Float[Array, " n"]:
    """Eccentricities (r_apo - r_peri)/(r_apo + r_peri) of stars x, y, z, v_x, v_y, v_z in the paper's frame.

    r_peri and r_apo (kpc) are where the star's turning points in the radial coordinate of the Staeckel
    fudge cut the midplane: exact for orbits in the plane and in spherical potentials. Unbound or
    non-finite stars get NaN. Raises `ModelError` for a wrong shape.
    """
    return _eccentricities(galaxy.action_table, checked_stars(xv, "eccentricities"))


@program()
def _eccentricities(table: ActionTable, xv: Array) -> Array:
    R, z, v_R, v_z, L_z, kinetic = meridional_motion(xv)
    E = table.potential(R, z) + kinetic
    bound = E < 0
    frame = table.frame(R, z, jnp.where(bound, E, -1.0), L_z)
    s, c, motion = frame.s, frame.c, frame.motion
    half_p_v2 = 0.5 * momenta(s**2, c, motion.delta2, v_R, v_z)[1] ** 2

    def half_p_u2(log_s: Array) -> Array:
        """Half the squared radial momentum on the hyperbola through the star (Binney 2012)."""
        return motion.momenta2(table.potential, jnp.exp(log_s), c) - half_p_v2

    here = jnp.log(s)
    low, high = jnp.full_like(R, np.log(1e-6)), jnp.full_like(R, np.log(R_MAX))
    inner = jnp.exp(interpolated_root(half_p_u2, low, here, rising=True, iterations=50))
    outer = jnp.exp(interpolated_root(half_p_u2, here, high, rising=False, iterations=50))
    return jnp.where(bound, (outer - inner) / (outer + inner), jnp.nan)
