"""Densities of discs where they are computed anew, and where they are kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.galaxy.tabulated import disk_places, tabulate_density


@pytest.fixture(scope="module")
def thick():
    galaxy = ga.build("Mc17a", iterations=1)
    return galaxy.ingredients.dfs["thick_disk"], galaxy.state


def test_negligible_places_keep_what_was_expected(thick):
    df, state = thick
    R, z = disk_places()
    everywhere = jax.jit(tabulate_density)(df, state.actions, jnp.full(R.shape, 1e9))
    full = np.asarray(everywhere.density(R, z))
    n = R.shape[1] // 2
    kept = np.where(R[0, n] <= R, 0.9, 1e9)
    partly = np.asarray(jax.jit(tabulate_density)(df, state.actions, jnp.asarray(kept)).density(R, z))
    # Half of the radii at one z are computed or kept together; one of them above the threshold is enough.
    np.testing.assert_allclose(partly[:, :n], full[:, :n], rtol=1e-8)
    np.testing.assert_allclose(partly[:-1, n:-1], 0.9, rtol=1e-6)  # the last are the edges


def test_leaving_out_the_negligible_changes_nothing_that_counts(thick):
    df, state = thick
    R, z = disk_places()
    before = state.densities["thick_disk"].density(jnp.asarray(R), jnp.asarray(z))
    assert float(jnp.min(before)) < 1.0
    with_skips = jax.jit(tabulate_density)(df, state.actions, before).density(R, z)
    everywhere = jax.jit(tabulate_density)(df, state.actions, jnp.full(R.shape, 1e9)).density(R, z)
    np.testing.assert_allclose(with_skips, everywhere, rtol=1e-8, atol=10.0)
