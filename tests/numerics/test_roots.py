"""Roots, and the derivatives that come through them by the implicit function theorem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.numerics.roots import bracketed_root, first_descent, interpolated_root

A = jnp.asarray(np.geomspace(1e-3, 1e3, 13))


def cube_root(a, iterations=60):
    zero = jnp.zeros_like(a)
    return bracketed_root(
        lambda x: (x**3 - a, 3 * x**2), zero, zero + 20.0, rising=True, iterations=iterations
    )


def interpolated_cube_root(a):
    zero = jnp.zeros_like(a)
    return interpolated_root(lambda x: x**3 - a, zero, zero + 20.0, rising=True, iterations=60)


@pytest.mark.parametrize("root", [cube_root, interpolated_cube_root])
def test_cube_root_and_its_derivative(root):
    value, slope = jax.jvp(root, (A,), (jnp.ones_like(A),))
    np.testing.assert_allclose(value, np.cbrt(A), rtol=1e-12)
    np.testing.assert_allclose(slope, np.cbrt(A) / (3 * A), rtol=1e-10)


@pytest.mark.parametrize("root", [cube_root, interpolated_cube_root])
def test_reverse_mode_agrees(root):
    slope = jax.grad(lambda a: jnp.sum(root(a)))(A)
    np.testing.assert_allclose(slope, np.cbrt(A) / (3 * A), rtol=1e-10)


def test_few_steps_of_a_smooth_function_suffice():
    np.testing.assert_allclose(cube_root(A, 40), np.cbrt(A), rtol=1e-12)


def test_falling_function():
    root = bracketed_root(
        lambda x: (jnp.exp(-x) - A / 2e3, -jnp.exp(-x)),
        jnp.zeros_like(A),
        30 + jnp.zeros_like(A),
        rising=False,
        iterations=60,
    )
    np.testing.assert_allclose(root, -np.log(A / 2e3), rtol=1e-12)


def test_kepler_equation_with_a_flat_start():
    """Near e = 1 the slope of Kepler's equation almost vanishes at its lower end."""
    e, mean = 0.999, jnp.asarray(np.linspace(0.01, 3.1, 20))

    def solve(mean):
        return bracketed_root(
            lambda E: (E - e * jnp.sin(E) - mean, 1 - e * jnp.cos(E)),
            jnp.zeros_like(mean),
            jnp.full_like(mean, np.pi),
            rising=True,
            iterations=60,
        )

    E, slope = jax.jvp(solve, (mean,), (jnp.ones_like(mean),))
    np.testing.assert_allclose(E - e * np.sin(E), mean, atol=1e-13)
    np.testing.assert_allclose(slope, 1 / (1 - e * np.cos(E)), rtol=1e-9)


def test_without_a_root_the_nearer_end_is_approached():
    up = bracketed_root(
        lambda x: (x - 5.0, jnp.ones_like(x)), jnp.zeros(3), jnp.ones(3), rising=True, iterations=60
    )
    down = bracketed_root(
        lambda x: (x + 5.0, jnp.ones_like(x)), jnp.zeros(3), jnp.ones(3), rising=True, iterations=60
    )
    np.testing.assert_allclose(up, 1.0, atol=1e-12)
    np.testing.assert_allclose(down, 0.0, atol=1e-12)


@pytest.mark.parametrize("iterations", [24, 25, 26])
def test_derivatives_are_exact_whatever_step_comes_last(iterations):
    def root(a):
        return bracketed_root(
            lambda x: (jnp.tanh(x) - a, 1 - jnp.tanh(x) ** 2),
            jnp.zeros(()),
            jnp.asarray(5.0),
            rising=True,
            iterations=iterations,
        )

    assert float(jax.grad(root)(0.6)) == pytest.approx(1 / (1 - 0.6**2), rel=1e-7)


def test_without_a_root_the_derivative_is_that_of_the_end():
    def nearest(a):
        return bracketed_root(
            lambda x: (x + 10.0, jnp.ones_like(x)), 2 * a, 2 * a + 1, rising=True, iterations=14
        )

    assert float(jax.grad(nearest)(0.7)) == pytest.approx(2.0)


@pytest.mark.parametrize("iterations", [12, 13, 14])
def test_a_dozen_steps_reach_the_root(iterations):
    """Bisections late in a search would throw away what Newton's steps have reached."""
    height = jnp.asarray(np.linspace(0.001, 0.999, 200))
    root = bracketed_root(
        lambda x: (jnp.tanh(x) - height, 1 - jnp.tanh(x) ** 2),
        jnp.zeros_like(height),
        jnp.full_like(height, 5.0),
        rising=True,
        iterations=iterations,
    )
    np.testing.assert_allclose(root, np.arctanh(height), rtol=1e-12)


def test_interpolation_needs_ten_evaluations():
    height = jnp.asarray(np.linspace(0.001, 0.999, 200))
    root = interpolated_root(
        lambda x: jnp.tanh(x) - height,
        jnp.zeros_like(height),
        jnp.full_like(height, 5.0),
        rising=True,
        iterations=10,
    )
    np.testing.assert_allclose(root, np.arctanh(height), rtol=1e-11)


def test_interpolation_without_a_root_ends_at_the_nearer_end():
    ends = jnp.zeros(3), jnp.ones(3)
    up = interpolated_root(lambda x: x - 5.0, *ends, rising=True, iterations=12)
    down = interpolated_root(lambda x: -(x + 5.0), *ends, rising=False, iterations=12)
    np.testing.assert_allclose(up, 1.0, atol=1e-8)
    np.testing.assert_allclose(down, 0.0, atol=1e-8)


@pytest.mark.parametrize("power", [1, 3, 5])
@pytest.mark.parametrize("share", [0.001, 0.03, 0.5, 0.97, 0.999])
def test_interpolation_finds_roots_of_any_rising_power(share, power):
    top = jnp.asarray(2.5)
    root = interpolated_root(
        lambda x: x**power - (share * top) ** power, jnp.zeros(()), top, rising=True, iterations=50
    )
    assert float(root) == pytest.approx(share * 2.5, rel=1e-6)


def test_a_root_that_was_reached_is_not_lost_to_rounding():
    """Values with an error of 1e-9 of the step back to the root: Newton's steps there have no order."""
    x0 = jnp.asarray(np.linspace(1e-4, 2e-3, 40))

    def noisy(x):
        return (x / x0) ** 2 - 1 + 1e-9 * jnp.sin(1e12 * x), 2 * x / x0**2

    zero = jnp.zeros_like(x0)
    for iterations in (6, 7, 8, 20):
        x = bracketed_root(noisy, zero, zero + 1.0, rising=True, iterations=iterations, guess=1.1 * x0)
        np.testing.assert_allclose(x, x0, rtol=1e-8)


class TestFirstDescent:
    """cos x from its maximum at 0, looked over at eight places, down to several levels at once."""

    level = jnp.asarray([[0.9999, 0.5, -0.9], [0.999999, 0.0, -0.5]])

    def descent(self, level, end, n=8):
        points = jnp.asarray(np.linspace(0.0, end, n))

        def left(x):
            return jnp.cos(x) - level, -jnp.sin(x)

        return first_descent(left, points, jnp.cos(points), level, upwards=end > 0, iterations=5)

    @pytest.mark.parametrize("end", [3.0, -3.0])
    def test_to_either_side(self, end):
        """The slope at the root is that of the inverse function."""
        x, slope = jax.jvp(lambda a: self.descent(a, end), (self.level,), (jnp.ones_like(self.level),))
        exact = np.sign(end) * np.arccos(self.level)
        np.testing.assert_allclose(x, exact, rtol=1e-10)
        np.testing.assert_allclose(slope, -1 / np.sin(exact), rtol=1e-8)

    def test_the_first_of_several(self):
        np.testing.assert_allclose(self.descent(self.level, 20.0, n=41), np.arccos(self.level), rtol=1e-10)

    def test_without_one_the_last_point_is_approached(self):
        np.testing.assert_allclose(self.descent(jnp.asarray([-2.0]), 3.0), 3.0, atol=0.02)
