"""Independent programs run side by side.

One program on all cores is hardly faster than on one: its operations are too short to be worth sharing out.
Two programs, each from a thread of its own, are. Where JAX has several devices (GPUs) they go to these in
turn, unless `jax_default_device` names one.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import cycle
from typing import Any, TypeVar

import jax

from galactions.numerics.program import moving, reverse_mode, traced

Result = TypeVar("Result")
Tree = TypeVar("Tree")

PIECES = 2
"""Programs that work which could be cut anywhere is shared out to. The same number on every machine:
compilers may round pieces of another size differently."""

_here = threading.local()


def together(function: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> list[Result]:
    """`function` of each of the `arguments`, in their order. Raises what the first of them that fails does.

    Where JAX traces, and within one of such calls, they are made one after another. In `reverse_mode` their
    ways back are side by side as well.
    """
    each = list(arguments)
    if len(each) == 1 or traced(each) or getattr(_here, "busy", False):
        return [function(*own) for own in each]
    if moving(each):
        return _reversible(function, each)
    return _at_once(function, each)


def _reversible(function: Callable[..., Result], each: list[tuple[Any, ...]]) -> list[Result]:
    """The same for arguments some of which are to be differentiated by."""
    flat = [jax.tree.flatten(own) for own in each]
    fixed = [(structure, [None if moving(leaf) else leaf for leaf in leaves]) for leaves, structure in flat]

    def calls(all_moved: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
        return ((*own, moved) for own, moved in zip(fixed, all_moved, strict=True))

    def of(structure: Any, leaves: list[Any], moved: list[Any]) -> Result:
        replaced = iter(moved)
        return function(
            *jax.tree.unflatten(structure, [next(replaced) if leaf is None else leaf for leaf in leaves])
        )

    def linearized(structure: Any, leaves: list[Any], moved: list[Any]) -> tuple[Result, Any]:
        with reverse_mode():
            return jax.vjp(partial(of, structure, leaves), moved)

    def pulled(back: Any, by_result: Any) -> list[Any]:
        (by_moved,) = back(by_result)
        return by_moved

    def results(all_moved: list[list[Any]]) -> list[Result]:
        return _at_once(of, calls(all_moved))

    def forward(all_moved: list[list[Any]]) -> tuple[list[Result], list[Any]]:
        found = _at_once(linearized, calls(all_moved))
        return [result for result, _ in found], [back for _, back in found]

    def backward(backs: list[Any], by_results: list[Any]) -> tuple[list[list[Any]]]:
        return (_at_once(pulled, zip(backs, by_results, strict=True)),)

    reversible = jax.custom_vjp(results)
    reversible.defvjp(forward, backward)
    return reversible([[leaf for leaf in leaves if moving(leaf)] for leaves, _ in flat])


def _at_once(function: Callable[..., Any], each: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The calls by threads, on the devices in turn; what they give, on the first of these."""
    chosen = jax.config.values["jax_default_device"]
    devices = jax.local_devices() if chosen is None else []
    if len(devices) < 2:
        waiting = [_threads(PIECES).submit(_ended, function, own, chosen) for own in each]
        return [future.result() for future in waiting]
    threads = _threads(max(PIECES, len(devices)))
    placed = ((_placed(own, device), device) for own, device in zip(each, cycle(devices), strict=False))
    waiting = [threads.submit(_ended, function, own, device) for own, device in placed]
    return [_placed(future.result(), devices[0]) for future in waiting]


def _ended(function: Callable[..., Result], own: tuple[Any, ...], device: jax.Device | str | None) -> Result:
    _here.busy = True
    try:
        with jax.default_device(device):
            return jax.block_until_ready(function(*own))
    finally:
        _here.busy = False


def _placed(values: Tree, device: jax.Device) -> Tree:
    """With all arrays on the device."""
    return jax.tree.map(
        lambda leaf: jax.device_put(leaf, device) if isinstance(leaf, jax.Array) else leaf, values
    )


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="galactions")
