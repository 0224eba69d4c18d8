"""Contraction of the halo (paper, section 3.4, eq. 11)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.potential import ContractedHalo, Disk, Spheroid
from galactions.potential.contraction import baryon_excess, contraction_factor
from galactions.potential.field import POISSON_GRID
from galactions.potential.spherical import mass_within, spherical_mean

F_BAR = jnp.asarray(0.157)
INNER = (POISSON_GRID.r > 0.05) & (POISSON_GRID.r < 1e3)


def numbers(*values):
    return tuple(jnp.asarray(float(value)) for value in values)


def nfw(q=1.0):
    return Spheroid(*numbers(4e6, 22.0, 1.0, 3.0, q, 1.0), False)


DISK = Disk(*numbers(8e8, 2.6, 0.3, 0.0), "exponential")
BARYONS = spherical_mean(DISK)


@pytest.mark.parametrize("relation", ["fitted", "implicit"])
@pytest.mark.parametrize("q", [1.0, 0.6])
def test_masses_follow_the_relation(q, relation):
    """Also of an oblate halo: masses within spheres of the contracted density itself."""
    halo = ContractedHalo.of(nfw(q), BARYONS, F_BAR, relation)
    before, after = mass_within(spherical_mean(nfw(q))), mass_within(spherical_mean(halo))
    eta = baryon_excess(mass_within(BARYONS), before, F_BAR)
    expected = np.asarray(before * contraction_factor(eta, F_BAR, relation))
    np.testing.assert_allclose(after[INNER], expected[INNER], rtol=3e-4)


def test_oblate_halo_stays_oblate():
    halo = ContractedHalo.of(nfw(0.6), BARYONS, F_BAR)
    before, after = (float(h.density(0.0, 8.0) / h.density(8.0, 0.0)) for h in (nfw(0.6), halo))
    assert after == pytest.approx(before, rel=1e-12)
    assert before < 0.6


def test_factor_of_the_formula():
    """Baryons in their cosmic proportion leave the halo within some 3% of what it is."""
    assert float(contraction_factor(jnp.asarray(1.0), F_BAR)) == pytest.approx(1.0215, abs=1e-4)
    assert float(contraction_factor(jnp.asarray(10.0), F_BAR)) == pytest.approx(0.45 + 0.38 * 11.16**0.53)


def test_implicit_relation_holds():
    eta = jnp.asarray([0.0, 0.3, 1.0, 5.0, 60.0, 2e3])
    x = contraction_factor(eta, F_BAR, "implicit")
    total = (1 - F_BAR) * x + F_BAR * eta
    np.testing.assert_allclose(x, 1.023 * total**0.54, rtol=1e-13)


def test_formula_approximates_the_implicit_relation():
    eta = jnp.geomspace(0.5, 60.0, 30)
    np.testing.assert_allclose(
        contraction_factor(eta, F_BAR), contraction_factor(eta, F_BAR, "implicit"), rtol=0.07
    )


@pytest.mark.parametrize("relation", ["fitted", "implicit"])
def test_derivative_of_the_density(relation):
    """With respect to the disc's mass, forward mode against central differences."""
    R, z = jnp.asarray([0.5, 8.0, 40.0]), jnp.asarray([0.0, 1.0, 5.0])

    def density(scale):
        return ContractedHalo.of(nfw(), scale * BARYONS, F_BAR, relation).density(R, z)

    density = jax.jit(density)
    _, slope = jax.jvp(density, (1.0,), (1.0,))
    numeric = (density(1 + 1e-4) - density(1 - 1e-4)) / 2e-4
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)
    assert np.all(np.asarray(slope) > 0), "more baryons, more contraction"
