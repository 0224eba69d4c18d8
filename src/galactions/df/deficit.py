"""Where the inversion of a density fails: energies at which the distribution function would be negative."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from galactions.numerics.quadrature import gauss_legendre
from galactions.potential.field import RadialProfile


class Deficit(NamedTuple):
    """What is lost where a DF that would be negative is set to zero.

    share: of the component's mass, the part that the negative values would take away. radius: the radius
    (kpc) at whose potential they take most.
    """

    share: Array
    radius: Array


def deficit(
    F: Float[Array, " n"],
    x: Float[ArrayLike, " n"],
    profile: RadialProfile,
    beta: ArrayLike = 0.0,
    r_a: ArrayLike = np.inf,
) -> Deficit:
    """Of f = L^(-2 beta) F(Q), Q = E + L^2/(2 r_a^2), given at Q = Phi(r) for rising ln r = `x`.

    The mass at Q is F(Q) g(Q) dQ with g in proportion to

        int_0^r r'^(2 - 2 beta) (1 + r'^2/r_a^2)^(beta - 1) (Q - Phi(r'))^(1/2 - beta) dr'

    (Binney & Tremaine 2008, eq. 4.53, for beta = 0 and without r_a).
    """
    r = jnp.exp(jnp.asarray(x))[:, None]
    Q = profile(r)
    t, w = gauss_legendre(24, 0.0, 1.0)
    depth = jnp.maximum(Q - profile(r * t), 0.0)
    anisotropy = (r * t) ** (-2 * beta) * (1 + (r * t / r_a) ** 2) ** (beta - 1)
    g = jnp.sum(w * r**3 * t**2 * anisotropy * depth ** (0.5 - beta), axis=1)
    mass = F * g * jnp.asarray(jnp.gradient(Q[:, 0]))
    negative = jnp.maximum(-mass, 0.0)
    return Deficit(jnp.sum(negative) / jnp.sum(jnp.abs(mass)), r[jnp.argmax(negative), 0])
