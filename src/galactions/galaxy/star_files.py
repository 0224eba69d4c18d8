"""Stars streamed to Parquet."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from galactions.errors import ModelError
from galactions.galaxy.sampling import Sampler

if TYPE_CHECKING:
    from galactions.galaxy.model import Galaxy

COLUMNS = ("x", "y", "z", "v_x", "v_y", "v_z")
"""kpc and km/s in the paper's frame."""

Precision = Literal["float64", "float32"]
Progress = Callable[[int], None]


def write_stars(
    galaxy: "Galaxy",
    path: str | Path,
    n: int,
    components: Sequence[str] | None = None,
    seed: int = 0,
    *,
    chunk: int = 1 << 20,
    precision: Precision = "float64",
    progress: Progress | None = None,
) -> None:
    """Write the `n` stars of `Galaxy.sample(n, components, seed)` to a Parquet file, in row groups of `chunk`
    rows: the memory does not grow with n, and the stars do not depend on the chunk.

    The columns are x, y, z (kpc), v_x, v_y, v_z (km/s), all of `precision` "float64" or "float32", and
    `component`, a number, whose names stand in the file's metadata as `galactions.components`. `progress`
    is told the number of stars written so far. The file appears under its name when it is complete. Raises
    `ModelError` for impossible arguments.
    """
    stream(Sampler(galaxy, components), path, n, seed, chunk, precision, progress)


def stream(
    sampler: Sampler,
    path: str | Path,
    n: int,
    seed: int = 0,
    chunk: int = 1 << 20,
    precision: Precision = "float64",
    progress: Progress | None = None,
) -> None:
    """What `write_stars` does, for a sampler that is at hand."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if precision not in ("float64", "float32"):
        raise ModelError(f"precision = {precision!r}: must be float64 or float32")
    final = Path(path)
    if not final.absolute().parent.is_dir():
        raise ModelError(f"{path}: its folder does not exist")
    kind = pa.from_numpy_dtype(np.dtype(precision))
    schema = pa.schema(
        [(name, kind) for name in COLUMNS] + [("component", pa.int8())],
        metadata={"galactions.components": ",".join(sampler.components), "galactions.seed": str(seed)},
    )
    unfinished = final.with_name(final.name + ".part")
    written = 0
    try:
        # Coordinates drawn at random do not compress.
        with pq.ParquetWriter(unfinished, schema, compression="none", use_dictionary=False) as writer:
            for stars in sampler.stars(n, seed, chunk):
                columns = [np.ascontiguousarray(column, precision) for column in stars.xv.T]
                writer.write_table(pa.table([*columns, stars.component], schema=schema))
                written += len(stars.xv)
                if progress is not None:
                    progress(written)
        unfinished.replace(final)
    finally:
        unfinished.unlink(missing_ok=True)
