"""Averages over spheres and the masses within them."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import dblquad

from galactions.potential import Disk, MiyamotoNagai, Spheroid
from galactions.potential.field import POISSON_GRID
from galactions.potential.spherical import mass_within, spherical_mean

RADIUS = POISSON_GRID.r


def numbers(*values):
    return tuple(jnp.asarray(float(value)) for value in values)


def masses_at(density, radii):
    """Mass within `radii`, interpolated between the nodes of the grid."""
    mass = np.asarray(mass_within(spherical_mean(density)))
    return np.exp(np.interp(np.log(radii), np.log(RADIUS), np.log(mass)))


@pytest.mark.parametrize("vertical, h", [("exponential", 0.3), ("exponential", 0.9), ("sech2", 0.045)])
def test_mass_of_a_disc_within_spheres(vertical, h):
    """Against a plain integral over rings, whose share within the sphere is analytic."""
    disk = Disk(*numbers(5e8, 2.5, h, 4.0), vertical)
    chosen = np.searchsorted(RADIUS, [0.5, 3.0, 12.0, 60.0])
    mass = np.asarray(mass_within(spherical_mean(disk)))[chosen]
    for r, found in zip(RADIUS[chosen], mass, strict=True):
        R = np.linspace(0, 1, 20001)[1:-1] ** 0.5 * r
        top = np.sqrt(r**2 - R**2)
        share = 1 - np.exp(-top / h) if vertical == "exponential" else np.tanh(top / (2 * h))
        exact = np.trapezoid(2 * np.pi * R * np.asarray(disk.surface_density(R)) * share, R)
        assert found == pytest.approx(exact, rel=2e-4)


def test_mass_of_an_oblate_spheroid_within_spheres():
    halo = Spheroid(*numbers(8e6, 15.0, 1.0, 3.0, 0.6, 1.0), False)
    r = RADIUS[np.searchsorted(RADIUS, 20.0)]

    def ring(c, x):
        return 4 * np.pi * x**2 * float(halo.density(x * np.sqrt(1 - c**2), x * c))

    exact = dblquad(ring, 1e-3, r, 0.0, 1.0, epsrel=1e-6)[0]
    assert masses_at(halo, r) == pytest.approx(exact, rel=1e-4)


def test_mass_of_the_miyamoto_nagai_disc():
    disk = MiyamotoNagai(*numbers(6.8e10, 3.0, 0.28))
    assert masses_at(disk, 2e4) == pytest.approx(6.8e10, rel=1e-3)
    sphere = MiyamotoNagai(*numbers(6.8e10, 0.0, 2.0))
    r = np.array([0.5, 2.0, 10.0, 50.0])
    np.testing.assert_allclose(masses_at(sphere, r), 6.8e10 * (1 + 4.0 / r**2) ** -1.5, rtol=2e-3)
