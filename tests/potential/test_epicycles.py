"""The table of circular orbits from which the discs' distribution functions take their frequencies."""

import jax.numpy as jnp
import numpy as np
import pytest

from galactions.galaxy.components import analytic_density
from galactions.potential.epicycles import Epicycles


@pytest.fixture(scope="module")
def epicycles(initial) -> Epicycles:
    parameters = {name: jnp.asarray(value) for name, value in initial.spec.parameters.items()}
    densities = [analytic_density(component, parameters) for component in initial.spec.components]
    return Epicycles.of(
        initial.total_potential, lambda R: sum(d.density(R, jnp.zeros_like(R)) for d in densities)
    )


def test_circular_radius(epicycles, initial):
    R = np.array([0.3, 1.0, 4.0, 8.11, 15.0, 40.0])
    orbit = epicycles(R * initial.circular_velocity(R))
    np.testing.assert_allclose(orbit.R, R, rtol=1e-5)
    kappa, _, Omega = initial.frequencies(R)
    np.testing.assert_allclose(orbit.kappa, kappa, rtol=1e-3)
    np.testing.assert_allclose(orbit.Omega, Omega, rtol=1e-4)


def test_reference_frequencies(epicycles, reference):
    """kappa, nu and Omega within 1e-3 of AGAMA's; nu comes out 3e-4 below, the share that AGAMA's multipoles
    add to Poisson's equation.
    """
    R = reference["R"]
    orbit = epicycles(R * reference["initial_vcirc"])
    ours = np.stack([orbit.kappa, orbit.nu, orbit.Omega], axis=1)
    np.testing.assert_allclose(ours, reference["initial_kappa_nu_Omega"], rtol=1e-3)
