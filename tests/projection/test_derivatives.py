"""Derivatives of what a survey sees, through the whole self-consistent model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.galaxy.iteration import initial_state, iterate
from galactions.projection import SurveyNodes
from galactions.projection.view import View

EDGES = {"v_los": np.linspace(-400, 400, 41), "pm_ra": np.linspace(-20, 20, 41)}
ITERATIONS = 3


@pytest.fixture(scope="module")
def heights():
    spec = ga.named_model("Mc17a")
    regions = ga.paper_regions()[:3]
    nodes = SurveyNodes.for_regions(
        ga.build(spec, iterations=1), regions, [EDGES] * 3, stars=[region.count for region in regions]
    )

    def of(parameters):
        ingredients, state = initial_state(spec.components, parameters)
        for _ in range(ITERATIONS):
            state = iterate(ingredients, state)
        dfs = {name: ingredients.dfs[name] for name in spec.stellar_disks}
        return nodes.heights(View.at(dfs, state.actions, parameters)).p

    return of


@pytest.mark.slow
def test_heights_of_the_bins(heights):
    """Forward mode through three iterations and the projection against central differences.

    For parameters that change the tables all over: through the DF alone (sigma_r0), and through densities,
    potential and actions as well.
    """
    values = {name: jnp.asarray(value) for name, value in ga.named_model("Mc17a").parameters.items()}
    for name in ("sigma_r0_thin", "R_sigma_thick", "Sigma0_thin", "h_thick", "d_sun"):
        direction = {key: jnp.where(key == name, value, 0.0) for key, value in values.items()}
        up, down = (heights({key: values[key] + h * direction[key] for key in values}) for h in (3e-4, -3e-4))
        difference = (up - down) / 6e-4
        _, derivative = jax.jvp(heights, (values,), (direction,))
        error = jnp.linalg.norm(derivative - difference) / jnp.linalg.norm(difference)
        assert float(error) < 1e-4, name
