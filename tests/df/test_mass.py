"""Masses of DFs by quadrature over the actions, against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.df.base import DiskFunction, DistributionFunction, SpheroidFunction
from galactions.df.mass import total_mass


class Gamma(SpheroidFunction):
    """f = exp(-(J_r + J_z + |J_phi|)/J0), whose mass is 2 (2 pi J0)^3."""

    J0: float

    def __call__(self, J_r, J_z, J_phi):
        return jnp.exp(-(J_r + J_z + jnp.abs(J_phi)) / self.J0)

    def action_range(self):
        return jnp.asarray(1e-6 * self.J0), jnp.asarray(100.0 * self.J0)


class Cold(DiskFunction):
    """f = exp(-J_r/a - J_z/b - J_phi/c) for J_phi > 0, whose mass is (2 pi)^3 a b c."""

    a: float
    b: float
    c: float

    def __call__(self, J_r, J_z, J_phi):
        return jnp.where(J_phi > 0, jnp.exp(-J_r / self.a - J_z / self.b - jnp.abs(J_phi) / self.c), 0.0)

    def action_scales(self, L_z):
        return jnp.full_like(L_z, self.a), jnp.full_like(L_z, self.b)


@pytest.mark.parametrize("J0", [0.3, 20.0, 1e4])
def test_spheroid(J0):
    assert float(total_mass(Gamma(J0))) == pytest.approx(2 * (2 * np.pi * J0) ** 3, rel=1e-6)


@pytest.mark.parametrize("scales", [(0.01, 0.002, 600.0), (30.0, 3.0, 500.0), (150.0, 90.0, 130.0)])
def test_disk(scales):
    assert float(total_mass(Cold(*scales))) == pytest.approx((2 * np.pi) ** 3 * np.prod(scales), rel=1e-6)


def test_derivative():
    mass, slope = jax.jvp(lambda J0: total_mass(Gamma(J0)), (20.0,), (1.0,))
    assert float(slope) == pytest.approx(3 * float(mass) / 20.0, rel=1e-6)


def test_other_functions_have_no_rule():
    class Other(DistributionFunction):
        def __call__(self, J_r, J_z, J_phi):
            return J_r

    with pytest.raises(TypeError, match="Other"):
        total_mass(Other())
