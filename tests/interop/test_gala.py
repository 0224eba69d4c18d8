"""The potential in gala: values, rotation curve, density, orbits."""

import numpy as np
import pytest

from galactions.interop import to_gala

gala = pytest.importorskip("gala.potential", reason="needs gala: pip install galactions[interop]")
units = pytest.importorskip("astropy.units")

KMS2 = (units.km / units.s) ** 2
POINTS = np.array(
    [[8.11, 0.0, 0.02], [3.0, -4.0, 0.7], [-1.0, 0.5, -2.0], [0.0, 0.0, 5.0], [30.0, 10.0, -9.0]]
).T


@pytest.fixture(scope="module")
def potential(initial):
    return to_gala(initial)


def test_energy(initial, potential):
    x, y, z = POINTS
    theirs = potential.energy(POINTS * units.kpc).to_value(KMS2)
    np.testing.assert_allclose(theirs, initial.potential(np.hypot(x, y), z), rtol=1e-10)


def test_acceleration(initial, potential):
    x, y, z = POINTS
    R = np.hypot(x, y)
    F_R, F_z = (np.asarray(F) for F in initial.force(R, z))
    cos, sin = x / np.where(R > 0, R, 1.0), y / np.where(R > 0, R, 1.0)
    theirs = potential.acceleration(POINTS * units.kpc).to_value(KMS2 / units.kpc)
    np.testing.assert_allclose(theirs, [F_R * cos, F_R * sin, F_z], rtol=1e-9, atol=1e-8)


def test_rotation_curve(initial, potential):
    R = np.array([1.0, 4.0, 8.11, 15.0, 40.0])
    q = np.stack([R, 0 * R, 0 * R]) * units.kpc
    theirs = potential.circular_velocity(q).to_value(units.km / units.s)
    np.testing.assert_allclose(theirs, initial.circular_velocity(R), rtol=1e-8)


def test_density(initial, potential):
    x, y, z = POINTS
    ours = sum(np.asarray(initial.density(name, np.hypot(x, y), z)) for name in initial.components)
    theirs = potential.density(POINTS * units.kpc).to_value(units.Msun / units.kpc**3)
    np.testing.assert_allclose(theirs, ours, rtol=1e-6)


def test_orbit_keeps_energy_and_angular_momentum(potential):
    from gala.dynamics import PhaseSpacePosition
    from gala.integrate import DOPRI853Integrator

    start = PhaseSpacePosition([8.0, 0.0, 0.3] * units.kpc, [30.0, 210.0, 20.0] * (units.km / units.s))
    orbit = potential.integrate_orbit(
        start, dt=1.0, n_steps=200, Integrator=DOPRI853Integrator, cython_if_possible=False
    )
    energy = orbit.energy().value
    L_z = orbit.angular_momentum()[2].value
    np.testing.assert_allclose(energy, energy[0], rtol=1e-6)
    np.testing.assert_allclose(L_z, L_z[0], rtol=1e-9)
