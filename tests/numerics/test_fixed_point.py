"""Derivatives of fixed points, against those of Kepler's equation and of linear equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.numerics.fixed_point import at_fixed_point, fixed, solved
from galactions.numerics.program import reverse_mode

ECCENTRICITIES = jnp.array([0.2, 0.5, 0.8])
ORBITS = {"e": ECCENTRICITIES, "M": jnp.asarray(1.1)}


def anomalies(orbits):
    """E of Kepler's equation E = M + e sin E, with derivatives."""

    def step(orbits, x):
        return {"E": orbits["M"] + orbits["e"] * jnp.sin(x["E"]), "of": x["of"]}

    x = {"E": jnp.zeros(3), "of": np.arange(3)}
    for _ in range(200):
        x = step(fixed(orbits), x)
    assert not isinstance(x["E"], jax.core.Tracer)
    return at_fixed_point(step, orbits, x, tolerance=1e-13)["E"]


def test_derivatives_of_keplers_equation_forwards():
    along = {"e": jnp.ones(3), "M": jnp.asarray(0.5)}
    E, slope = jax.jvp(anomalies, (ORBITS,), (along,))
    np.testing.assert_allclose(E - ECCENTRICITIES * jnp.sin(E), ORBITS["M"], rtol=1e-13)
    exact = (jnp.sin(E) + 0.5) / (1 - ECCENTRICITIES * jnp.cos(E))
    np.testing.assert_allclose(slope, exact, rtol=1e-12)


def test_and_backwards():
    with reverse_mode():
        E, back = jax.vjp(anomalies, ORBITS)
    by = jnp.array([1.0, -2.0, 3.0])
    (found,) = back(by)
    np.testing.assert_allclose(found["e"], by * jnp.sin(E) / (1 - ECCENTRICITIES * jnp.cos(E)), rtol=1e-12)
    np.testing.assert_allclose(found["M"], jnp.sum(by / (1 - ECCENTRICITIES * jnp.cos(E))), rtol=1e-12)


def test_derivatives_by_one_argument_of_two():
    E, slope = jax.jvp(lambda M: anomalies({**ORBITS, "M": M}), (ORBITS["M"],), (jnp.ones(()),))
    np.testing.assert_allclose(slope, 1 / (1 - ECCENTRICITIES * jnp.cos(E)), rtol=1e-12)


def test_without_derivatives_it_is_the_fixed_point_itself():
    x = {"E": jnp.ones(3)}

    def step(orbits, x):
        raise AssertionError("no step is needed")

    assert at_fixed_point(step, ORBITS, x) is x


def test_no_more_vectors_than_there_are_slow_directions():
    rng = np.random.default_rng(1)
    A = 0.9 * np.outer(rng.normal(size=50), rng.normal(size=50)) / 50
    A += 0.7 * np.outer(rng.normal(size=50), rng.normal(size=50)) / 50
    B = rng.normal(size=(4, 50))
    right = rng.normal(size=50)
    seen = []

    def image(x):
        seen.append(x)
        return A @ x, B @ x

    x, carried = solved(image, right, 1e-12)
    exact = np.linalg.solve(np.eye(50) - A, right)
    assert len(seen) == 3
    np.testing.assert_allclose(x, exact, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(carried, B @ exact, rtol=1e-9)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5])
def test_ends_when_little_is_left_over(tolerance):
    A = np.diag(np.linspace(-0.5, 0.5, 40))
    x, _ = solved(lambda x: (A @ x, x[:0]), np.ones(40), tolerance)
    left = np.linalg.norm(np.ones(40) - x + A @ x) / np.sqrt(40)
    assert 1e-3 * tolerance < left <= tolerance


def test_what_nothing_depends_on_has_no_derivative():
    x, carried = solved(lambda x: (0.5 * x, 2 * x), np.zeros(5))
    np.testing.assert_array_equal(x, np.zeros(5))
    np.testing.assert_array_equal(carried, np.zeros(5))


def test_what_is_not_finite_is_told():
    x, carried = solved(lambda x: (np.full(5, np.nan), x), np.ones(5))
    assert np.all(np.isnan(x))
    assert np.all(np.isnan(carried))
