"""What each of several workers on one machine gets of it: cores of its own, and a GPU where there is one.

Programs of a process use all cores that it may run on. Processes that share cores get in each other's way: a
program waits for its slowest part, and that for a core that another process holds.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from distributed import WorkerPlugin

Item = TypeVar("Item")

DRIVER = Path("/proc/driver/nvidia/gpus")
"""A folder for each GPU that NVIDIA's driver has found."""


@dataclass(frozen=True)
class Shares(WorkerPlugin):
    """Confines each of so many `workers`, which are named 0, 1, ..., to its share of cores and GPUs (numbers,
    those of GPUs as CUDA_VISIBLE_DEVICES has them)."""

    workers: int
    cores: tuple[int, ...]
    gpus: tuple[str, ...]

    @classmethod
    def of_this_process(cls, workers: int) -> "Shares":
        """The cores and GPUs that this process may use, for so many workers."""
        known = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
        return cls(workers, tuple(sorted(known)), visible_gpus())

    def setup(self, worker: Any) -> None:
        """Called by Dask in each worker as it starts, before JAX asks what there is."""
        number = int(worker.name)
        if own := share(self.cores, number, self.workers):
            for thread in Path("/proc/self/task").iterdir():
                with suppress(ProcessLookupError):  # it has ended since
                    os.sched_setaffinity(int(thread.name), own)
            # JAX rounds sums by the number of its threads: as many as in a process that has all the cores, so
            # that results are the same bits.
            os.environ.setdefault("NPROC", str(len(self.cores)))
        if own_gpus := share(self.gpus, number, self.workers):
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(own_gpus)
            # A process takes three quarters of the memory of its GPU otherwise, which others may be on.
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def share(items: Sequence[Item], number: int, workers: int) -> tuple[Item, ...]:
    """The items of worker `number`: as many as of any other, up to one. Where there are more workers than
    items, one each, which several of them share."""
    if not items:
        return ()
    if len(items) < workers:
        return (items[number % len(items)],)
    first, last = (k * len(items) // workers for k in (number, number + 1))
    return tuple(items[first:last])


def visible_gpus() -> tuple[str, ...]:
    """NVIDIA's GPUs that programs of this process may use: those of CUDA_VISIBLE_DEVICES, else all."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return tuple(name.strip() for name in told.split(",") if name.strip())
    return tuple(str(k) for k in range(len(list(DRIVER.iterdir())))) if DRIVER.is_dir() else ()
