"""Elementary functions against numpy's."""

import jax
import jax.numpy as jnp
import numpy as np

from galactions.numerics.elementary import arcsinh

X = np.concatenate([-np.geomspace(5.0, 1e-8, 40), [0.0], np.geomspace(1e-8, 1e6, 60)])


def test_arcsinh_and_its_derivative():
    value, slope = jax.jvp(arcsinh, (jnp.asarray(X),), (jnp.ones_like(X),))
    np.testing.assert_allclose(value, np.arcsinh(X), rtol=1e-14, atol=3e-14)
    np.testing.assert_allclose(slope, 1 / np.sqrt(1 + X**2), rtol=1e-11)
