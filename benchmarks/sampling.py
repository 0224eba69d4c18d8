"""Stars drawn from a model and written to Parquet.

python -m benchmarks.sampling 300000000        as many stars of both discs, in single precision
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.measured import Measured, measure, peak_memory
from benchmarks.parts.model import settled_galaxy
from galactions.galaxy.sampling import Sampler
from galactions.galaxy.star_files import stream

TASK = "stars of both discs"
N = 2_000_000


def figures(folder: Path, repeats: int) -> list[Measured]:
    """The majorants of both discs, made once; and stars drawn and written with them."""
    galaxy = settled_galaxy(folder)
    made, sampler = measure("majorants of both discs, once a model", lambda: Sampler(galaxy), repeats=0)
    path = folder / "stars.parquet"
    drawn, _ = measure(TASK, lambda: stream(sampler, path, N), min(repeats, 1), size=N, unit="star")
    path.unlink()
    if drawn.each:
        drawn = replace(drawn, error=f"none: exact draws; 3e8 would take {3e8 * drawn.each / 60:.3g} min")
    return [made, drawn]


def main() -> None:
    n = int(float(sys.argv[1]))
    with tempfile.TemporaryDirectory() as name:
        galaxy = settled_galaxy(Path(name))
        began, began_cpu = time.perf_counter(), time.process_time()
        stream(Sampler(galaxy), Path(name) / "stars.parquet", n, precision="float32")
        seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    print(f"{n:,d} stars: {seconds:.0f} s, {cpu:.0f} s CPU, {peak_memory() or 0:.2f} GiB")


if __name__ == "__main__":
    main()
