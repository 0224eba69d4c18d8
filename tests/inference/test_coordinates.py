"""Coordinates of samplers: inverse, slopes and prior against differences, and what they are for."""

import numpy as np
import pytest

from galactions.inference.parameters import free_parameters
from galactions.inference.posterior.coordinates import Coordinates
from galactions.inference.priors import LogNormal, Normal
from galactions.inference.settings import TieSettings

PARAMETERS = {
    "rho0_halo": 8.5e6,
    "r0_halo": 19.0,
    "gamma_halo": 1.0,
    "beta_halo": 3.0,
    "rho0_bulge": 9.8e10,
    "r0_bulge": 0.075,
    "gamma_bulge": 0.0,
    "beta_bulge": 1.8,
    "h_thin": 0.3,
    "d_sun": 8.1,
}
FREE = ("rho0_halo", "h_thin", "r0_halo", "gamma_halo", "rho0_bulge", "r0_bulge")
PRIORS = {
    "h_thin": LogNormal(kind="log-normal", median=0.3, sigma=0.2),
    "r0_halo": Normal(kind="normal", mean=20.0, sigma=3.0),
}


BOUNDS = {"gamma_halo": (0.0, 2.0), "rho0_halo": (1.0, 1e15)}
TIES = {"beta_halo": TieSettings(to="gamma_halo", factor=3.0)}


@pytest.fixture(params=[{}, TIES], ids=["free", "tied"])
def coordinates(request):
    return Coordinates(free_parameters(FREE, PARAMETERS, BOUNDS, PRIORS, request.param), PARAMETERS)


@pytest.fixture
def u(coordinates):
    return coordinates.of(coordinates.free.start) + np.array([0.3, -0.2, 0.4, 0.3, -0.1, 0.2])


def differences(function, u, step=1e-5):
    """Derivatives (..., n) by central differences."""
    return np.stack(
        [(function(u + e) - function(u - e)) / (2 * step) for e in step * np.eye(len(u))], axis=-1
    )


def test_values_and_coordinates_are_inverse(coordinates, u):
    values = coordinates.values(u)
    np.testing.assert_allclose(coordinates.of(values), u, rtol=1e-12)
    np.testing.assert_allclose(coordinates.values(coordinates.of(values)), values, rtol=1e-12)


def test_slopes_are_the_derivatives_and_keep_volumes(coordinates, u):
    slopes = coordinates.slopes(u)
    size = np.abs(coordinates.values(u))[:, None]
    np.testing.assert_allclose(slopes / size, differences(coordinates.values, u) / size, atol=1e-8)
    plain = coordinates.free.unbounded_slopes(coordinates.free.to_unbounded(coordinates.values(u)))
    assert np.linalg.det(slopes) == pytest.approx(np.prod(plain), rel=1e-10)


def test_the_prior_goes_with_the_volume(coordinates, u):
    value, slope = coordinates.log_prior(u)
    values = coordinates.values(u)
    stretch = np.log(np.abs(np.linalg.det(coordinates.slopes(u))))
    assert value == pytest.approx(coordinates.free.log_prior(values) + stretch, rel=1e-12)
    np.testing.assert_allclose(slope, differences(lambda w: coordinates.log_prior(w)[0], u), atol=1e-7)
    curvature = coordinates.prior_curvature(u, 1e-4)
    assert np.all(np.linalg.eigvalsh(curvature) >= -1e-9 * np.abs(curvature).max())


def test_a_halo_of_one_density_at_the_sun_moves_along_one_coordinate(coordinates):
    x = PARAMETERS["d_sun"] / np.array([10.0, 19.0, 30.0])
    rho0 = 0.01e9 * x * (1.0 + x) ** 2
    at = []
    for density, r0 in zip(rho0, PARAMETERS["d_sun"] / x, strict=True):
        values = coordinates.free.start.copy()
        values[0], values[2] = density, r0
        at.append(coordinates.of(values))
    moved = np.ptp(at, axis=0)
    assert moved[0] < 1e-6
    assert moved[2] > 1.0
    np.testing.assert_array_equal(np.delete(moved, [0, 2]), 0.0)


def test_without_a_spheroid_s_scales_they_are_those_without_bounds():
    free = free_parameters(("rho0_halo", "h_thin"), PARAMETERS)
    coordinates = Coordinates(free, PARAMETERS)
    u = coordinates.of(free.start)
    np.testing.assert_array_equal(u, free.to_unbounded(free.start))
    np.testing.assert_array_equal(coordinates.slopes(u), np.diag(free.unbounded_slopes(u)))


@pytest.mark.parametrize("at", [-4.0, 0.5, 4.0])
def test_the_bend_is_the_curvature_of_what_is_straight_in_the_values(at):
    free = free_parameters(("h_thin", "gamma_halo", "rho0_halo"), PARAMETERS, {"rho0_halo": (0.0, np.inf)})
    coordinates = Coordinates(free, PARAMETERS)
    u = coordinates.of(free.start) + np.array([at, -at, 0.1 * at])
    by_values = np.array([0.3, -2.0, 1e-7])

    def gradient(u):
        return by_values @ coordinates.slopes(u)

    exact = differences(gradient, u)
    np.testing.assert_allclose(coordinates.bend(u, gradient(u)), np.maximum(exact, 0.0), rtol=1e-6, atol=1e-9)


def test_against_a_bound_the_mode_s_width_is_the_volume_s():
    # exp(-x/s) for x > 0 is x/s - ln x in ln x: a second derivative of one at its mode, wherever that is.
    free = free_parameters(("rho0_halo",), PARAMETERS, {"rho0_halo": (0.0, np.inf)})
    coordinates = Coordinates(free, PARAMETERS)
    s = 3e5
    u = np.array([np.log(s)])
    np.testing.assert_allclose(coordinates.log_prior(u)[1], coordinates.values(u) / s, rtol=1e-12)
    np.testing.assert_allclose(coordinates.bend(u, coordinates.values(u) / s), [[1.0]], rtol=1e-12)
