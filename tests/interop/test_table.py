"""The potential as SciPy evaluates it is the potential."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.interop.table import TablePotential
from galactions.potential.field import R_AXIS, R_SCALE, Z_AXIS, Z_SCALE

R = np.array([0.0, 0.02, 1.3, 8.0, 25.0, 200.0])
Z = np.array([0.01, -0.3, 2.0, 0.0, -10.0, 50.0])


@pytest.fixture(scope="module")
def table(initial):
    return TablePotential.of(initial)


def test_values(initial, table):
    np.testing.assert_allclose(table(R, Z), initial.potential(R, Z), rtol=1e-13)


def test_gradient(initial, table):
    # Zero on the axis and in the plane, up to what rounding makes of the potential over a cell there.
    spacing = min(R_SCALE * np.sinh(R_AXIS.step), Z_SCALE * np.sinh(Z_AXIS.step))
    rounding = np.finfo(float).eps * abs(initial.potential(0.0, 0.0)) / spacing
    for ours, theirs in zip(table.gradient(R, Z), initial.total_potential.gradient(R, Z), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=rounding)


def test_hessian(initial, table):
    def potential(x):
        return initial.total_potential(x[0], x[1])

    for k in (1, 2, 4, 5):
        exact = jax.hessian(potential)(jnp.asarray([R[k], Z[k]]))
        by_R2, by_z2, mixed = table.hessian(R[k], Z[k])
        assert float(by_R2) == pytest.approx(float(exact[0, 0]), rel=1e-9)
        assert float(by_z2) == pytest.approx(float(exact[1, 1]), rel=1e-9)
        assert float(mixed) == pytest.approx(float(exact[0, 1]), rel=1e-9)


def test_single_numbers(initial, table):
    assert table(8.0, 0.1).shape == ()
    assert float(table(8.0, 0.1)) == pytest.approx(float(initial.potential(8.0, 0.1)), rel=1e-13)
