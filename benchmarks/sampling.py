"""Stars drawn from a model and written to Parquet."""

import tempfile
import time
from pathlib import Path

import galactions as ga
from benchmarks.timing import Row
from galactions.galaxy.sampling import Sampler
from galactions.galaxy.star_files import stream

N = 2_000_000


def rows(galaxy: ga.Galaxy) -> list[Row]:
    """The majorants of both discs, and the stars written with them; the note says what 3e8 would take."""
    started = time.perf_counter()
    sampler = Sampler(galaxy)
    made = time.perf_counter() - started
    sampler.sample(1000)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        stream(sampler, Path(folder) / "stars.parquet", N)
        seconds = time.perf_counter() - started
    note = f"3e8 in {3e8 / N * seconds / 60:.3g} min"
    return [
        Row("sampling: majorants of both discs", None, made),
        Row(f"sampling: {N:.0e} stars to Parquet", None, seconds, seconds / N, note),
    ]
