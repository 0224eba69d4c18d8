"""Actions by the Staeckel fudge, evaluated directly for each star (Binney 2012; Sanders & Binney 2016)."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.integrals import radial_action, vertical_action
from galactions.actions.spheroidal import from_cylindrical, momenta
from galactions.numerics.roots import bracketed_root
from galactions.potential.field import R_MAX

PotentialFunction = Callable[[Array, Array], Array]


def fudge_actions(
    potential: PotentialFunction,
    gradient: Callable[[Array, Array], tuple[Array, Array]],
    R: Array,
    z: Array,
    v_R: Array,
    v_z: Array,
    L_z: Array,
    delta2: Array,
    nodes: int = 40,
) -> tuple[Array, Array]:
    """(J_r, J_z) in kpc km/s of stars at (R, z) in kpc with (v_R, v_z) in km/s and L_z in kpc km/s.

    The motion is separated in spheroidal coordinates of squared focal distance `delta2`, with the
    potential taken along the two coordinate lines through the star: exact where the potential is of
    Staeckel form with that focal distance, and for any spherical potential with `delta2` = 0. Unbound
    stars get NaN.
    """
    s2, c = from_cylindrical(R, z, delta2)
    s2 = jnp.maximum(s2, 1e-12)
    s, sin2 = jnp.sqrt(s2), 1 - c**2
    p_u, p_v = momenta(s2, c, delta2, v_R, v_z)
    phi = potential(R, z)
    E = 0.5 * (v_R**2 + v_z**2 + (L_z / R) ** 2) + phi
    h2_phi = (s2 + delta2 * sin2) * phi

    def along_s(
        x: Array, sin2: Array, c: Array, E: Array, L: Array, d2: Array, start: tuple[Array, Array, Array]
    ) -> Array:
        """p_u^2 at the radius x on the star's own hyperbola."""
        s2, p_u2, h2_phi = start
        here = (x**2 + d2 * sin2) * potential(x * jnp.sqrt(sin2), jnp.sqrt(x**2 + d2) * c)
        return p_u2 + 2 * E * (x**2 - s2) - 2 * (here - h2_phi) - L**2 * d2 * (1 / x**2 - 1 / s2)

    def along_c(
        x: Array, s2: Array, E: Array, L: Array, d2: Array, start: tuple[Array, Array, Array]
    ) -> Array:
        """p_v^2 at cos v = x on the star's own spheroid."""
        c, p_v2, h2_phi = start
        x_sin2, sin2 = 1 - x**2, 1 - c**2
        here = (s2 + d2 * x_sin2) * potential(jnp.sqrt(s2 * x_sin2), jnp.sqrt(s2 + d2) * x)
        return p_v2 + 2 * E * d2 * (x_sin2 - sin2) - 2 * (here - h2_phi) - L**2 * (1 / x_sin2 - 1 / sin2)

    def s_excess(log_x: Array) -> tuple[Array, Array]:
        x = jnp.exp(log_x)
        value = along_s(x, sin2, c, E, L_z, delta2, (s2, p_u**2, h2_phi))
        here_R, here_z = x * jnp.sqrt(sin2), jnp.sqrt(x**2 + delta2) * c
        slope_R, slope_z = gradient(here_R, here_z)
        d_phi = slope_R * jnp.sqrt(sin2) + slope_z * c * x / jnp.sqrt(x**2 + delta2)
        slope = (
            4 * x * (E - potential(here_R, here_z))
            - 2 * (x**2 + delta2 * sin2) * d_phi
            + 2 * L_z**2 * delta2 / x**3
        )
        return value, slope * x

    def c_excess(x: Array) -> tuple[Array, Array]:
        value = along_c(x, s2, E, L_z, delta2, (c, p_v**2, h2_phi))
        x_sin2 = 1 - x**2
        here_R, here_z = jnp.sqrt(s2 * x_sin2), jnp.sqrt(s2 + delta2) * x
        slope_R, slope_z = gradient(here_R, here_z)
        d_phi = -slope_R * s * x / jnp.sqrt(x_sin2) + slope_z * jnp.sqrt(s2 + delta2)
        slope = (
            -4 * E * delta2 * x
            + 4 * delta2 * x * potential(here_R, here_z)
            - 2 * (s2 + delta2 * x_sin2) * d_phi
        )
        return value, slope - 2 * L_z**2 * x / x_sin2**2

    log_s = 0.5 * jnp.log(s2)
    ends = jnp.full_like(s, np.log(1e-6)), jnp.full_like(s, np.log(R_MAX))
    s_in = jnp.exp(bracketed_root(s_excess, ends[0], log_s, rising=True, iterations=50))
    s_out = jnp.exp(bracketed_root(s_excess, log_s, ends[1], rising=False, iterations=50))
    c_top = bracketed_root(c_excess, jnp.abs(c), jnp.full_like(c, 1 - 1e-10), rising=False, iterations=50)

    wide = lambda a: a[..., None]  # noqa: E731
    start_s = (wide(s2), wide(p_u**2), wide(h2_phi))
    start_c = (wide(c), wide(p_v**2), wide(h2_phi))
    J_r = radial_action(
        lambda x: (
            along_s(x, wide(sin2), wide(c), wide(E), wide(L_z), wide(delta2), start_s) / (x**2 + wide(delta2))
        ),
        s_in,
        s_out,
        nodes,
    )
    J_z = vertical_action(
        lambda x: along_c(x, wide(s2), wide(E), wide(L_z), wide(delta2), start_c), c_top, nodes
    )
    bound = E < 0
    return jnp.where(bound, J_r, jnp.nan), jnp.where(bound, J_z, jnp.nan)
