"""Independent programs run side by side.

One program on all cores is hardly faster than on one: its operations are too short to be worth sharing out.
Two programs, each from a thread of its own, are.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import jax

from galactions.numerics.program import traced

Result = TypeVar("Result")

PIECES = 2
"""Programs that work which could be cut anywhere is shared out to. The same number on every machine:
compilers may round pieces of another size differently."""

_here = threading.local()


def together(function: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> list[Result]:
    """`function` of each of the `arguments`, in their order. Raises what the first of them that fails does.

    Where JAX traces, and within one of such calls, they are made one after another.
    """
    each = list(arguments)
    if len(each) == 1 or traced(each) or getattr(_here, "busy", False):
        return [function(*own) for own in each]
    waiting = [_threads().submit(_ended, function, own) for own in each]
    return [future.result() for future in waiting]


def _ended(function: Callable[..., Result], own: tuple[Any, ...]) -> Result:
    _here.busy = True
    try:
        return jax.block_until_ready(function(*own))
    finally:
        _here.busy = False


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PIECES, thread_name_prefix="galactions")
