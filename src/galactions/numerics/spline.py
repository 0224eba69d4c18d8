"""Interpolation on uniform grids by B-splines, in one, two and three dimensions.

A spline is stored by its coefficients; fitting them to nodal values is a fixed linear map (a small dense
matrix per axis, made once per grid size), so that fitting and evaluating are both differentiable. Cubic
splines (C2) serve in one and two dimensions, quadratic ones (C1, 27 instead of 64 coefficients) in three,
where a finer grid than that of the values makes up for the lower order.
Outside the grid the polynomial of the outermost cell is continued.

Each evaluation is compiled apart from what surrounds it (see `apart`): its look-ups then cost a nanosecond
each, wherever it is used.
"""

import math
import operator
from collections.abc import Iterable, Sequence
from functools import cache, partial, reduce
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float
from numpy.polynomial.polynomial import polyder
from scipy.interpolate import make_interp_spline

from galactions.numerics.apart import apart

End = Literal["free", "even"]
Orders = tuple[int, ...]
"""Of derivatives, along each axis."""


class Axis(eqx.Module):
    """A uniform grid: `n` nodes at `start + step * i`."""

    start: float = eqx.field(static=True)
    step: float = eqx.field(static=True)
    n: int = eqx.field(static=True)

    @classmethod
    def between(cls, start: float, stop: float, n: int) -> "Axis":
        """Grid of `n` nodes from `start` to `stop`, both included."""
        return cls(float(start), float(stop - start) / (n - 1), int(n))

    @property
    def nodes(self) -> np.ndarray:
        """Positions of the nodes, shape (n,)."""
        return self.start + self.step * np.arange(self.n)

    def finer(self, times: int) -> "Axis":
        """Grid with `times` as many steps between the same ends."""
        return Axis(self.start, self.step / times, (self.n - 1) * times + 1)


@cache
def cubic_prefilter(n: int, left: End) -> np.ndarray:
    """Matrix (n + 2, n) from nodal values to cubic B-spline coefficients.

    The end conditions are "free" (third derivative continuous across the first inner node, "not a knot")
    or, on the left, "even" (the function is even about the first node).
    """
    system = np.zeros((n + 2, n + 2))
    for i in range(n):
        system[i, i : i + 3] = (1 / 6, 4 / 6, 1 / 6)
    if left == "even":
        system[n, (0, 2)] = (1, -1)
    else:
        system[n, :5] = (1, -4, 6, -4, 1)
    system[n + 1, -5:] = (1, -4, 6, -4, 1)
    return np.ascontiguousarray(np.linalg.inv(system)[:, :n])


@cache
def _quadratic_prefilter(n: int) -> np.ndarray:
    """Matrix (n + 2, n) from nodal values to node-centred quadratic B-spline coefficients.

    The third difference of the coefficients vanishes at both ends.
    """
    system = np.zeros((n + 2, n + 2))
    for i in range(n):
        system[i, i : i + 3] = (1 / 8, 6 / 8, 1 / 8)
    system[n, :4] = (-1, 3, -3, 1)
    system[n + 1, -4:] = (-1, 3, -3, 1)
    return np.ascontiguousarray(np.linalg.inv(system)[:, :n])


@cache
def _refinement(n: int, finer: int) -> np.ndarray:
    """Matrix ((n - 1) finer + 1, n) from values at n nodes to those of their quintic spline ("not a knot") on
    a grid `finer` times as fine."""
    if finer == 1:
        return np.eye(n)
    nodes = np.arange(n)
    return np.asarray(make_interp_spline(nodes, np.eye(n), k=5)(np.linspace(0, n - 1, (n - 1) * finer + 1)))


WEIGHTS = {
    2: np.array([[1, -4, 4], [6, 0, -8], [1, 4, 4]]) / 8,
    3: np.array([[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]]) / 6,
}
"""B-spline weights by degree: one row for each coefficient that matters, of the powers of the offset `t` from
the cell's left node (cubic) or from the nearest node, -1/2 <= t <= 1/2 (quadratic)."""


def _weights(degree: Literal[2, 3], t: Array, order: int, step: float) -> tuple[Array, ...]:
    """The weights at `t`, or their `order`-th derivative along an axis with this `step`."""
    return tuple(_polynomial(polyder(row, order) / step**order, t) for row in WEIGHTS[degree])


def _polynomial(powers: np.ndarray, t: Array) -> Array:
    *lower, value = (lax.full_like(t, c) for c in powers)
    for c in reversed(lower):
        value = lax.add(lax.mul(value, t), c)
    return value


class _Grid(NamedTuple):
    """What is fixed of an interpolation: the axes, the degree along all of them, and how many functions have
    their coefficients side by side."""

    axes: tuple[Axis, ...]
    degree: Literal[2, 3]
    m: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the coefficients."""
        return *(axis.n + 2 for axis in self.axes), self.m

    def weights(self, x: Sequence[Array], orders: Orders) -> tuple[list[Array], list[tuple[Array, ...]]]:
        """Along each axis: where the coefficients that matter at `x` begin, and their weights."""
        begins, weights = [], []
        for axis, a, order in zip(self.axes, x, orders, strict=True):
            t = (a - axis.start) / axis.step
            nearest, last = (jnp.floor, axis.n - 2) if self.degree == 3 else (jnp.round, axis.n - 1)
            i = jnp.clip(lax.stop_gradient(nearest(t)).astype(jnp.int32), 0, last)
            begins.append(i)
            weights.append(_weights(self.degree, t - i, order, axis.step))
        return begins, weights

    def value(self, function: int, orders: Orders, flat: Array, *x: Array) -> Array:
        """One function, or its derivative, by one look-up of each coefficient: the fastest way forwards.

        In the words of `jax.lax`: the hundred operations of a look-up are traced in every program, and those
        of `jax.numpy` take five times as long to trace.
        """
        begins, weights = self.weights(x, orders)
        strides = [self.m * math.prod(self.shape[k + 1 : -1]) for k in range(len(self.axes))]

        def summed(at: Array, k: int) -> Array:
            if k == len(self.axes):
                return _coefficient(flat, at)
            each = (summed(_shifted(at, p * strides[k]), k + 1) for p in range(self.degree + 1))
            return reduce(lax.add, map(lax.mul, weights[k], each))

        return summed(_sum(i * stride for i, stride in zip(begins, strides, strict=True)) + function, 0)

    def by_windows(self, function: int, orders: Orders, flat: Array, *x: Array) -> Array:
        """The same by one look-up of all coefficients: its transpose, which adds to all of them at once, is
        the faster one."""
        begins, weights = self.weights(x, orders)
        n, width = len(self.axes), self.degree + 1
        corner = jnp.stack([*begins, jnp.full_like(begins[0], function)], axis=-1)
        numbers = lax.GatherDimensionNumbers(
            tuple(range(corner.ndim - 1, corner.ndim + n)), (), tuple(range(n + 1))
        )
        window = lax.gather(
            flat.reshape(self.shape), corner, numbers, (width,) * n + (1,), mode="promise_in_bounds"
        )[..., 0]
        for k, own in enumerate(weights):
            along = [1] * n
            along[k] = width
            window = window * jnp.stack(own, axis=-1).reshape(*begins[0].shape, *along)
        return jnp.sum(window, axis=tuple(range(-n, 0)))


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _value(grid: _Grid, orders: Orders, function: int, flat: Array, *x: Array) -> Array:
    """One function, or its derivative of these orders, at `x`."""
    return apart(partial(grid.value, function, orders), flat, *x)


@partial(_value.defjvp, symbolic_zeros=True)
def _value_jvp(
    grid: _Grid, orders: Orders, function: int, primals: tuple[Array, ...], tangents: tuple[Any, ...]
) -> tuple[Array, Array]:
    """From slopes along the axes, which are the same for all tangents, and the tangent of the coefficients
    interpolated as they are: backwards, nothing is kept but coordinates and slopes. The latter is set apart
    too: what comes back to it would be computed once for every coefficient that it is added to."""
    value = _value(grid, orders, function, *primals)
    d_flat, *d_x = tangents
    tangent = jnp.zeros_like(value)
    along = []
    for k, d in enumerate(d_x):
        raised = tuple(order + (i == k) for i, order in enumerate(orders))
        if not isinstance(d, SymbolicZero) and raised[k] <= grid.degree:
            along.append((_value(grid, raised, function, *primals), d))
    if along:
        tangent += apart(_products, primals[0], *(a for pair in along for a in pair))
    if not isinstance(d_flat, SymbolicZero):
        tangent += apart(
            lambda _, d_flat, *x: grid.by_windows(function, orders, d_flat, *x),
            primals[0],
            d_flat,
            *primals[1:],
        )
    return value, tangent


def _products(_: Array, *factors: Array) -> Array:
    """The sum of the products of each two of the factors."""
    return _sum(a * b for a, b in zip(factors[::2], factors[1::2], strict=True))


@partial(jax.jit, static_argnums=(0, 1))
def _evaluate(grid: _Grid, orders: tuple[Orders, ...], flat: Array, *x: Array) -> list[Array]:
    """All functions of each of the `orders` in turn."""
    return [_value(grid, each, k, flat, *x) for each in orders for k in range(grid.m)]


def _shifted(at: Array, by: int) -> Array:
    return lax.add(at, lax.full_like(at, by)) if by else at


def _coefficient(flat: Array, at: Array) -> Array:
    """Those at these places, which are known to be within bounds and not counted from the end."""
    numbers = lax.GatherDimensionNumbers((), collapsed_slice_dims=(0,), start_index_map=(0,))
    return lax.gather(flat, at[..., None], numbers, (1,), mode="promise_in_bounds")


def _sum(terms: Iterable[Array]) -> Array:
    return reduce(operator.add, terms)


class Spline1D(eqx.Module):
    """Cubic spline of one or several functions of one variable.

    `coefficients` has shape (n + 2, m): `m` functions on the same grid, evaluated together.
    """

    axis: Axis
    coefficients: Float[Array, "n2 m"]

    @classmethod
    def fit(cls, axis: Axis, values: Float[Array, "n *m"], left: End = "free") -> "Spline1D":
        """Spline through `values` at the nodes of `axis`."""
        values = jnp.asarray(values)
        return cls(axis, jnp.asarray(cubic_prefilter(axis.n, left)) @ values.reshape(axis.n, -1))

    def all(self, x: Array, order: int = 0) -> list[Array]:
        """All functions (or their `order`-th derivatives, order <= 2) at `x`: a list of arrays like `x`."""
        m = self.coefficients.shape[1]
        return _evaluate(
            _Grid((self.axis,), 3, m), ((order,),), self.coefficients.reshape(-1), jnp.asarray(x, float)
        )

    def __call__(self, x: Array, order: int = 0) -> Array:
        """The first function at `x`, or its `order`-th derivative."""
        return self.all(x, order)[0]

    def derivatives(self, x: Array, orders: tuple[int, ...]) -> list[Array]:
        """Derivatives of several `orders` (each <= 2) of the only function, at once."""
        grid = _Grid((self.axis,), 3, 1)
        return _evaluate(
            grid, tuple((order,) for order in orders), self.coefficients.reshape(-1), jnp.asarray(x, float)
        )


class Spline2D(eqx.Module):
    """Cubic tensor-product spline of one function of two variables.

    `coefficients` has shape (nx + 2, ny + 2).
    """

    x_axis: Axis
    y_axis: Axis
    coefficients: Float[Array, "nx2 ny2"]

    @classmethod
    def fit(
        cls,
        x_axis: Axis,
        y_axis: Axis,
        values: Float[Array, "nx ny"],
        x_left: End = "free",
        y_left: End = "free",
    ) -> "Spline2D":
        """Spline through `values` at the nodes."""
        coefficients = cubic_prefilter(x_axis.n, x_left) @ values @ cubic_prefilter(y_axis.n, y_left).T
        return cls(x_axis, y_axis, coefficients)

    def __call__(self, x: Array, y: Array, x_order: int = 0, y_order: int = 0) -> Array:
        """Value at (x, y), or the partial derivative of the given orders (each <= 2)."""
        return self.derivatives(x, y, ((x_order, y_order),))[0]

    def derivatives(self, x: Array, y: Array, orders: tuple[tuple[int, int], ...]) -> list[Array]:
        """Several partial derivatives at once, one array for each pair in `orders`."""
        x, y = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(y, float))
        return _evaluate(_Grid((self.x_axis, self.y_axis), 3, 1), orders, self.coefficients.reshape(-1), x, y)


class Spline3D(eqx.Module):
    """Quadratic tensor-product spline of `m` functions of three variables.

    `coefficients` has shape (nx + 2, ny + 2, nz + 2, m).
    """

    x_axis: Axis
    y_axis: Axis
    z_axis: Axis
    coefficients: Float[Array, "nx2 ny2 nz2 m"]

    @classmethod
    def fit(
        cls,
        x_axis: Axis,
        y_axis: Axis,
        z_axis: Axis,
        values: Float[Array, "nx ny nz m"],
        finer_x: int = 1,
    ) -> "Spline3D":
        """Spline through `values` at the nodes.

        finer_x: how many times as fine its own grid is along x, where values between the nodes are those of a
        quintic spline. It then errs like that one, and costs no more to evaluate.
        """
        x_fine = x_axis.finer(finer_x)
        coefficients = jnp.einsum(
            "ai,bj,ck,ijkm->abcm",
            _quadratic_prefilter(x_fine.n) @ _refinement(x_axis.n, finer_x),
            _quadratic_prefilter(y_axis.n),
            _quadratic_prefilter(z_axis.n),
            values,
        )
        return cls(x_fine, y_axis, z_axis, coefficients)

    def __call__(self, x: Array, y: Array, z: Array) -> list[Array]:
        """All functions at (x, y, z): a list of arrays of the broadcast shape."""
        axes = self.x_axis, self.y_axis, self.z_axis
        x, y, z = jnp.broadcast_arrays(*(jnp.asarray(a, float) for a in (x, y, z)))
        return _evaluate(
            _Grid(axes, 2, self.coefficients.shape[3]), ((0, 0, 0),), self.coefficients.reshape(-1), x, y, z
        )
