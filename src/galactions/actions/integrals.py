"""Action integrals between turning points, with substitutions that make them smooth at both ends."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array

from galactions.numerics.quadrature import turning_point_rule

_LARGEST_SKEW = 0.92


def _root(p2: Array) -> Array:
    return jnp.sqrt(jnp.where(p2 > 0, p2, 1.0)) * (p2 > 0)


def radial_action(p_s2: Callable[[Array], Array], s1: Array, s2: Array, n: int) -> Array:
    """`J_r = (1/pi) int p_s ds` between the turning points s1 <= s2 (kpc), in kpc km/s.

    `p_s2(s)` is the squared momentum conjugate to s; it gets arrays with one more (trailing) axis of
    length `n`. The radii follow a Moebius map of [-1, 1] that crowds them towards s1 when the orbit is
    eccentric, where the centrifugal term is steep.
    """
    t, w = turning_point_rule(n)
    ratio = jnp.sqrt(s1 / s2)
    skew = jnp.minimum((1 - ratio) / (1 + ratio), _LARGEST_SKEW)[..., None]
    span = (s2 - s1)[..., None]
    s = s1[..., None] + span * (1 + t) * (1 - skew) / (2 * (1 - skew * t))
    jacobian = span * (1 - skew**2) / (2 * (1 - skew * t) ** 2)
    return jnp.sum(w * _root(p_s2(s)) * jacobian, axis=-1) / jnp.pi


def vertical_action(p_v2: Callable[[Array], Array], c1: Array, n: int) -> Array:
    """`J_z = (2/pi) int p_v dv` from the turning point cos v = c1 to the midplane, in kpc km/s.

    `p_v2(c)` is the squared momentum conjugate to v; it gets arrays with one more (trailing) axis of
    length `n`.
    """
    t, w = turning_point_rule(2 * n)
    t, w = t[n:], w[n:]
    # With c = tanh(u) the integrand stays smooth however thin the centrifugal wall at c = 1 (small L_z) is.
    u1 = jnp.arctanh(c1)[..., None]
    u = u1 * t
    return 2 / jnp.pi * jnp.sum(w * _root(p_v2(jnp.tanh(u))) * u1 / jnp.cosh(u), axis=-1)
