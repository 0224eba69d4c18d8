"""Interpolation on uniform grids by B-splines, in one, two and three dimensions.

A spline is stored by its coefficients; fitting them to nodal values is a fixed linear map (a small dense
matrix per axis, made once per grid size), so that fitting and evaluating are both differentiable. Cubic
splines (C2) serve in one and two dimensions, quadratic ones (C1, 27 instead of 64 coefficients) in three.
Outside the grid the polynomial of the outermost cell is continued.

Each evaluation is compiled apart from what surrounds it (see `apart`): its look-ups then cost a nanosecond
each, wherever it is used.
"""

import operator
from collections.abc import Callable, Iterable
from functools import cache, partial, reduce
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

End = Literal["free", "even"]


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


@cache
def _cubic_prefilter(n: int, left: End) -> np.ndarray:
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


def _cubic_weights(t: Any, order: int) -> tuple[Any, ...]:
    """The four cubic B-spline weights at cell coordinate `t`, or their `order`-th derivative."""
    if order == 0:
        s = 1 - t
        return s * s * s / 6, (t * t * (3 * t - 6) + 4) / 6, (s * s * (3 * s - 6) + 4) / 6, t * t * t / 6
    if order == 1:
        s = 1 - t
        return -s * s / 2, t * (3 * t - 4) / 2, -s * (3 * s - 4) / 2, t * t / 2
    return 1 - t, 3 * t - 2, 1 - 3 * t, t


def _quadratic_weights(t: Array) -> tuple[Array, ...]:
    """The three quadratic B-spline weights at offset `t` from the nearest node, -1/2 <= t <= 1/2."""
    return (0.5 - t) ** 2 / 2, 0.75 - t * t, (0.5 + t) ** 2 / 2


def _cell(axis: Axis, x: Array) -> tuple[Array, Array]:
    t = (x - axis.start) / axis.step
    i = jnp.clip(jax.lax.stop_gradient(jnp.floor(t)).astype(jnp.int32), 0, axis.n - 2)
    return i, t - i


def _nearest(axis: Axis, x: Array) -> tuple[Array, Array]:
    t = (x - axis.start) / axis.step
    i = jnp.clip(jax.lax.stop_gradient(jnp.round(t)).astype(jnp.int32), 0, axis.n - 1)
    return i, t - i


def _gather(flat: Array, index: Array) -> Array:
    return flat.at[index].get(mode="promise_in_bounds")


def apart(function: Callable[..., Array], flat: Array, *coordinates: Array) -> Array:
    """`function(flat, *coordinates)`, an array like the coordinates, compiled by itself.

    A compiler that may merge the look-ups with the making of the coordinates does so once for every look-up,
    which doubles the time of a run and triples that of the compilation. The branch of a condition is where
    it must not: this one holds for all coefficients that are finite, others give NaN. One array from each
    branch: look-ups that two results shared would be written to memory one by one.
    """
    shape = jax.eval_shape(function, flat, *coordinates)

    def nothing(*_: Array) -> Array:
        return jnp.full(shape.shape, jnp.nan, shape.dtype)

    return jax.lax.cond(jnp.abs(flat[0]) < jnp.inf, function, nothing, flat, *coordinates)


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
        return cls(axis, jnp.asarray(_cubic_prefilter(axis.n, left)) @ values.reshape(axis.n, -1))

    def all(self, x: Array, order: int = 0) -> list[Array]:
        """All functions (or their `order`-th derivatives, order <= 2) at `x`: a list of arrays like `x`."""
        m = self.coefficients.shape[1]
        return _evaluate_1d(self.axis, m, (order,), self.coefficients.reshape(-1), jnp.asarray(x, float))

    def __call__(self, x: Array, order: int = 0) -> Array:
        """The first function at `x`, or its `order`-th derivative."""
        return self.all(x, order)[0]

    def derivatives(self, x: Array, orders: tuple[int, ...]) -> list[Array]:
        """Derivatives of several `orders` (each <= 2) of the only function, at once."""
        return _evaluate_1d(self.axis, 1, orders, self.coefficients.reshape(-1), jnp.asarray(x, float))


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
        coefficients = _cubic_prefilter(x_axis.n, x_left) @ values @ _cubic_prefilter(y_axis.n, y_left).T
        return cls(x_axis, y_axis, coefficients)

    def __call__(self, x: Array, y: Array, x_order: int = 0, y_order: int = 0) -> Array:
        """Value at (x, y), or the partial derivative of the given orders (each <= 2)."""
        return self.derivatives(x, y, ((x_order, y_order),))[0]

    def derivatives(self, x: Array, y: Array, orders: tuple[tuple[int, int], ...]) -> list[Array]:
        """Several partial derivatives at once, one array for each pair in `orders`."""
        x, y = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(y, float))
        return _evaluate_2d(self.x_axis, self.y_axis, orders, self.coefficients.reshape(-1), x, y)


class Spline3D(eqx.Module):
    """Quadratic tensor-product spline of `m` functions of three variables.

    `coefficients` has shape (nx + 2, ny + 2, nz + 2, m).
    """

    x_axis: Axis
    y_axis: Axis
    z_axis: Axis
    coefficients: Float[Array, "nx2 ny2 nz2 m"]

    @classmethod
    def fit(cls, x_axis: Axis, y_axis: Axis, z_axis: Axis, values: Float[Array, "nx ny nz m"]) -> "Spline3D":
        """Spline through `values` at the nodes."""
        coefficients = jnp.einsum(
            "ai,bj,ck,ijkm->abcm",
            _quadratic_prefilter(x_axis.n),
            _quadratic_prefilter(y_axis.n),
            _quadratic_prefilter(z_axis.n),
            values,
        )
        return cls(x_axis, y_axis, z_axis, coefficients)

    def __call__(self, x: Array, y: Array, z: Array) -> list[Array]:
        """All functions at (x, y, z): a list of arrays of the broadcast shape."""
        axes = self.x_axis, self.y_axis, self.z_axis
        x, y, z = jnp.broadcast_arrays(*(jnp.asarray(a, float) for a in (x, y, z)))
        return _evaluate_3d(axes, self.coefficients.shape[3], self.coefficients.reshape(-1), x, y, z)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _evaluate_1d(axis: Axis, m: int, orders: tuple[int, ...], flat: Array, x: Array) -> list[Array]:
    """All `m` functions of each order in turn."""

    def evaluated(order: int, k: int, flat: Array, x: Array) -> Array:
        i, t = _cell(axis, x)
        weights = _cubic_weights(t, order)
        return axis.step**-order * _sum(w * _gather(flat, (i + p) * m + k) for p, w in enumerate(weights))

    return [apart(partial(evaluated, order, k), flat, x) for order in orders for k in range(m)]


@partial(jax.jit, static_argnums=(0, 1, 2))
def _evaluate_2d(
    x_axis: Axis, y_axis: Axis, orders: tuple[tuple[int, int], ...], flat: Array, x: Array, y: Array
) -> list[Array]:
    def evaluated(x_order: int, y_order: int, flat: Array, x: Array, y: Array) -> Array:
        i, t = _cell(x_axis, x)
        j, u = _cell(y_axis, y)
        x_weights, y_weights = _cubic_weights(t, x_order), _cubic_weights(u, y_order)
        first = i * (y_axis.n + 2) + j
        value = _sum(
            xw * _sum(yw * _gather(flat, first + (p * (y_axis.n + 2) + q)) for q, yw in enumerate(y_weights))
            for p, xw in enumerate(x_weights)
        )
        return x_axis.step**-x_order * y_axis.step**-y_order * value

    return [apart(partial(evaluated, *order), flat, x, y) for order in orders]


@partial(jax.jit, static_argnums=(0, 1))
def _evaluate_3d(
    axes: tuple[Axis, Axis, Axis], m: int, flat: Array, x: Array, y: Array, z: Array
) -> list[Array]:
    ny, nz = axes[1].n + 2, axes[2].n + 2

    def evaluated(function: int, flat: Array, x: Array, y: Array, z: Array) -> Array:
        (i, t), (j, u), (k, w) = (_nearest(axis, a) for axis, a in zip(axes, (x, y, z), strict=True))
        x_weights, y_weights, z_weights = (_quadratic_weights(a) for a in (t, u, w))
        first = ((i * ny + j) * nz + k) * m + function
        return _sum(
            xw
            * yw
            * _sum(zw * _gather(flat, first + ((p * ny + q) * nz + r) * m) for r, zw in enumerate(z_weights))
            for p, xw in enumerate(x_weights)
            for q, yw in enumerate(y_weights)
        )

    return [apart(partial(evaluated, function), flat, x, y, z) for function in range(m)]


def _sum(terms: Iterable[Array]) -> Array:
    return reduce(operator.add, terms)
