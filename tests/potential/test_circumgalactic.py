"""The circumgalactic medium (paper, section 3.5, eqs. 12-13) and the virial radius it is scaled to."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.constants import RHO_CRIT
from galactions.potential import CircumgalacticMedium, ContractedHalo, Disk, Spheroid, solve_poisson
from galactions.potential.circumgalactic import mass_fraction, self_consistent_r200
from galactions.potential.field import POISSON_GRID
from galactions.potential.spherical import mass_within, spherical_mean

A, BETA, F_BAR, R200 = (jnp.asarray(x) for x in (0.19, -1.46, 0.157, 215.0))
M200 = 800 * np.pi / 3 * RHO_CRIT * 215.0**3
MEDIUM = CircumgalacticMedium(A, BETA, F_BAR, R200)
HALO = Spheroid(*(jnp.asarray(x) for x in (4e6, 23.0, 1.0, 3.0, 1.0, 1.0)), False)
DISK = Disk(*(jnp.asarray(x) for x in (9e8, 2.6, 0.3, 0.0)), "exponential")


def test_mass_within_spheres():
    """Eq. (13), as far as R200."""
    r = POISSON_GRID.r
    chosen = (r > 1.0) & (r < 200.0)
    expected = mass_fraction(A, BETA, F_BAR) * M200 * (r / 215.0) ** 1.54
    np.testing.assert_allclose(mass_within(spherical_mean(MEDIUM))[chosen], expected[chosen], rtol=1e-4)


def test_density_is_the_power_law_within_r200_and_smooth_there():
    r = jnp.asarray([8.0, 100.0, 214.9])
    expected = 200 * RHO_CRIT * 0.19 * 0.157 * (np.asarray(r) / 215.0) ** -1.46
    np.testing.assert_allclose(MEDIUM.density(r, 0.0), expected, rtol=1e-12)
    slope = jax.vmap(jax.grad(lambda r: jnp.log(MEDIUM.density(r, 0.0))))(jnp.asarray([214.999, 215.001]))
    np.testing.assert_allclose(slope, -1.46 / 215.0, rtol=1e-4)


def test_total_mass_is_finite():
    mass = mass_within(spherical_mean(MEDIUM))
    assert float(mass[-1] / mass[-20]) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("contracted", [False, True])
def test_virial_radius_is_that_of_the_whole(contracted):
    """The medium, contraction and all, in the solved potential."""
    disk, halo = spherical_mean(DISK), spherical_mean(HALO)
    if contracted:
        r200 = self_consistent_r200(A, BETA, F_BAR, disk, halo)
        medium = CircumgalacticMedium(A, BETA, F_BAR, r200)
        dark = ContractedHalo.of(HALO, disk + spherical_mean(medium), F_BAR)
    else:
        r200 = self_consistent_r200(A, BETA, F_BAR, disk + halo, None)
        medium, dark = CircumgalacticMedium(A, BETA, F_BAR, r200), HALO
    grid = POISSON_GRID.Rz
    potential = jax.jit(solve_poisson)(medium.density(*grid) + dark.density(*grid), [DISK])
    assert float(potential.virial_radius()) == pytest.approx(float(r200), rel=1e-5)


@pytest.mark.parametrize("argument", range(3))
def test_derivative_of_the_virial_radius(argument):
    disk, halo = spherical_mean(DISK), spherical_mean(HALO)

    def r200(value):
        values = [A, BETA, F_BAR]
        values[argument] = value
        return self_consistent_r200(*values, disk, halo)

    x = (A, BETA, F_BAR)[argument]
    _, slope = jax.jvp(r200, (x,), (jnp.ones(()),))
    numeric = (r200(x + 1e-5) - r200(x - 1e-5)) / 2e-5
    assert float(slope) == pytest.approx(float(numeric), rel=1e-5)
