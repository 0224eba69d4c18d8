"""Actions by the Staeckel fudge, evaluated directly for each star (Binney 2012; Sanders & Binney 2016)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.integrals import radial_action, vertical_action
from galactions.actions.separation import GradientFunction, Motion, PotentialFunction
from galactions.actions.spheroidal import from_cylindrical, momenta
from galactions.numerics.roots import bracketed_root, first_sign_change
from galactions.potential.field import R_MAX

_SEARCH_NODES = 48


def fudge_actions(
    potential: PotentialFunction,
    gradient: GradientFunction,
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
    s = jnp.sqrt(s2)
    p_u, p_v = momenta(s2, c, delta2, v_R, v_z)
    own_u, own_v = 0.5 * p_u**2, 0.5 * p_v**2
    E = 0.5 * (v_R**2 + v_z**2 + (L_z / R) ** 2) + potential(R, z)
    motion = Motion(E, L_z, delta2)

    def field(R: Array, z: Array) -> tuple[Array, Array, Array]:
        return potential(R, z), *gradient(R, z)

    def s_excess(log_x: Array) -> tuple[Array, Array]:
        x = jnp.exp(log_x)
        value, slope, _ = motion.momenta2_slopes(field, x, c)
        return value - own_v, slope * x

    def c_excess(x: Array) -> tuple[Array, Array]:
        value, _, slope = motion.momenta2_slopes(field, s, x)
        return value - own_u, slope

    log_s = 0.5 * jnp.log(s2)
    nearest = 0.5 * jnp.log(jnp.maximum(-(1 + 1e-6) * delta2, 1e-12))
    ends = jnp.broadcast_to(nearest, s.shape), jnp.full_like(s, np.log(R_MAX))
    s_in = jnp.exp(bracketed_root(s_excess, ends[0], log_s, rising=True, iterations=50))
    s_out = jnp.exp(bracketed_root(s_excess, log_s, ends[1], rising=False, iterations=50))

    # Near L_z = 0 the well in c can have walls beyond the first: the star turns at that one.
    wide = motion.with_axis()
    start = jnp.arctanh(jnp.minimum(jnp.abs(c), 1 - 1e-10))
    trial = jnp.tanh(start[..., None] + (np.arctanh(1 - 1e-10) - start[..., None]) * _CROWDED)
    below = wide.momenta2(potential, s[..., None], trial) - own_u[..., None] < 0
    c_top = bracketed_root(
        c_excess, *first_sign_change(below, jnp.abs(c), trial), rising=False, iterations=50
    )

    J_r = radial_action(
        lambda x: (
            2 * (wide.momenta2(potential, x, c[..., None]) - own_v[..., None]) / (x**2 + delta2[..., None])
        ),
        s_in,
        s_out,
        nodes,
    )
    J_z = vertical_action(
        lambda x: 2 * (wide.momenta2(potential, s[..., None], x) - own_u[..., None]), c_top, nodes
    )
    bound = E < 0
    return jnp.where(bound, J_r, jnp.nan), jnp.where(bound, J_z, jnp.nan)


_CROWDED = np.linspace(0.0, 1.0, _SEARCH_NODES + 1)[1:] ** 2
"""Where the first wall is looked for, from the star (0) to the axis (1)."""
