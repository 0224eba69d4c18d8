"""Stars streamed to Parquet."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from galactions.errors import ModelError
from galactions.galaxy.sampling import Sampler

COLUMNS = ("x", "y", "z", "v_x", "v_y", "v_z")
"""kpc and km/s in the paper's frame."""


def write_stars(
    sampler: Sampler,
    path: str | Path,
    n: int,
    seed: int = 0,
    chunk: int = 1 << 20,
    precision: str = "float64",
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `n` stars to a Parquet file, in row groups of `chunk` rows: the memory does not grow with n.

    The columns are x, y, z (kpc), v_x, v_y, v_z (km/s), all of `precision` "float64" or "float32", and
    `component` (a number, whose names stand in the file's metadata as `galactions.components`). The stars
    are those of `Galaxy.sample(n, components, seed)`, whatever the chunk. `progress` is told the number of
    stars written so far. The file appears under its name when it is complete. Raises `ModelError` for
    impossible arguments.
    """
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
