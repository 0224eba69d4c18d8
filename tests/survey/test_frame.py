"""The coordinate transforms against astropy, against their own inverse, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.survey import (
    PAPER_SUN,
    Sun,
    cylindrical_velocity,
    galactic_to_icrs,
    galactocentric,
    galactocentric_from_basis,
    icrs_to_galactic,
    observed,
    sight_line_basis,
)
from galactions.survey.frame import from_heliocentric, heliocentric


def sky(n: int = 500, seed: int = 1) -> tuple[np.ndarray, ...]:
    """l, b, distance, v_los, mu_alpha*, mu_delta of stars all over the sky."""
    rng = np.random.default_rng(seed)
    return (
        rng.uniform(0, 360, n),
        np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
        rng.uniform(0.05, 30, n),
        rng.normal(0, 150, n),
        rng.normal(0, 10, n),
        rng.normal(0, 10, n),
    )


def by_astropy(values: tuple[np.ndarray, ...], sun: Sun) -> np.ndarray:
    """The same transform by astropy, (N, 6)."""
    import astropy.units as u
    from astropy.coordinates import CartesianDifferential, Galactic, Galactocentric, SkyCoord

    lon, lat, d, v_los, pm_ra, pm_dec = values
    place = SkyCoord(l=lon * u.deg, b=lat * u.deg, frame=Galactic).icrs
    stars = SkyCoord(
        ra=place.ra,
        dec=place.dec,
        distance=d * u.kpc,
        pm_ra_cosdec=pm_ra * u.mas / u.yr,
        pm_dec=pm_dec * u.mas / u.yr,
        radial_velocity=v_los * u.km / u.s,
    )
    frame = Galactocentric(
        galcen_distance=float(sun.d) * u.kpc,
        z_sun=float(sun.z) * u.kpc,
        galcen_v_sun=CartesianDifferential(np.asarray(sun.velocity) * u.km / u.s),
    )
    g = stars.transform_to(frame)
    place_out = g.cartesian.xyz.to_value(u.kpc)
    motion = g.velocity.d_xyz.to_value(u.km / u.s)
    return np.concatenate([place_out, motion]).T


@pytest.mark.parametrize(
    "sun", [PAPER_SUN, Sun(8.11, 0.0208, 11.1, 12.24, 7.25, 233.0), Sun(7.5, 0.3, -5, 20, 0, 200)]
)
def test_same_as_astropy(sun: Sun) -> None:
    values = sky()
    ours, theirs = np.asarray(galactocentric(*values, sun)), by_astropy(values, sun)
    for part in (slice(0, 3), slice(3, 6)):
        size = np.linalg.norm(theirs[:, part], axis=1, keepdims=True)
        assert np.max(np.abs(ours[:, part] - theirs[:, part]) / size) < 1e-9


def test_icrs_and_galactic_angles_same_as_astropy() -> None:
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    lon, lat = sky()[:2]
    theirs = SkyCoord(l=lon * u.deg, b=lat * u.deg, frame="galactic").icrs
    ra, dec = galactic_to_icrs(lon, lat)
    np.testing.assert_allclose(ra, theirs.ra.deg, rtol=0, atol=1e-9)
    np.testing.assert_allclose(dec, theirs.dec.deg, rtol=0, atol=1e-9)
    back = icrs_to_galactic(ra, dec)
    np.testing.assert_allclose(back[0], lon, rtol=0, atol=1e-9)
    np.testing.assert_allclose(back[1], lat, rtol=0, atol=1e-9)


def test_inverse_gives_back_what_was_observed() -> None:
    values = sky()
    for ours, given in zip(observed(galactocentric(*values, PAPER_SUN), PAPER_SUN), values, strict=True):
        np.testing.assert_allclose(ours, given, rtol=1e-9, atol=1e-9)


def test_longitude_stays_below_360() -> None:
    lon, _ = icrs_to_galactic(*galactic_to_icrs(np.array([0.0, 1e-15, 360.0]), np.zeros(3)))
    assert np.all((np.asarray(lon) >= 0) & (np.asarray(lon) < 360))


def test_basis_is_orthonormal_and_serves_the_fast_path() -> None:
    values = sky(200)
    basis = sight_line_basis(*values[:2])
    product = np.einsum("ind,jnd->nij", np.stack(basis), np.stack(basis))
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-13)
    assert np.all(np.linalg.det(np.stack(basis, axis=1)) > 0.999)  # outwards, east, north: right-handed
    fast = galactocentric_from_basis(basis, *values[2:], PAPER_SUN)
    np.testing.assert_allclose(fast, galactocentric(*values, PAPER_SUN), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 1.1])
def test_what_does_not_depend_on_the_sun_gives_the_same(scale: float) -> None:
    values = sky(200)
    placed = heliocentric(*values)
    assert placed.shape == (9, 200)
    farther = (*values[:2], scale * values[2], *values[3:])
    expected = galactocentric(*farther, PAPER_SUN)
    found = np.stack(from_heliocentric(placed, PAPER_SUN, scale), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_the_sun_itself() -> None:
    near = galactocentric(*(jnp.array([v]) for v in (90.0, 0.0, 1e-12, 0.0, 0.0, 0.0)), PAPER_SUN)[0]
    np.testing.assert_allclose(near[:3], [-np.sqrt(8.178**2 - 0.0208**2), 0.0, 0.0208], atol=1e-9)
    np.testing.assert_allclose(near[3:], [11.10, 245.04, 7.25], atol=1e-9)


def test_disc_stars_have_negative_v_phi() -> None:
    xv = jnp.array([[-8.0, 0.0, 0.0, 10.0, 230.0, 5.0], [0.0, 10.0, 0.0, 200.0, -20.0, 1.0]])
    np.testing.assert_allclose(cylindrical_velocity(xv), [[-10.0, -230.0, 5.0], [-20.0, -200.0, 1.0]])


@pytest.mark.parametrize("name", ["d", "z", "u", "v", "w", "v0"])
def test_derivative_with_respect_to_the_sun(name: str) -> None:
    values = sky(50)
    start = {key: float(getattr(PAPER_SUN, key)) for key in ("d", "z", "u", "v", "w", "v0")}

    def place(x: float) -> jax.Array:
        return galactocentric(*values, Sun(**{**start, name: x}))

    exact = jax.jacfwd(place)(start[name])
    h = 1e-4
    steps = (8 * (place(start[name] + h) - place(start[name] - h)) - place(start[name] + 2 * h)
             + place(start[name] - 2 * h)) / (12 * h)  # fmt: skip
    np.testing.assert_allclose(exact, steps, rtol=1e-6, atol=1e-8)


def test_gradient_is_finite_through_the_inverse() -> None:
    xv = galactocentric(*sky(20), PAPER_SUN)
    gradient = jax.grad(
        lambda d: sum(jnp.sum(c) for c in observed(xv, Sun(d, 0.02, 11.0, 12.0, 7.0, 233.0)))
    )(8.1)
    assert np.isfinite(gradient)
