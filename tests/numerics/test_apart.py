"""Borders for the compiler change nothing but where code is merged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.numerics.apart import apart, seam


def waves(x, finite):
    a, b = seam((jnp.sin(x), jnp.cos(x)), finite)
    return jnp.sum(a * b + a**2)


@pytest.mark.parametrize("derivative", [jax.grad, jax.jacfwd])
def test_a_seam_is_none_to_values_and_derivatives(derivative):
    x = jnp.linspace(0.0, 1.0, 5)
    assert waves(x, jnp.asarray(2.0)) == pytest.approx(
        np.sum(np.sin(x) * np.cos(x) + np.sin(x) ** 2), rel=1e-14
    )
    found = derivative(waves)(x, jnp.asarray(2.0))
    np.testing.assert_allclose(found, np.cos(2 * x) + np.sin(2 * x), rtol=1e-14)


def test_what_comes_back_to_a_seam_is_not_merged_with_what_goes_on():
    slope = jax.jit(jax.grad(waves)).lower(jnp.ones(8), jnp.asarray(1.0)).compile().as_text()
    assert " conditional(" in slope


def test_without_a_finite_number_there_are_no_values_and_no_derivatives():
    x = jnp.ones(3)
    assert np.all(np.isnan(jax.grad(waves)(x, jnp.asarray(jnp.inf))))
    assert np.all(np.isnan(apart(lambda flat, x: flat[0] * x, jnp.asarray([jnp.inf]), x)))
    np.testing.assert_array_equal(apart(lambda flat, x: flat[0] * x, jnp.asarray([2.0]), x), 2 * x)
