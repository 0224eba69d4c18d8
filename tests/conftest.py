"""What all tests share."""

import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import galactions as ga

LARGE = 2500
"""MB; a process of this size gives back what it can before it goes on to the next file of tests."""


def resident() -> float:
    """Memory of this process in MB; 0 where there is no /proc to ask."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def give_back() -> None:
    """Has the C library return freed memory to the system, where it is one that can."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


@pytest.fixture(scope="module", autouse=True)
def _size_of_the_process() -> Iterator[None]:
    """Compiling leaves gigabytes that are free but not returned, and compiled programs that no later file
    may need: they are loaded again from the cache on disk where one does.
    """
    yield
    if resident() > LARGE:
        give_back()
    if resident() > LARGE:
        jax.clear_caches()
        give_back()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` (reference values, real survey files): `GALACTIONS_SHARED`, or beside the
    checkout.
    """
    named = os.environ.get("GALACTIONS_SHARED")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(
            f"needs the folder 'shared' of reference data; looked at {folder} (set GALACTIONS_SHARED)"
        )
    return folder


@pytest.fixture(scope="session")
def reference(shared) -> dict[str, np.ndarray]:
    """Reference values of the model Mc17a, by name; their meanings stand in the README beside them."""
    path = shared / "reference" / "Mc17a.npz"
    if not path.is_file():
        pytest.skip(f"needs the reference values {path}")
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(scope="session")
def initial():
    """The model Mc17a before any iteration."""
    return ga.build("Mc17a", iterations=0)


@pytest.fixture(scope="session")
def settled():
    """The model Mc17a after five iterations, as many as the reference has."""
    return ga.build("Mc17a", iterations=5)


@pytest.fixture(scope="session")
def printed_on_devices() -> Callable[[Path, int], Any]:
    """What a program prints, as JSON, in a process where JAX makes so many devices of the processor."""

    def printed(program: Path, count: int) -> Any:
        done = subprocess.run(
            [sys.executable, str(program)],
            env={**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"},
            check=True,
            capture_output=True,
        )
        return json.loads(done.stdout)

    return printed
