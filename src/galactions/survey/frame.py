"""Between what is observed (l, b, distance, v_los, mu_alpha*, mu_delta) and the Galaxy's Cartesian frame.

The frame is that of the paper (section 2) and of `astropy.coordinates.Galactocentric`: right-handed, x from
the Sun towards the Galactic centre (the Sun at x = -d), y along Galactic rotation, z to the north pole; the
small tilt that puts the Sun at height z above the plane is included. Disc stars have v_phi < 0 in it.
Everything here is JAX: it can be differentiated with respect to the Sun as well as the star.

Units: degrees, kpc, km/s, mas/yr. mu_alpha* contains cos(dec).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from galactions.constants import KMS_PER_MASYR_KPC
from galactions.survey.sun import Sun


def _turn(angle_deg: float, axis: str) -> np.ndarray:
    """Matrix (3, 3) that turns the axes (not the vector) by an angle about one of them."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = s, -s
    return matrix


_MAS = 1.0 / 3_600_000.0
_FK5_FROM_ICRS = _turn(19.9 * _MAS, "x") @ _turn(9.1 * _MAS, "y") @ _turn(-22.9 * _MAS, "z")
"""Frame bias of J2000 (Kaplan 2005, USNO Circular 179, section 3.5)."""

GALACTIC_FROM_ICRS = (
    _turn(180.0 - 122.9319185680026, "z")
    @ _turn(90.0 - 27.12825118085622, "y")
    @ _turn(192.8594812065348, "z")
    @ _FK5_FROM_ICRS
)
"""ICRS to Galactic axes: the IAU (1958) system carried to J2000 (Reid & Brunthaler 2004, appendix)."""

_CENTRE_FROM_ICRS = _turn(58.5986320306, "x") @ _turn(28.936175, "y") @ _turn(266.4051, "z")
"""x to the Galactic centre (266.4051, -28.936175) deg, z in the plane of x and the Galactic pole."""

CENTRE_FROM_GALACTIC = _CENTRE_FROM_ICRS @ GALACTIC_FROM_ICRS.T
"""Galactic to galactocentric axes before the tilt: within 2e-6 of the identity."""

_CELESTIAL_POLE = GALACTIC_FROM_ICRS @ np.array([0.0, 0.0, 1.0])


class SightLines(NamedTuple):
    """Orthonormal directions of N lines of sight, Galactic axes: outwards, ICRS east, ICRS north."""

    r_hat: Float[Array, "n 3"]
    e_ra: Float[Array, "n 3"]
    e_dec: Float[Array, "n 3"]


def _unit(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> Float[Array, "*n 3"]:
    lon, lat = jnp.deg2rad(jnp.asarray(longitude_deg, float)), jnp.deg2rad(jnp.asarray(latitude_deg, float))
    return jnp.stack([jnp.cos(lat) * jnp.cos(lon), jnp.cos(lat) * jnp.sin(lon), jnp.sin(lat)], axis=-1)


def _angles(vector: Float[Array, "*n 3"]) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    """Longitude in [0, 360) and latitude, degrees."""
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    longitude = jnp.rad2deg(jnp.arctan2(y, x)) % 360.0
    longitude = jnp.where(
        longitude >= 360.0, 0.0, longitude
    )  # a tiny negative angle modulo 360 rounds to 360
    return longitude, jnp.rad2deg(jnp.arctan2(z, jnp.hypot(x, y)))


@jax.jit
def icrs_to_galactic(ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    """ICRS right ascension and declination to Galactic l in [0, 360) and b, all degrees."""
    return _angles(_unit(ra_deg, dec_deg) @ GALACTIC_FROM_ICRS.T)


@jax.jit
def galactic_to_icrs(l_deg: ArrayLike, b_deg: ArrayLike) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    """Galactic l and b to ICRS right ascension in [0, 360) and declination, all degrees."""
    return _angles(_unit(l_deg, b_deg) @ GALACTIC_FROM_ICRS)


def _basis_of(r_hat: Float[Array, "*n 3"]) -> SightLines:
    east = jnp.cross(jnp.asarray(_CELESTIAL_POLE), r_hat)
    e_ra = east / jnp.linalg.norm(east, axis=-1, keepdims=True)
    return SightLines(r_hat, e_ra, jnp.cross(r_hat, e_ra))


@jax.jit
def sight_line_basis(l_deg: ArrayLike, b_deg: ArrayLike) -> SightLines:
    """Directions (each (N, 3), Galactic axes) along which v_los, mu_alpha* and mu_delta are measured.

    At the two celestial poles themselves east is not defined and the result is NaN.
    """
    return _basis_of(_unit(l_deg, b_deg))


def _placement(sun: Sun) -> tuple[Float[Array, "3 3"], Float[Array, "3"]]:
    """Matrix from Galactic to galactocentric axes, and the Sun's position (kpc)."""
    sine = jnp.asarray(sun.z, float) / sun.d
    cosine = jnp.sqrt(1.0 - sine**2)
    zero, one = jnp.zeros_like(sine), jnp.ones_like(sine)
    tilt = jnp.stack(
        [
            jnp.stack([cosine, zero, sine]),
            jnp.stack([zero, one, zero]),
            jnp.stack([-sine, zero, cosine]),
        ]
    )
    return tilt @ CENTRE_FROM_GALACTIC, jnp.stack([-sun.d * cosine, zero, sun.d * sine])


@jax.jit
def galactocentric_from_basis(
    basis: SightLines,
    d_kpc: ArrayLike,
    v_los: ArrayLike,
    pm_ra: ArrayLike,
    pm_dec: ArrayLike,
    sun: Sun,
) -> Float[Array, "n 6"]:
    """Positions and velocities (N, 6) in kpc and km/s for sight lines whose basis is already known.

    This is `galactocentric` for a loop in which the sight lines stay and the Sun or the velocities change.
    Distances (kpc), line-of-sight velocities (km/s) and proper motions (mas/yr, ICRS) have shape (N,).
    """
    d, v, mu_ra, mu_dec = (jnp.asarray(a, float)[..., None] for a in (d_kpc, v_los, pm_ra, pm_dec))
    matrix, sun_position = _placement(sun)
    position = d * basis.r_hat
    velocity = v * basis.r_hat + KMS_PER_MASYR_KPC * d * (mu_ra * basis.e_ra + mu_dec * basis.e_dec)
    return jnp.concatenate([position @ matrix.T + sun_position, velocity @ matrix.T + sun.velocity], axis=-1)


@jax.jit
def galactocentric(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    d_kpc: ArrayLike,
    v_los: ArrayLike,
    pm_ra: ArrayLike,
    pm_dec: ArrayLike,
    sun: Sun,
) -> Float[Array, "n 6"]:
    """Observed coordinates, each (N,), to (N, 6): x, y, z (kpc), v_x, v_y, v_z (km/s); section 2."""
    return galactocentric_from_basis(sight_line_basis(l_deg, b_deg), d_kpc, v_los, pm_ra, pm_dec, sun)


@jax.jit
def heliocentric(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    d_kpc: ArrayLike,
    v_los: ArrayLike,
    pm_ra: ArrayLike,
    pm_dec: ArrayLike,
) -> Float[Array, "9 n"]:
    """What of the galactocentric coordinates does not depend on the Sun: on Galactic axes the position (kpc)
    and the velocities (km/s) along and across the line of sight, three rows each.

    If all distances are larger by a factor, position and velocity across are larger by it.
    """
    basis = sight_line_basis(l_deg, b_deg)
    r_hat, e_ra, e_dec = (e.T for e in basis)
    d, v, mu_ra, mu_dec = (jnp.asarray(a, float) for a in (d_kpc, v_los, pm_ra, pm_dec))
    across = KMS_PER_MASYR_KPC * d * (mu_ra * e_ra + mu_dec * e_dec)
    return jnp.concatenate([d * r_hat, v * r_hat, across])


@jax.jit
def from_heliocentric(
    placed: Float[Array, "9 n"], sun: Sun, distance_scale: ArrayLike = 1.0
) -> tuple[Float[Array, "n"], ...]:
    """x, y, z (kpc), v_x, v_y, v_z (km/s), each (n,), of stars whose `heliocentric` coordinates hold for
    distances smaller than the true ones by `distance_scale`."""
    matrix, sun_position = _placement(sun)
    scale = jnp.asarray(distance_scale, float)
    position, along, across = placed[:3], placed[3:6], placed[6:]

    def turned(vector: list[Array], origin: Array) -> list[Array]:
        x, y, z = vector
        return [
            row[0] * x + row[1] * y + row[2] * z + shift for row, shift in zip(matrix, origin, strict=True)
        ]

    velocity = [v_along + scale * v_across for v_along, v_across in zip(along, across, strict=True)]
    return (*turned([scale * x for x in position], sun_position), *turned(velocity, sun.velocity))


@jax.jit
def observed(xv: ArrayLike, sun: Sun) -> tuple[Float[Array, "n"], ...]:
    """The inverse of `galactocentric`: (N, 6) to l, b, distance, v_los, mu_alpha*, mu_delta, each (N,)."""
    phase = jnp.asarray(xv, float)
    matrix, sun_position = _placement(sun)
    position = (phase[..., :3] - sun_position) @ matrix
    velocity = (phase[..., 3:] - sun.velocity) @ matrix
    distance = jnp.linalg.norm(position, axis=-1)
    basis = _basis_of(position / distance[..., None])
    v_los, v_ra, v_dec = (jnp.sum(velocity * e, axis=-1) for e in basis)
    to_pm = 1.0 / (KMS_PER_MASYR_KPC * distance)
    return (*_angles(position), distance, v_los, v_ra * to_pm, v_dec * to_pm)


@jax.jit
def cylindrical_velocity(xv: ArrayLike) -> Float[Array, "n 3"]:
    """V_R, V_phi, V_z (km/s) of phase-space points (N, 6); V_phi < 0 for stars that go with the disc."""
    phase = jnp.asarray(xv, float)
    x, y = phase[..., 0], phase[..., 1]
    v_x, v_y, v_z = phase[..., 3], phase[..., 4], phase[..., 5]
    R = jnp.hypot(x, y)
    return jnp.stack([(x * v_x + y * v_y) / R, (x * v_y - y * v_x) / R, v_z], axis=-1)
