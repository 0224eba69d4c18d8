"""What was measured of one task, and how: wall and CPU time, and peak memory."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

BEGAN = time.perf_counter()
"""When a process of the benchmark began: this is the first module that it reads."""

Result = TypeVar("Result")

OURS = "galactions"
LEAST = 1.0
"""Seconds that the repeated calls of a quick task take together, at least."""
MOST_REPEATS = 20


@dataclass(frozen=True)
class Measured:
    """Times (s) and peak memory (GiB) of a task.

    task: what is done; program: by which; size and unit: how many of what one call does (0: nothing that is
    counted). first: the first call, with its compilation; seconds: the best of later calls, None where there
    are none; cpu: time of all threads in the latter, or in the only call. peak: the largest resident memory
    of the process by then, device_peak: that on the accelerator, where there is one. growth: how many times
    the work of the task's smallest size, 0 where it is measured at one size alone. error: in words.
    """

    task: str
    program: str = OURS
    first: float | None = None
    seconds: float | None = None
    cpu: float | None = None
    size: int = 0
    unit: str = ""
    peak: float | None = None
    device_peak: float | None = None
    growth: int = 0
    error: str = ""

    @property
    def each(self) -> float | None:
        """Seconds for each of `size`."""
        return self.seconds / self.size if self.seconds is not None and self.size else None

    @property
    def key(self) -> str:
        """The task and, where it is measured at several sizes, which one it is."""
        return f"{self.task}, x{self.growth}" if self.growth else self.task

    def as_json(self) -> dict[str, Any]:
        """A table of plain values, from which `Measured(**table)` makes the same again."""
        return asdict(self)


def measure(
    task: str, function: Callable[[], Result], repeats: int = 2, **about: Any
) -> tuple[Measured, Result]:
    """Calls a function once and `repeats` times more (quick ones more often), waits for JAX each time, and
    returns what was measured together with the last result. `about` are further fields of `Measured`.
    """
    first, cpu, result = _call(function)
    seconds: float | None = None
    spent, calls = 0.0, 0
    while calls < repeats or (repeats and spent < LEAST and calls < MOST_REPEATS):
        wall, used, result = _call(function)
        spent, calls = spent + wall, calls + 1
        if seconds is None or wall < seconds:
            seconds, cpu = wall, used
    peaks = {"peak": peak_memory(), "device_peak": device_memory()}
    return Measured(task, first=first, seconds=seconds, cpu=cpu, **peaks, **about), result


def _call(function: Callable[[], Result]) -> tuple[float, float, Result]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    if "jax" in sys.modules:
        sys.modules["jax"].block_until_ready(result)
    return time.perf_counter() - wall, time.process_time() - cpu, result


def peak_memory() -> float | None:
    """Largest resident memory of this process so far, GiB; None where the system does not tell."""
    try:
        # What getrusage tells is inherited from the process that started this one.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**20
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / (2**30 if sys.platform == "darwin" else 2**20)


def device_memory() -> float | None:
    """Largest memory used on the accelerator so far, GiB; None without one."""
    if "jax" not in sys.modules:
        return None
    device = sys.modules["jax"].devices()[0]
    stats = device.memory_stats() if device.platform != "cpu" else None
    return stats["peak_bytes_in_use"] / 2**30 if stats else None
