"""Splines reproduce the polynomials they are made of, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.numerics.spline import Axis, Spline1D, Spline2D, Spline3D

AXIS = Axis.between(-1.0, 2.0, 9)
X = jnp.linspace(-1.2, 2.3, 57)
"""A little beyond both ends: the outermost polynomial is continued there."""


def cubic(x):
    return 2.0 - x + 0.5 * x**2 - 0.3 * x**3


CUBIC_DERIVATIVES = [cubic, lambda x: -1 + x - 0.9 * x**2, lambda x: 1 - 1.8 * x]


def test_axis_holds_both_ends():
    assert AXIS.nodes[0] == -1.0
    assert AXIS.nodes[-1] == pytest.approx(2.0, abs=1e-15)
    assert len(AXIS.nodes) == 9


@pytest.mark.parametrize("order", [0, 1, 2])
def test_cubic_is_reproduced(order):
    spline = Spline1D.fit(AXIS, cubic(AXIS.nodes))
    np.testing.assert_allclose(spline(X, order), CUBIC_DERIVATIVES[order](X), atol=1e-11)


def test_several_functions_are_evaluated_together():
    values = np.stack([cubic(AXIS.nodes), AXIS.nodes**2], axis=1)
    first, second = Spline1D.fit(AXIS, values).all(X)
    np.testing.assert_allclose(first, cubic(X), atol=1e-12)
    np.testing.assert_allclose(second, X**2, atol=1e-12)


def test_spline_goes_through_its_nodes_whatever_the_function():
    values = np.random.default_rng(1).normal(size=AXIS.n)
    np.testing.assert_allclose(Spline1D.fit(AXIS, values)(AXIS.nodes), values, atol=1e-13)
    np.testing.assert_allclose(Spline1D.fit(AXIS, values, "even")(AXIS.nodes), values, atol=1e-13)


def test_even_end_has_no_slope_and_reproduces_even_functions():
    axis = Axis.between(0.0, 2.0, 41)
    spline = Spline1D.fit(axis, np.cos(axis.nodes), "even")
    assert abs(float(spline(jnp.asarray(0.0), 1))) < 1e-14
    x = np.linspace(0, 2, 77)
    np.testing.assert_allclose(spline(x), np.cos(x), atol=2e-7)
    np.testing.assert_allclose(spline(x, 2), -np.cos(x), atol=2e-3)


def test_error_falls_with_the_fourth_power_of_the_step():
    x = np.linspace(0, 2, 301)
    errors = []
    for n in (21, 41):
        axis = Axis.between(0.0, 2.0, n)
        errors.append(np.max(np.abs(Spline1D.fit(axis, np.exp(axis.nodes))(x) - np.exp(x))))
    assert 11 < errors[0] / errors[1] < 21


def test_derivative_of_the_code_is_the_derivative_of_the_spline():
    spline = Spline1D.fit(AXIS, np.sin(AXIS.nodes))
    slopes = jax.vmap(jax.grad(spline))(jnp.asarray(X))
    np.testing.assert_allclose(slopes, spline(X, 1), atol=1e-13)


def test_bicubic_and_its_derivatives():
    y_axis = Axis.between(0.0, 1.0, 7)
    x, y = np.meshgrid(AXIS.nodes, y_axis.nodes, indexing="ij")
    spline = Spline2D.fit(AXIS, y_axis, jnp.asarray(cubic(x) * (1 + y**3)))
    u, v = np.meshgrid(X, np.linspace(0, 1, 13), indexing="ij")
    value, d_x, d_xy, d_yy = spline.derivatives(u, v, ((0, 0), (1, 0), (1, 1), (0, 2)))
    np.testing.assert_allclose(value, cubic(u) * (1 + v**3), atol=1e-11)
    np.testing.assert_allclose(d_x, CUBIC_DERIVATIVES[1](u) * (1 + v**3), atol=1e-10)
    np.testing.assert_allclose(d_xy, CUBIC_DERIVATIVES[1](u) * 3 * v**2, atol=1e-10)
    np.testing.assert_allclose(d_yy, cubic(u) * 6 * v, atol=1e-9)
    np.testing.assert_allclose(spline(u, v, 0, 1), cubic(u) * 3 * v**2, atol=1e-10)


def test_triquadratic_of_two_functions():
    axes = Axis.between(0.0, 1.0, 5), Axis.between(-1.0, 1.0, 6), Axis.between(2.0, 3.0, 7)

    def one(x, y, z):
        return (1 + x - x**2) * (2 * y**2 - y) * (z - 0.2 * z**2)

    def other(x, y, z):
        return x**2 + y * z

    nodes = np.meshgrid(*(a.nodes for a in axes), indexing="ij")
    spline = Spline3D.fit(*axes, np.stack([one(*nodes), other(*nodes)], axis=-1))
    points = np.random.default_rng(2).uniform([0, -1, 2], [1, 1, 3], (100, 3)).T
    first, second = spline(*points)
    np.testing.assert_allclose(first, one(*points), atol=1e-12)
    np.testing.assert_allclose(second, other(*points), atol=1e-12)


def test_a_finer_grid_of_its_own_makes_up_for_the_lower_order():
    axes = Axis.between(0.0, 1.0, 17), Axis.between(0.0, 1.0, 5), Axis.between(0.0, 1.0, 5)
    x = np.linspace(0.1, 0.9, 201)

    def missed(finer_x):
        values = np.broadcast_to(np.sin(5 * axes[0].nodes)[:, None, None, None], (17, 5, 5, 1))
        spline = Spline3D.fit(*axes, values, finer_x)
        np.testing.assert_allclose(spline(axes[0].nodes, 0.3, 0.6)[0], values[:, 0, 0, 0], atol=1e-13)
        return np.abs(spline(x, 0.3, 0.6)[0] - np.sin(5 * x)).max()

    assert missed(1) > 30 * missed(4)
    assert missed(4) < 1e-4


def test_fit_is_differentiable_in_the_nodal_values():
    direction = np.random.default_rng(3).normal(size=AXIS.n)
    value, change = jax.jvp(
        lambda v: Spline1D.fit(AXIS, v)(jnp.asarray(X)),
        (jnp.asarray(cubic(AXIS.nodes)),),
        (jnp.asarray(direction),),
    )
    np.testing.assert_allclose(change, Spline1D.fit(AXIS, direction)(X), atol=1e-12)
    np.testing.assert_allclose(value, cubic(X), atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives_by_coefficients_and_coordinates_together(n):
    """Forwards and backwards, against differences; second derivatives where the spline has them."""
    axes = Axis.between(0.0, 1.0, 5), Axis.between(-1.0, 1.0, 6), Axis.between(2.0, 3.0, 7)
    rng = np.random.default_rng(n)
    values = jnp.asarray(rng.normal(size=(*(axis.n for axis in axes[:n]), *([2] if n != 2 else []))))
    low, high = np.array([[axis.start, axis.nodes[-1]] for axis in axes[:n]]).T
    x = tuple(jnp.asarray(rng.uniform(low - 0.01, high + 0.01, (40, n)).T))
    weights = jnp.asarray(rng.normal(size=40))

    def total(values, x):
        if n == 1:
            first, second = Spline1D.fit(axes[0], values).all(x[0])
            return weights @ (first * second)
        if n == 2:
            return weights @ Spline2D.fit(*axes[:2], values)(*x, 1, 0)
        first, second = Spline3D.fit(*axes, values)(*x)
        return weights @ (first * second)

    along = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape)), (values, x))

    def at(h):
        return jax.tree.map(lambda a, d: a + h * d, (values, x), along)

    h = 1e-5
    difference = (total(*at(h)) - total(*at(-h))) / (2 * h)
    forwards = jax.jvp(total, (values, x), along)[1]
    gradient = jax.grad(total, (0, 1))(values, x)
    backwards = sum(jnp.vdot(g, d) for g, d in zip(*map(jax.tree.leaves, (gradient, along)), strict=True))
    assert float(forwards) == pytest.approx(float(difference), rel=1e-7)
    assert float(backwards) == pytest.approx(float(forwards), rel=1e-12)
    again = jax.jvp(lambda *a: jnp.vdot(jax.grad(total, 1)(*a)[0], weights), (values, x), along)[1]
    ahead, behind = (jnp.vdot(jax.grad(total, 1)(*at(s * h))[0], weights) for s in (1, -1))
    assert float(again) == pytest.approx(float((ahead - behind) / (2 * h)), rel=1e-6)
