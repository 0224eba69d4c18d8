"""Fixed points of a step that costs much, x = step(arguments, x), and their derivatives by the implicit
function theorem.

Derivatives do not go back through the steps that led to the fixed point. They solve one linear equation at
it, (1 - d step/dx) dx = d step/d arguments, or backwards its transpose, in the Krylov space of a few vectors:
each costs the derivative of a single step, however many it took to settle. Steps are called one by one, not
traced as a whole, so that they may be programs of their own (`galactions.numerics.program`), side by side.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from galactions.numerics.program import moving, reverse_mode, reversing

Arguments = TypeVar("Arguments")
Tree = TypeVar("Tree")
Column = np.ndarray
Image = Callable[[Column], tuple[Column, Column]]

TOLERANCE = 1e-3
"""Of what the linear equation has on its right, the part that may be left over."""
MAX_VECTORS = 12


def at_fixed_point(
    step: Callable[[Arguments, Tree], Tree], arguments: Arguments, x: Tree, tolerance: float = TOLERANCE
) -> Tree:
    """`x`, with the derivatives by `arguments` of the fixed point of `step(arguments, x)`, which it is.

    x holds no tracers: it is found with `fixed(arguments)`. Derivatives are within about `tolerance`, and no
    better than x is settled. Forwards they are taken by `jax.jvp`, backwards by `jax.vjp` in `reverse_mode`;
    neither within a function that JAX traces as a whole. Where the arguments are not differentiated by, this
    is x.
    """
    if not moving(arguments):
        return x
    leaves, structure = jax.tree.flatten(arguments)
    by = [i for i, leaf in enumerate(leaves) if moving(leaf)]
    settled, rest = eqx.partition(x, eqx.is_inexact_array)

    def stepped(moved: list[Array], inexact: Tree) -> Tree:
        replaced = dict(zip(by, moved, strict=True))
        own = jax.tree.unflatten(structure, [replaced.get(i, leaf) for i, leaf in enumerate(leaves)])
        return eqx.filter(step(own, eqx.combine(inexact, rest)), eqx.is_inexact_array)

    rule = _backwards if reversing() else _forwards
    return eqx.combine(rule(stepped, settled, tolerance)([leaves[i] for i in by]), rest)


def fixed(arguments: Tree) -> Tree:
    """The same numbers, not to be differentiated by."""
    return jax.tree.map(lambda leaf: jax.lax.stop_gradient(leaf) if moving(leaf) else leaf, arguments)


def _forwards(
    stepped: Callable[[list[Array], Tree], Tree], settled: Tree, tolerance: float
) -> Callable[[list[Array]], Tree]:
    size, back = _ravelled_size(settled)

    @jax.custom_jvp
    def result(moved: list[Array]) -> Tree:
        return settled

    @result.defjvp
    def _(primals: tuple[list[Array]], tangents: tuple[list[Array]]) -> tuple[Tree, Tree]:
        (moved,), (along,) = primals, tangents

        def change(by_moved: list[Array], by_x: Tree) -> Column:
            return np.asarray(ravel_pytree(jax.jvp(stepped, (moved, settled), (by_moved, by_x))[1])[0]) / size

        still = jax.tree.map(jnp.zeros_like, along)
        found, _ = solved(
            lambda v: (change(still, back(v * size)), np.zeros(0)),
            change(along, jax.tree.map(jnp.zeros_like, settled)),
            tolerance,
        )
        return settled, back(found * size)

    return result


def _backwards(
    stepped: Callable[[list[Array], Tree], Tree], settled: Tree, tolerance: float
) -> Callable[[list[Array]], Tree]:
    size, back = _ravelled_size(settled)

    @jax.custom_vjp
    def result(moved: list[Array]) -> Tree:
        return settled

    def forward(moved: list[Array]) -> tuple[Tree, Any]:
        with reverse_mode():
            return settled, (jax.vjp(stepped, moved, settled)[1], moved)

    def backward(kept: Any, by_result: Tree) -> tuple[list[Array]]:
        pull, moved = kept
        by_moved = ravel_pytree(moved)[1]

        def image(w: Column) -> tuple[Column, Column]:
            arguments, x = (np.asarray(ravel_pytree(a)[0]) for a in pull(back(w / size)))
            return x * size, arguments

        _, by_arguments = solved(image, np.asarray(ravel_pytree(by_result)[0]) * size, tolerance)
        return (by_moved(jnp.asarray(by_arguments)),)

    result.defvjp(forward, backward)
    return result


def _ravelled_size(tree: Tree) -> tuple[Column, Callable[[Column], Tree]]:
    """The root mean square of each array, for each of its numbers, and the way from a column back to a tree.

    Columns are measured in these sizes: arrays of all units then have a part in what is left over.
    """
    sizes = jax.tree.map(lambda a: jnp.full(a.shape, jnp.sqrt(jnp.mean(a**2)) if a.size else 1.0), tree)
    size, back = ravel_pytree(sizes)
    return np.where(np.asarray(size) > 0, np.asarray(size), 1.0), lambda column: back(jnp.asarray(column))


def solved(image: Image, right: Column, tolerance: float = TOLERANCE) -> tuple[Column, Column]:
    """The solution of x = right + A x in the Krylov space of A, and B x, where `image(x)` is A x and B x.

    The next vector is always what is left over; `right` is the first. (GMRES of Saad & Schultz 1986, with
    vectors whose images under B are then known too.) Ends where less than `tolerance` of `right` is left
    over, at the latest after 12 vectors. Where anything is not finite, nothing of the solution is.
    """
    vectors, images, carried = [right], [], []
    size = np.linalg.norm(right)
    while True:
        taken, told = image(vectors[-1])
        images.append(taken)
        carried.append(told)
        x, columns = np.stack(vectors, axis=1), np.stack(vectors, axis=1) - np.stack(images, axis=1)
        finite = np.all(np.isfinite(columns))
        shares = np.linalg.lstsq(columns, right)[0] if finite else np.full(len(vectors), np.nan)
        left = right - columns @ shares
        norm = np.linalg.norm(left)
        if not norm > tolerance * size or len(vectors) == MAX_VECTORS:
            return x @ shares, np.stack(carried, axis=1) @ shares
        vectors.append(left)
