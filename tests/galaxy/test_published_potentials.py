"""Published potentials against the packages that carry them."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.galaxy.components import analytic_densities, analytic_potential

R = np.array([1.0, 2.0, 4.0, 8.0, 12.0, 20.0, 50.0])
ROUNDED = {
    "Sigma0_thin": 8.96e8, "R_d_thin": 2.5, "Sigma0_thick": 1.83e8, "R_d_thick": 3.02, "rho0_bulge": 9.84e10,
    "rho0_halo": 8.54e6, "r0_halo": 19.6, "Sigma0_HI": 5.31e7, "Sigma0_H2": 2.18e9,
}  # fmt: skip
"""galpy's numbers of McMillan17, rounded to three digits."""


def circular_velocity(name, **changes):
    spec = ga.named_model(name).replace(**changes)
    parameters = {key: jnp.asarray(value) for key, value in spec.parameters.items()}
    potential = jax.jit(lambda p: analytic_potential(analytic_densities(spec.components, p)))(parameters)
    return np.asarray(potential.circular_velocity(jnp.asarray(R)))


def galpy_curve(module, name, ro, vo):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        potential = pytest.importorskip("galpy.potential")
        model = getattr(pytest.importorskip(module), name)
        return np.array([potential.vcirc(model, r / ro, use_physical=False) * vo for r in R])


def test_mwpotential2014_of_galpy():
    expected = galpy_curve("galpy.potential", "MWPotential2014", 8.0, 220.0)
    np.testing.assert_allclose(circular_velocity("MWPotential2014"), expected, rtol=1e-4)


def test_milky_way_potential_of_gala():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        potential = pytest.importorskip("gala.potential")
        units = pytest.importorskip("astropy.units")
        model = potential.MilkyWayPotential(version="v1")
        expected = model.circular_velocity(np.array([R, 0 * R, 0 * R]) * units.kpc)
        expected = expected.to_value(units.km / units.s)
    np.testing.assert_allclose(circular_velocity("PriceWhelan17"), expected, rtol=2e-5)


@pytest.mark.slow
def test_mcmillan17_of_galpy():
    """galpy expands the discs in 30 by 30 basis functions, which is what differs by more than 1e-4."""
    expected = galpy_curve("galpy.potential.mwpotentials", "McMillan17", 8.21, 233.1)
    np.testing.assert_allclose(circular_velocity("McMillan17", **ROUNDED), expected, rtol=2e-4)


@pytest.mark.slow
def test_cautun20_of_galpy():
    """Within galpy's expansion of the discs and its halo, interpolated on a grid that ends at 50 kpc."""
    expected = galpy_curve("galpy.potential.mwpotentials", "Cautun20", 8.122, 229.0)
    np.testing.assert_allclose(circular_velocity("Cautun20"), expected, rtol=2e-4)
