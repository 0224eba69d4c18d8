"""One part of the benchmark in a process of its own: `python -m benchmarks.worker PART FOLDER REPEATS`.

The memory that it tells is then that of the part, and its first calls are those of a fresh process. What was
measured is the last line of the output, as JSON. FOLDER is where parts of one run share a built galaxy.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from benchmarks.measured import Measured


def run_part(
    part: str, folder: Path, repeats: int, cache: Path, platforms: str
) -> tuple[list[Measured], str]:
    """What the module `benchmarks.PART` measures, with compiled code kept in `cache`, on the first of JAX's
    `platforms`; or nothing, and the reason why, where it fails.
    """
    asked = [sys.executable, "-m", "benchmarks.worker", part, str(folder), str(repeats)]
    done = subprocess.run(asked, capture_output=True, text=True, env=_environment(cache, platforms))
    if done.returncode:
        return [], (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
    return [Measured(**table) for table in json.loads(done.stdout.splitlines()[-1])], ""


def _environment(cache: Path, platforms: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    return kept | {"GALACTIONS_CACHE": str(cache), "JAX_PLATFORMS": platforms}


def main() -> None:
    part, folder, repeats = sys.argv[1:]
    found = import_module(f"benchmarks.{part}").figures(Path(folder), int(repeats))
    print(json.dumps([one.as_json() for one in found]))


if __name__ == "__main__":
    main()
