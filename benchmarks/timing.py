"""How a time is taken, and how one is shown."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax


@dataclass(frozen=True)
class Row:
    """One line of the table: the task, its time (s; the first call with its compilation, and the best of the
    later ones), what it is compared with, and its error.
    """

    task: str
    first: float | None
    best: float
    per_star: float | None = None
    note: str = ""
    error: str = ""


def timed(task: Callable[[], Any], repeats: int = 2) -> tuple[float, float, Any]:
    """(seconds of the first call, best of `repeats` more, last result); waits for JAX to finish."""
    seconds = []
    result = None
    for _ in range(1 + repeats):
        started = time.perf_counter()
        result = jax.block_until_ready(task())
        seconds.append(time.perf_counter() - started)
    return seconds[0], min(seconds[1:]), result


def shown(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
