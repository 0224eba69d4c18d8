"""Orbital eccentricities."""

import jax.numpy as jnp
import numpy as np
import pytest

from galactions.actions.orbits import integrate_orbit
from galactions.errors import ModelError


def test_circular_orbit_has_none(initial):
    v = float(initial.circular_velocity(8.0))
    np.testing.assert_allclose(initial.eccentricities([[-8.0, 0, 0, 0, v, 0]]), 0.0, atol=1e-5)


def test_orbits_in_the_plane(initial):
    """The turning points solve E = Phi + L_z^2/(2 R^2)."""
    potential = initial.total_potential
    for v_R, v_phi in ((30.0, 220.0), (-120.0, 150.0)):
        E = 0.5 * (v_R**2 + v_phi**2) + float(initial.potential(8.0, 0.0))
        R = np.linspace(0.5, 60.0, 200001)
        allowed = np.asarray(potential(jnp.asarray(R), jnp.zeros(len(R)))) + 0.5 * (8 * v_phi / R) ** 2 < E
        low, high = R[allowed][[0, -1]]
        found = float(initial.eccentricities([[-8.0, 0.0, 0.0, -v_R, v_phi, 0.0]])[0])
        assert found == pytest.approx((high - low) / (high + low), abs=1e-4)


def test_against_integrated_orbits(initial):
    """Extremes of the spherical radius where orbits cross the plane: within 0.02 of the fudge's."""
    rng = np.random.default_rng(4)
    xv = np.zeros((24, 6))
    xv[:, 0], xv[:, 2] = -8.0, rng.uniform(-1.0, 1.0, 24)
    xv[:, 3], xv[:, 4], xv[:, 5] = rng.normal(0, 45, 24), rng.normal(210, 30, 24), rng.normal(0, 30, 24)
    track = integrate_orbit(
        initial.total_potential, jnp.asarray(xv), jnp.full(24, 6.0), samples=6000, steps=1
    )
    R, z = np.hypot(track[..., 0], track[..., 1]), np.asarray(track[..., 2])
    crossing = np.zeros(R.shape, bool)
    crossing[1:] = np.sign(z[1:]) != np.sign(z[:-1])
    low = np.min(np.where(crossing, R, np.inf), axis=0)
    high = np.max(np.where(crossing, R, 0.0), axis=0)
    np.testing.assert_allclose(initial.eccentricities(xv), (high - low) / (high + low), atol=0.02)


def test_radial_orbit_has_one(initial):
    assert float(initial.eccentricities([[-8.0, 0, 0, 100.0, 1e-3, 0]])[0]) == pytest.approx(1.0, abs=1e-3)


def test_unbound_and_broken_stars(initial):
    e = initial.eccentricities(
        [[-8.0, 0, 0, 900.0, 200, 0], [np.nan, 0, 0, 0, 200, 0], [-8.0, 0, 0, 0, 200, 0]]
    )
    assert np.isnan(e[:2]).all()
    assert 0 <= float(e[2]) < 0.2


def test_wrong_shape_is_told(initial):
    with pytest.raises(ModelError, match=r"shape \(n, 6\).*found \(6,\)"):
        initial.eccentricities(np.zeros(6))
