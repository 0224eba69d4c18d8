"""Matched stars kept in a folder, so that the next run, or one that was stopped later on, need not match
again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from galactions.errors import CatalogueError
from galactions.survey.atomic import replacing
from galactions.survey.cutflow import CutFlow
from galactions.survey.table import StarTable

Matched = tuple[StarTable, CutFlow, dict[str, Any]]


def file_stamp(path: Path) -> list[Any]:
    """What changes when a file does: its name, size and time of change. Raises CatalogueError if it is
    missing.
    """
    try:
        stat = path.stat()
    except OSError:
        raise CatalogueError(f"{path}: no such file") from None
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def kept_or_made(folder: Path, key: Mapping[str, Any], make: Callable[[], Matched]) -> Matched:
    """What `make` gives, from a file of the folder if one was made with the same key (plain values) before.

    The file is written whole or not at all, under a name that the key determines; one that cannot be read is
    made again.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    path = folder / f"matched-{digest[:16]}.parquet"
    if path.is_file():
        try:
            table = pq.read_table(path)
            told = json.loads(table.schema.metadata[b"galactions"])
        except (OSError, ValueError, KeyError, TypeError):
            path.unlink()
        else:
            columns = {name: table[name].to_numpy() for name in table.column_names}
            return StarTable(columns), CutFlow.from_list(told["cut_flow"]), told["facts"]
    stars, flow, facts = make()
    told = {"cut_flow": flow.to_list(), "facts": facts}
    table = pa.table(dict(stars.columns)).replace_schema_metadata({"galactions": json.dumps(told)})
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return stars, flow, facts
