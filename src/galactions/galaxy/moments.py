"""Integrals of a distribution function over velocity (paper, eqs. 1-4).

Velocities are split into v_phi and two components along the spheroidal coordinate lines of the orbit
itself, v_u and v_v. The actions depend on the latter only through their squares, so one quadrant
suffices, exactly, for every potential. There the nodes are polar: energy and L_z, and all that the
actions owe to them, are the same for all angles of a speed. Speeds and v_phi follow Gauss-Legendre rules,
stretched by sinh to the scale of the component's own dispersions, up to the escape velocity or, for cold
discs, to some ten dispersions; angles follow the midpoint rule, which converges geometrically for a periodic
function.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.table import ActionTable
from galactions.df.base import DiskFunction, DistributionFunction, SpheroidFunction
from galactions.numerics.quadrature import gauss_legendre


class VelocityRule(NamedTuple):
    """Numbers of nodes: along v_phi, along the meridional speed, and over the angle in a quadrant; and how
    far they reach in a disc, in its dispersions (each 12.5 km/s larger)."""

    n_phi: int
    n_speed: int
    n_angle: int
    reach: float = 8.0


DISK_RULE = VelocityRule(20, 12, 4)
SPHEROID_RULE = VelocityRule(24, 8, 6)
"""For moments anywhere, where there is next to nothing of the component as well."""
DISK_DENSITY_RULE = VelocityRule(16, 8, 4, reach=5.0)
SPHEROID_DENSITY_RULE = VelocityRule(16, 6, 4)
"""For densities that a potential is made of: their errors are a few 1e-4 where the mass is."""
_MARGIN = 12.5
"""km/s, what is added to a dispersion: the coldest discs have wide wings."""
_BATCH = 32
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
    """Shapes: v_phi and speed (n_phi, n_speed), cos and sin (n_angle,), weight of all three."""

    v_phi: Array
    speed: Array
    cos: Array
    sin: Array
    weight: Array


def velocity_moments(
    df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule | None = None
) -> Moments:
    """Velocity moments of `df` at the points (R, z), each of shape (n,), in kpc."""
    if rule is None:
        rule = DISK_RULE if isinstance(df, DiskFunction) else SPHEROID_RULE

    # Backwards, a few points at a time are integrated once more: all nodes at once would not fit in memory.
    @partial(jax.checkpoint, prevent_cse=False)
    def at(point: tuple[Array, Array]) -> Moments:
        return _at(df, actions, *point, rule)

    return jax.lax.map(at, (R, z), batch_size=_BATCH)


def density(
    df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule | None = None
) -> Array:
    """Density of `df` in Msun/kpc^3 at the points (R, z), each of shape (n,)."""
    return velocity_moments(df, actions, R, z, rule or density_rule(df)).density


def density_at_once(df: DistributionFunction, actions: ActionTable, R: Array, z: Array) -> Array:
    """The same with the velocity nodes of all points in memory at once, backwards as well."""
    moments = jax.vmap(lambda R, z: _at(df, actions, R, z, density_rule(df)))(R, z)
    return moments.density


def density_rule(df: DistributionFunction) -> VelocityRule:
    """The rule for densities of a DF."""
    return DISK_DENSITY_RULE if isinstance(df, DiskFunction) else SPHEROID_DENSITY_RULE


def _at(df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule) -> Moments:
    """Moments at one point."""
    nodes = (_disk_nodes if isinstance(df, DiskFunction) else _spheroid_nodes)(df, actions, R, z, rule)
    return _sums(df, actions, R, z, nodes)


def _sums(df: DistributionFunction, actions: ActionTable, R: Array, z: Array, nodes: _Nodes) -> Moments:
    E = actions.potential(R, z) + 0.5 * (nodes.speed**2 + nodes.v_phi**2)
    bound = (E < 0)[..., None]
    frame = actions.frame(R, z, jnp.where(E < 0, E, -1.0), R * nodes.v_phi).with_axis()
    v_phi, v2 = nodes.v_phi[..., None], nodes.speed[..., None] ** 2
    v_u2, v_v2 = v2 * nodes.cos**2, v2 * nodes.sin**2
    h2 = frame.h2
    J_r, J_z = actions.actions(frame, 0.5 * h2 * v_u2, 0.5 * h2 * v_v2)
    streaming = v_phi if isinstance(df, DiskFunction) else jnp.zeros(())
    f = jnp.where(bound, df(J_r, J_z, R * v_phi), 0.0) * nodes.weight
    if isinstance(df, SpheroidFunction) and df.rotates:
        # Each node stands for both signs of v_phi, half of its weight for each.
        backwards = jnp.where(bound, df(J_r, J_z, -R * v_phi), 0.0) * nodes.weight
        f, streaming = 0.5 * (f + backwards), v_phi * (f - backwards) / (f + backwards + 1e-300)
    # The unit vector along u is (sqrt(s^2 + Delta^2) sin v, s cos v)/h in (R, z).
    tilt2 = (frame.s * frame.c) ** 2 / h2
    v_R2 = v_u2 * (1 - tilt2) + v_v2 * tilt2
    return Moments(*(jnp.sum(f * q) for q in (1.0, streaming, v_R2, v2 - v_R2, v_phi**2)))


def _stretched(scale: Array, limit: Array, x: np.ndarray) -> tuple[Array, Array]:
    """v = scale sinh(b x) with v(1) = limit, and dv/dx."""
    b = jnp.arcsinh(limit / scale)
    return scale * jnp.sinh(b * x), scale * b * jnp.cosh(b * x)


def _quadrant(n: int, ratio: Array) -> tuple[Array, Array, Array]:
    """Cosine, sine and weight of `n` angles, which crowd as the two dispersions' `ratio` (v over u) asks."""
    chi = np.pi * (np.arange(n) + 0.5) / (2 * n)
    cos, sin = jnp.cos(chi), ratio * np.sin(chi)
    norm = jnp.hypot(cos, sin)
    return cos / norm, sin / norm, ratio / norm**2 * np.pi / (2 * n)


def _disk_nodes(
    df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule
) -> _Nodes:
    assert isinstance(df, DiskFunction)
    escape = jnp.sqrt(-2 * actions.potential(R, z))
    kappa, nu, Omega = actions.potential.frequencies(jnp.maximum(R, _LEAST_R))
    v_circ = jnp.maximum(R, _LEAST_R) * Omega
    scale_r, scale_z = df.action_scales(R * v_circ)
    sigma_r, sigma_z = jnp.sqrt(kappa * scale_r), jnp.sqrt(nu * scale_z)
    limit_r, limit_z = (jnp.minimum(escape, rule.reach * (sigma + _MARGIN)) for sigma in (sigma_r, sigma_z))
    x, w = gauss_legendre(rule.n_speed, 0.0, 1.0)
    speed, d_speed = _stretched(1.5 * jnp.maximum(sigma_r, sigma_z), jnp.maximum(limit_r, limit_z), x)
    cos, sin, d_angle = _quadrant(rule.n_angle, jnp.clip(sigma_z / sigma_r, 0.2, 5.0))
    x_phi, w_phi = gauss_legendre(rule.n_phi)
    slowest = jnp.zeros(()) if df.prograde else -escape
    low = jnp.arcsinh(jnp.maximum(slowest - v_circ, -1.5 * limit_r) / sigma_r)
    high = jnp.arcsinh(jnp.minimum(escape - v_circ, limit_r) / sigma_r)
    t = 0.5 * (low + high) + 0.5 * (high - low) * x_phi
    v_phi, d_phi = v_circ + sigma_r * jnp.sinh(t), 0.5 * (high - low) * sigma_r * jnp.cosh(t)
    weight = 4 * (w_phi * d_phi)[:, None, None] * (w * d_speed * speed)[:, None] * d_angle
    v_phi, speed = jnp.broadcast_arrays(v_phi[:, None], speed)
    return _Nodes(v_phi, speed, cos, sin, weight)


def _spheroid_nodes(
    df: DistributionFunction, actions: ActionTable, R: Array, z: Array, rule: VelocityRule
) -> _Nodes:
    escape = jnp.sqrt(-2 * actions.potential(R, z))
    x, w = gauss_legendre(rule.n_phi, 0.0, 1.0)
    v, d_v = escape * np.sin(0.5 * np.pi * x), escape * 0.5 * np.pi * np.cos(0.5 * np.pi * x)
    mu, w_mu = gauss_legendre(rule.n_speed, 0.0, 1.0)
    cos, sin, d_angle = _quadrant(rule.n_angle, jnp.ones(()))
    weight = 8 * (w * d_v * v**2)[:, None, None] * w_mu[:, None] * d_angle
    return _Nodes(v[:, None] * mu, v[:, None] * np.sqrt(1 - mu**2), cos, sin, weight)
