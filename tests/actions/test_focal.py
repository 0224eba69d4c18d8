"""Focal distances that come to zero where a model's parameters move them there."""

import jax
import jax.numpy as jnp
import numpy as np

from galactions.actions.table import positive_delta2


def test_focal_distances_go_to_zero_smoothly():
    share = jnp.linspace(-0.1, 0.4, 20001)
    values = positive_delta2(share)
    slopes = jax.vmap(jax.grad(positive_delta2))(share)
    assert np.all(values[share <= 0] == 0.0)
    np.testing.assert_allclose(values[share > 0.1], share[share > 0.1], rtol=0.01)
    assert np.max(np.abs(np.diff(slopes))) < 0.02
    assert np.all(slopes >= 0.0)
