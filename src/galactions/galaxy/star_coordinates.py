"""Stars as they are handed in: checked, and turned from the paper's frame to cylindrical coordinates."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from galactions.errors import ModelError


class MeridionalMotion(NamedTuple):
    """R, z (kpc), v_R, v_z (km/s), L_z (kpc km/s, positive along the rotation) and half the squared speed."""

    R: Array
    z: Array
    v_R: Array
    v_z: Array
    L_z: Array
    kinetic: Array


def checked_stars(xv: Float[ArrayLike, "n 6"], what: str) -> Float[Array, "n 6"]:
    """Stars x, y, z (kpc), v_x, v_y, v_z (km/s) as an array; `what` is asked of them.

    Raises `ModelError` for a wrong shape.
    """
    stars = jnp.asarray(xv, float)
    if stars.ndim != 2 or stars.shape[1] != 6:
        raise ModelError(
            f"{what} need an array of shape (n, 6): x, y, z (kpc), v_x, v_y, v_z (km/s); found {stars.shape}"
        )
    return stars


def meridional_motion(xv: Float[Array, "n 6"]) -> MeridionalMotion:
    """The stars' motion in the meridional plane, and about the axis. Stars of the disc turn clockwise seen
    from the north, so that L_z = y v_x - x v_y.
    """
    x, y, z, v_x, v_y, v_z = xv.T
    R = jnp.hypot(x, y)
    kinetic = 0.5 * (v_x**2 + v_y**2 + v_z**2)
    return MeridionalMotion(R, z, (x * v_x + y * v_y) / R, v_z, y * v_x - x * v_y, kinetic)
