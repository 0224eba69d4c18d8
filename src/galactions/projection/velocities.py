"""Where to put nodes in velocity: mixtures of normal distributions that follow a reference galaxy."""

from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri
from jaxtyping import Array, Float

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

BROAD_SHARE = 0.1
"""Share of the velocities drawn from the broad part of the mixture."""
INFLATION = 1.2
BROAD = 2.5
"""Factors on the dispersions of the narrow and of the broad part."""
_R_SCALE, _Z_SCALE = 2.0, 0.5
_R_STEPS = np.linspace(0.0, np.arcsinh(40.0 / _R_SCALE), 22)
_Z_STEPS = np.linspace(0.0, np.arcsinh(15.0 / _Z_SCALE), 12)
_LEAST_R = 0.05
"""kpc; stands for R = 0, where velocities have no direction."""
_LEAST_SIGMA = 3.0
"""km/s."""
_FLOOR = 1e-6
"""Msun/kpc^3; below it a disc's moments are lost in rounding."""
_RARE = 0.02
"""Each component gets at least about this share of the nodes, wherever they are."""


class VelocityProposal(eqx.Module):
    """Mixture of normal distributions of (v_R, v_phi, v_z), km/s, v_phi > 0 along rotation, by position.

    `table` (n_R, n_z, C, 5), interpolated linearly in asinh(R/2 kpc) and asinh(|z|/0.5 kpc), holds for each
    component: ln density (Msun/kpc^3), mean v_phi, and the dispersions along R, phi and z.
    """

    table: Float[Array, "n_R n_z C 5"]

    @classmethod
    def of(cls, galaxy: "Galaxy") -> "VelocityProposal":
        """From the galaxy's own velocity moments on a coarse grid of (R, z)."""
        radii = np.maximum(_R_SCALE * np.sinh(_R_STEPS), _LEAST_R)
        R, z = np.meshgrid(radii, _Z_SCALE * np.sinh(_Z_STEPS), indexing="ij")
        circular = np.asarray(galaxy.circular_velocity(R))
        columns = []
        for name in galaxy.spec.stellar_disks:
            density, mean, s_R, s_z, s_phi = (np.asarray(a) for a in galaxy.velocity_moments(name, R, z))
            lost = ~(density > _FLOOR) | ~np.isfinite(mean + s_R + s_z + s_phi)
            sigmas = [np.where(lost, 50.0, np.maximum(s, _LEAST_SIGMA)) for s in (s_R, s_phi, s_z)]
            log_density = np.log(np.where(lost, _FLOOR, density))
            columns.append(np.stack([log_density, np.where(lost, circular, mean), *sigmas], axis=-1))
        return cls(jnp.asarray(np.stack(columns, axis=2)))

    def draw(
        self, R: Float[Array, " n"], z: Float[Array, " n"], u: Float[Array, "4 n"]
    ) -> tuple[Float[Array, "3 n"], Float[Array, " n"]]:
        """Velocities (3, n) at R, z (kpc) from points `u` of the unit cube, and ln q of each.

        q is the density in (km/s)^-3; it is even in v_R and in v_z.
        """
        share, mean, sigma = self.mixture(R, z)
        which = jnp.sum(jnp.cumsum(share, axis=1)[:, :-1] < u[0][:, None], axis=1)
        n = jnp.arange(len(R))
        centre = jnp.zeros((len(R), 3)).at[:, 1].set(mean[n, which])
        v = centre + sigma[n, which] * ndtri(jnp.clip(u[1:].T, 1e-12, 1 - 1e-12))
        offset = jnp.repeat(v[:, None], share.shape[1], axis=1).at[:, :, 1].add(-mean)
        log_normal = -0.5 * jnp.sum((offset / sigma) ** 2, axis=2) - jnp.sum(jnp.log(sigma), axis=2)
        q = jnp.sum(share * jnp.exp(log_normal), axis=1) * (2 * np.pi) ** -1.5
        return v.T, jnp.log(q)

    def mixture(self, R: Array, z: Array) -> tuple[Array, Array, Array]:
        """Shares (n, 2 C), mean v_phi (n, 2 C), dispersions (n, 2 C, 3): narrow parts, then broad ones."""
        i, s = _place(jnp.arcsinh(R / _R_SCALE), _R_STEPS)
        j, t = _place(jnp.arcsinh(jnp.abs(z) / _Z_SCALE), _Z_STEPS)
        s, t = s[:, None, None], t[:, None, None]
        low = (1 - t) * self.table[i, j] + t * self.table[i, j + 1]
        high = (1 - t) * self.table[i + 1, j] + t * self.table[i + 1, j + 1]
        row = (1 - s) * low + s * high
        density = jnp.exp(row[..., 0] - row[..., 0].max(axis=1, keepdims=True)) + _RARE
        share = density / density.sum(axis=1, keepdims=True)
        shares = jnp.concatenate([(1 - BROAD_SHARE) * share, BROAD_SHARE * share], axis=1)
        sigma = jnp.concatenate([INFLATION * row[..., 2:], BROAD * row[..., 2:]], axis=1)
        return shares, jnp.concatenate([row[..., 1], row[..., 1]], axis=1), sigma


def _place(x: Array, nodes: np.ndarray) -> tuple[Array, Array]:
    """Interval of evenly spaced `nodes` in which each x (n,) lies, and how far into it, both kept inside."""
    at = jnp.clip((x - nodes[0]) / (nodes[1] - nodes[0]), 0.0, len(nodes) - 1.0)
    cell = jnp.minimum(at.astype(int), len(nodes) - 2)
    return cell, at - cell
