"""Finished stages kept in a folder, so that a run that was stopped, or the next one, need not do them
again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from galactions.atomic import replacing
from galactions.errors import CatalogueError
from galactions.survey.cutflow import CutFlow
from galactions.survey.table import AnyArray


@dataclass(frozen=True)
class Stage:
    """What a stage leaves: columns (N,) of its stars, the cut flow so far, and how it was made (plain
    values).
    """

    columns: Mapping[str, AnyArray]
    flow: CutFlow
    facts: dict[str, Any]


def digest(key: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that tell keys (plain values) apart."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]


def file_stamp(path: Path) -> list[Any]:
    """What changes when a file does: its name, size and time of change. Raises CatalogueError if it is
    missing.
    """
    try:
        stat = path.stat()
    except OSError:
        raise CatalogueError(f"{path}: no such file") from None
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def kept_or_made(folder: Path | None, name: str, key: Mapping[str, Any], make: Callable[[], Stage]) -> Stage:
    """What `make` gives, from a file of the folder if one was made with the same key (plain values) before.

    The file is written whole or not at all, under the stage's `name` and a number that the key determines;
    one that cannot be read is made again. Without a folder nothing is kept.
    """
    if folder is None:
        return make()
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{name}-{digest(key)}.parquet"
    if path.is_file():
        try:
            table = pq.read_table(path)
            told = json.loads(table.schema.metadata[b"galactions"])
        except (OSError, ValueError, KeyError, TypeError):
            path.unlink()
        else:
            columns = {column: table[column].to_numpy() for column in table.column_names}
            return Stage(columns, CutFlow.from_list(told["cut_flow"]), told["facts"])
    stage = make()
    told = {"cut_flow": stage.flow.to_list(), "facts": stage.facts}
    table = pa.table(dict(stage.columns)).replace_schema_metadata({"galactions": json.dumps(told)})
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return stage
