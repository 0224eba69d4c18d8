"""Columns to a table file, whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from galactions.atomic import replacing
from galactions.errors import CatalogueError
from galactions.survey.table import AnyArray
from galactions.survey.tables import table_format

_STYLES = {"fits": "fits", "ecsv": "ascii.ecsv", "votable": "votable"}


def write_columns(
    columns: Mapping[str, AnyArray], path: str | Path, units: Mapping[str, str] | None = None
) -> Path:
    """Writes columns (N,) to .fits, .csv, .ecsv, .parquet or .vot, with their units where the format has
    them.

    An existing file is replaced only once the new one is complete. Raises CatalogueError for another ending.
    """
    path, units = Path(path), units or {}
    kind = table_format(path)
    with replacing(path) as temporary:
        if kind in ("parquet", "csv"):
            import pyarrow as pa

            table = pa.table(dict(columns))
            if kind == "csv":
                import pyarrow.csv as pc

                pc.write_csv(table, temporary)
            else:
                import pyarrow.parquet as pq

                unit_of = {name.encode(): unit.encode() for name, unit in units.items()}
                pq.write_table(table.replace_schema_metadata(unit_of), temporary)
        elif kind in _STYLES:
            from astropy.table import Table

            out = Table(dict(columns))
            for name in out.colnames:
                if units.get(name) not in (None, "", "dex"):  # dex is a unit to neither FITS nor VOTable
                    out[name].unit = units[name]
            out.write(temporary, format=_STYLES[kind])
        else:
            raise CatalogueError(f"{path}: a catalogue is written as .fits, .csv, .ecsv, .parquet or .vot")
    return path
