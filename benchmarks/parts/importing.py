"""`import galactions` in fresh processes."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measured import Measured, measure

TASK = "import galactions"


def figures(folder: Path, repeats: int) -> list[Measured]:
    """The time of a process that imports the package and ends, less that of one that only ends."""

    def process(statement: str) -> None:
        subprocess.run([sys.executable, "-c", statement], check=True, env=os.environ)

    empty, _ = measure("an empty process", lambda: process("pass"), repeats=5)
    found, _ = measure(TASK, lambda: process("import galactions"), repeats=5)
    peak = subprocess.run(
        [sys.executable, "-c", "import galactions; from benchmarks.measured import *; print(peak_memory())"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.first is not None
    assert found.seconds is not None
    assert empty.seconds is not None
    return [
        Measured(
            TASK,
            first=found.first - empty.seconds,
            seconds=found.seconds - empty.seconds,
            peak=float(peak.stdout),
        )
    ]
