"""Stars of a warm disc, and orbits: what finders of actions are asked about."""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from galactions.actions.orbits import integrate_orbit
from galactions.galaxy import Galaxy

Floats = NDArray[np.float64]

N_ORBITS, N_TIMES = 200, 40


def disc_stars(n: int, seed: int = 1) -> Floats:
    """(n, 6) stars of a warm disc in the paper's frame, of which the first do not depend on n."""
    random = np.random.default_rng(seed).random((n, 6))
    R, phi = 3 + 12 * random[:, 0], 2 * np.pi * random[:, 1]
    z = -0.4 * np.sign(random[:, 2] - 0.5) * np.log1p(-2 * np.abs(random[:, 2] - 0.5))
    normal = np.asarray(jax.scipy.special.ndtri(jnp.clip(random[:, 3:], 1e-12, 1.0)))
    v_R, v_phi, v_z = 45 * normal[:, 0], 210 + 30 * normal[:, 1], 30 * normal[:, 2]
    c, s = np.cos(phi), np.sin(phi)
    return np.stack([R * c, R * s, z, v_R * c + v_phi * s, v_R * s - v_phi * c, v_z], axis=1)


def cylindrical(xv: Floats) -> tuple[Floats, ...]:
    """R, z, v_R, v_z, v_phi (positive along rotation), each (n,)."""
    x, y, z, v_x, v_y, v_z = xv.T
    R = np.hypot(x, y)
    return R, z, (x * v_x + y * v_y) / R, v_z, (y * v_x - x * v_y) / R


def orbits(galaxy: Galaxy) -> Floats:
    """(N_TIMES, N_ORBITS, 6): disc stars along some ten to twenty radial periods."""
    start = disc_stars(N_ORBITS, seed=2)
    kappa, _, _ = galaxy.frequencies(np.hypot(start[:, 0], start[:, 1]))
    duration = 15 * 2 * np.pi / kappa
    found = integrate_orbit(galaxy.total_potential, jnp.asarray(start), duration, N_TIMES, 100)
    return np.asarray(found)


def scatter(actions: Floats) -> str:
    """How constant the actions (N_TIMES, N_ORBITS, 2 or 3) are along orbits, as exact ones would be: the
    median orbit's relative standard deviation of J_r and J_z."""
    with np.errstate(invalid="ignore"):
        relative = actions.std(axis=0) / actions.mean(axis=0)
    J_r, J_z = np.nanmedian(relative[:, :2], axis=0)
    return f"along orbits J_r {J_r:.1%}, J_z {J_z:.1%}"


def difference(one: Floats, other: Floats) -> str:
    """Median differences of J_r and J_z (n, 2 or 3), relative to their medians."""
    one, other = np.asarray(one)[:, :2], np.asarray(other)[:, :2]
    J_r, J_z = np.nanmedian(np.abs(one - other), axis=0) / np.nanmedian(other, axis=0)
    return f"J_r {J_r:.1e}, J_z {J_z:.1e}"
