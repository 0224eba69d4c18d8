"""Integrals of a distribution function over velocity (paper, eqs. 1-4).

Velocities are split into v_phi and two components along the spheroidal coordinate lines of the orbit
itself, v_u and v_v. The actions depend on the latter only through their squares, so one quadrant
suffices, exactly, for every potential. Fixed Gauss-Legendre nodes, stretched by sinh to the scale of the
component's own dispersions, reach to the escape velocity or, for cold discs, to some ten dispersions.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.table import ActionTable
from galactions.df.base import DiskFunction, DistributionFunction, SpheroidFunction
from galactions.numerics.quadrature import gauss_legendre


class VelocityRule(NamedTuple):
    """Numbers of nodes: along v_phi (or speed) and along the two meridional directions (or angles)."""

    n_phi: int
    n_u: int
    n_v: int


DISK_RULE = VelocityRule(20, 10, 10)
SPHEROID_RULE = VelocityRule(20, 16, 10)
_BATCH = 16
_LEAST_R = 1e-3
"""kpc; velocity nodes on the axis are those of this radius."""


class Moments(NamedTuple):
    """Density (Msun/kpc^3) and its products with v_phi, v_R^2, v_z^2 and v_phi^2 (km/s)."""

    density: Array
    v_phi: Array
    v_R2: Array
    v_z2: Array
    v_phi2: Array


class _Nodes(NamedTuple):
    v_phi: Array
    v_u: Array
    v_v: Array
    weight: Array
    streaming: Array
    """What v_phi contributes to the mean: itself, or zero where a node stands for both signs."""


def velocity_moments(
    df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule | None = None
) -> Moments:
    """Velocity moments of `df` at the points (R, z), each of shape (n,), in kpc."""
    if rule is None:
        rule = DISK_RULE if isinstance(df, DiskFunction) else SPHEROID_RULE

    def at(point: tuple[Array, Array]) -> Moments:
        R, z = point
        if isinstance(df, DiskFunction):
            nodes = _disk_nodes(df, actions, R, z, rule)
        else:
            nodes = _spheroid_nodes(actions, R, z, rule)
        return _sums(df, actions, R, z, nodes)

    return jax.lax.map(at, (R, z), batch_size=_BATCH)


def density(
    df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule | None = None
) -> Array:
    """Density of `df` in Msun/kpc^3 at the points (R, z), each of shape (n,)."""
    return velocity_moments(df, actions, R, z, rule).density


def _sums(df: DistributionFunction, actions: ActionTable, R: Array, z: Array, nodes: _Nodes) -> Moments:
    v_phi, v_u, v_v, weight, streaming = nodes
    E = actions.potential(R, z) + 0.5 * (v_u**2 + v_v**2 + v_phi**2)
    bound = E < 0
    frame = actions.frame(R, z, jnp.where(bound, E, -1.0), R * v_phi)
    h2 = frame.h2
    J_r, J_z = actions.actions(frame, 0.5 * h2 * v_u**2, 0.5 * h2 * v_v**2)
    f = jnp.where(bound, df(J_r, J_z, R * v_phi), 0.0) * weight
    if isinstance(df, SpheroidFunction) and df.rotates:
        # Each node stands for both signs of v_phi, half of its weight for each.
        backwards = jnp.where(bound, df(J_r, J_z, -R * v_phi), 0.0) * weight
        f, streaming = 0.5 * (f + backwards), v_phi * (f - backwards) / (f + backwards + 1e-300)
    # The unit vector along u is (sqrt(s^2 + Delta^2) sin v, s cos v)/h in (R, z).
    tilt2 = (frame.s * frame.c) ** 2 / h2
    v_R2 = v_u**2 * (1 - tilt2) + v_v**2 * tilt2
    v_z2 = v_u**2 * tilt2 + v_v**2 * (1 - tilt2)
    f, v_R2, v_z2 = jax.lax.optimization_barrier((f, v_R2, v_z2))
    return Moments(*(jnp.sum(f * q) for q in (1.0, streaming, v_R2, v_z2, v_phi**2)))


def _stretched(scale: Array, limit: Array, x: np.ndarray) -> tuple[Array, Array]:
    """v = scale sinh(b x) with v(1) = limit, and dv/dx."""
    b = jnp.arcsinh(limit / scale)
    return scale * jnp.sinh(b * x), scale * b * jnp.cosh(b * x)


def _disk_nodes(df: DiskFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule) -> _Nodes:
    escape = jnp.sqrt(-2 * actions.potential(R, z))
    kappa, nu, Omega = actions.potential.frequencies(jnp.maximum(R, _LEAST_R))
    v_circ = jnp.maximum(R, _LEAST_R) * Omega
    scale_r, scale_z = df.action_scales(R * v_circ)
    sigma_r, sigma_z = jnp.sqrt(kappa * scale_r), jnp.sqrt(nu * scale_z)
    limit_r, limit_z = (jnp.minimum(escape, 8 * sigma + 100.0) for sigma in (sigma_r, sigma_z))
    x, w = gauss_legendre(rule.n_u, 0.0, 1.0)
    v_u, d_u = _stretched(2 * sigma_r, limit_r, x)
    x_v, w_v = gauss_legendre(rule.n_v, 0.0, 1.0)
    v_v, d_v = _stretched(2 * sigma_z, limit_z, x_v)
    x_phi, w_phi = gauss_legendre(rule.n_phi)
    scale = 1.5 * sigma_r
    low = jnp.arcsinh(jnp.maximum(-escape - v_circ, -1.5 * limit_r) / scale)
    high = jnp.arcsinh(jnp.minimum(escape - v_circ, limit_r) / scale)
    t = 0.5 * (low + high) + 0.5 * (high - low) * x_phi
    v_phi, d_phi = v_circ + scale * jnp.sinh(t), 0.5 * (high - low) * scale * jnp.cosh(t)
    weight = 4 * (w_phi * d_phi)[:, None, None] * (w * d_u)[:, None] * (w_v * d_v)
    v_phi = v_phi[:, None, None]
    return _Nodes(v_phi, v_u[:, None], v_v, weight, v_phi)


def _spheroid_nodes(actions: ActionTable, R: Array, z: Array, rule: VelocityRule) -> _Nodes:
    escape = jnp.sqrt(-2 * actions.potential(R, z))
    x, w = gauss_legendre(rule.n_phi, 0.0, 1.0)
    speed, d_speed = escape * np.sin(0.5 * np.pi * x), escape * 0.5 * np.pi * np.cos(0.5 * np.pi * x)
    mu, w_mu = gauss_legendre(rule.n_u, 0.0, 1.0)
    psi, w_psi = gauss_legendre(rule.n_v, 0.0, 0.5 * np.pi)
    v = speed[:, None, None]
    v_phi, across = v * mu[:, None], v * np.sqrt(1 - mu[:, None] ** 2)
    weight = 8 * (w * d_speed * speed**2)[:, None, None] * w_mu[:, None] * w_psi
    return _Nodes(v_phi, across * np.cos(psi), across * np.sin(psi), weight, jnp.zeros(()))
