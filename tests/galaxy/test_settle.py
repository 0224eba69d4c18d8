"""Settled models, and their derivatives by the implicit function theorem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.galaxy.iteration import initial_state, iterate, settle, settled_shapes
from galactions.numerics.program import program, reverse_mode

MC17A = ga.named_model("Mc17a")
PARAMETERS = {name: jnp.asarray(value) for name, value in MC17A.parameters.items()}
BY = ("sigma_r0_thin", "sigma_z0_thick", "R_d_thin", "Sigma0_thin")


@pytest.fixture(scope="module")
def near():
    return ga.build("Mc17a", iterations="auto")


@pytest.fixture(scope="module")
def shapes(near):
    return settled_shapes(MC17A.components, MC17A.parameters, near.state)


@program()
def told(state):
    """Velocities (km/s), forces and densities of a state: numbers that all of it takes part in."""
    R, z = jnp.array([2.0, 5.0, 8.0, 12.0, 20.0]), jnp.array([0.1, 0.5, 0.5, 1.0, 1.0])
    v = state.potential.circular_velocity(R)
    F = state.potential.gradient(R, z)[1] * R
    rho = [state.densities[name].density(R, z) for name in ("thin_disk", "thick_disk", "halo")]
    return jnp.concatenate([v, F**0.5, *(100 * jnp.log(r) for r in rho)])


def settled(values, shapes, iterations=None):
    """What is told of the settled model, or of that after so many iterations."""
    ingredients, state = initial_state(MC17A.components, {**PARAMETERS, **values}, shapes)
    if iterations is None:
        return told(settle(ingredients, state, 1e-9))
    for _ in range(iterations):
        state = iterate(ingredients, state)
    return told(state)


def test_the_settled_state_is_that_of_build(near, shapes):
    moved = MC17A.replace(sigma_r0_thin=70.0)
    built = ga.build(moved, iterations="auto", near=near)
    state = settle(*initial_state(MC17A.components, moved.parameters, shapes))
    np.testing.assert_allclose(told(state), told(built.state), rtol=1e-10)


@pytest.mark.slow
def test_derivatives_of_the_settled_state(shapes):
    """Backwards by the fixed point, against the way back through twelve iterations, against differences, and
    forwards."""
    at = {name: 1.03 * PARAMETERS[name] for name in BY}
    rng = np.random.default_rng(3)
    by = jnp.asarray(rng.normal(size=len(settled(at, shapes))))

    def gradient(iterations):
        with reverse_mode():
            back = jax.vjp(lambda values: settled(values, shapes, iterations), at)[1]
        (slopes,) = back(by)
        return np.array([float(slopes[name] * at[name]) for name in BY])

    found = gradient(None)
    size = np.linalg.norm(found)
    np.testing.assert_allclose(found, gradient(12), atol=1e-3 * size)
    assert np.max(np.abs(found - gradient(1))) > 0.02 * size
    for i, name in enumerate(BY):
        ends = [by @ settled({**at, name: (1 + h) * at[name]}, shapes) for h in (1e-3, -1e-3)]
        assert float(ends[0] - ends[1]) / 2e-3 == pytest.approx(found[i], abs=5e-3 * size), name
    along = {name: at[name] if name == BY[0] else jnp.zeros(()) for name in BY}
    forwards = jax.jvp(lambda values: settled(values, shapes), (at,), (along,))[1]
    assert float(by @ forwards) == pytest.approx(found[0], abs=1e-3 * size)
