"""The mass of a distribution function, by quadrature over the actions."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.df.base import DiskFunction, DistributionFunction, SpheroidFunction
from galactions.numerics.quadrature import gauss_legendre

_J_LARGEST = 5e4
"""kpc km/s: circular orbits far outside of any disc."""
_J_PHI_SCALE = 5.0
_N_PHI, _N_DISK = 144, 32
_N_TOTAL, _N_SHARE = 256, 24


def total_mass(df: DistributionFunction) -> Array:
    """(2 pi)^3 int f d^3J in Msun, as a function that can be differentiated in the DF's parameters.

    For a DF without a finite mass (an NFW halo) it is the mass within the DF's `action_range`. Raises
    TypeError for a DF that is neither of a disc nor of a spheroid.
    """
    if isinstance(df, DiskFunction):
        return _disk_mass(df)
    if isinstance(df, SpheroidFunction):
        return _spheroid_mass(df)
    raise TypeError(f"no rule for the mass of {type(df).__name__}: neither a disc nor a spheroid")


def _disk_mass(df: DiskFunction) -> Array:
    """Gauss-Legendre nodes in asinh(J/scale), where the scales of J_r and J_z are the DF's own at J_phi."""
    t, w = gauss_legendre(_N_PHI, 0.0, 1.0)
    reach = np.arcsinh(_J_LARGEST / _J_PHI_SCALE)
    J_phi = _J_PHI_SCALE * np.sinh(reach * t)
    d_phi = w * reach * _J_PHI_SCALE * np.cosh(reach * t)
    scale_r, scale_z = df.action_scales(jnp.asarray(J_phi))
    J_r, d_r = _stretched(scale_r)
    J_z, d_z = _stretched(scale_z)
    across, along = (J_r[:, :, None], J_z[:, None, :]), jnp.asarray(J_phi)[:, None, None]
    both = df(*across, along) + df(*across, -along)
    return (2 * jnp.pi) ** 3 * jnp.einsum("ijk,i,ij,ik->", both, d_phi, d_r, d_z)


def _stretched(scale: Array) -> tuple[Array, Array]:
    """Nodes of an action from 0 to the largest, of shape (n_phi, n), and their weights."""
    t, w = gauss_legendre(_N_DISK, 0.0, 1.0)
    scale = scale[:, None]
    reach = jnp.arcsinh(_J_LARGEST / scale)
    return scale * jnp.sinh(reach * t), reach * scale * jnp.cosh(reach * t) * w


def _spheroid_mass(df: SpheroidFunction) -> Array:
    """Equal steps in the logarithm of J = J_r + J_z + |J_phi|, Gauss-Legendre nodes in the actions' shares.

    With L = s J and |J_phi| = t L the volume is J^2 s dJ ds dt for each sign of J_phi.
    """
    low, high = (jnp.log(limit) for limit in df.action_range())
    step = (high - low) / _N_TOTAL
    J = jnp.exp(low + step * (np.arange(_N_TOTAL) + 0.5))[:, None, None]
    share, w = gauss_legendre(_N_SHARE, 0.0, 1.0)
    s, t = jnp.asarray(share)[:, None], jnp.asarray(share)
    actions = (1 - s) * J, s * (1 - t) * J, s * t * J
    both = df(*actions) + df(*actions[:2], -actions[2])
    return (2 * jnp.pi) ** 3 * step * jnp.einsum("ijk,i,j,k->", both, J[:, 0, 0] ** 3, w * share, w)
