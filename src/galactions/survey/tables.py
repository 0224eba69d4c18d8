"""Columns of a table file as plain arrays: FITS, CSV, whitespace tables, Parquet, ECSV, VOTable."""

import difflib
import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.progress import Share, untold

SUFFIXES = {
    ".fits": "fits", ".fit": "fits", ".csv": "csv", ".tsv": "csv", ".dat": "whitespace", ".txt": "whitespace",
    ".parquet": "parquet", ".pq": "parquet", ".ecsv": "ecsv", ".vot": "votable", ".xml": "votable",
}  # fmt: skip
"""Formats by the ending of a file's name; any of the text formats and FITS may carry .gz after it."""

AnyArray = npt.NDArray[Any]


def table_format(path: Path) -> str:
    """The format that a file's name stands for. Raises CatalogueError for an ending that is not known."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    ending = suffixes[-1] if suffixes else ""
    if ending not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise CatalogueError(f"{path}: a name ending in {ending or 'nothing'!r}; known endings are {known}")
    return SUFFIXES[ending]


NO_ID = -1
"""Stands for "no identifier" in a column of integers that must stay exact."""


def read_columns(
    path: str | Path,
    names: Iterable[str],
    optional: Iterable[str] = (),
    exact: Iterable[str] = (),
    share: Share = untold,
) -> dict[str, AnyArray]:
    """The named columns of a file, in its own units and types; masked or empty numbers are NaN.

    A name in `optional` that the file lacks is left out. Integers of the columns in `exact` (identifiers,
    which a float would round) stay integers, with `NO_ID` where there is none. `share` is told how much is
    read (of FITS and Parquet, which are read column by column). Raises CatalogueError for a file that is
    missing or broken, and for missing columns (naming them, those that come close, and those that are there).
    """
    path = Path(path)
    if not path.is_file():
        raise CatalogueError(f"{path}: no such file")
    kind = table_format(path)
    if kind in ("csv", "whitespace", "ecsv") and path.suffix.lower() != ".gz":
        _check_end(path)
    wanted = list(dict.fromkeys(names))
    reader = {"fits": _fits, "csv": _csv, "whitespace": _whitespace, "parquet": _parquet}.get(kind, _astropy)
    try:
        there, columns = reader(path, wanted, frozenset(exact), share)
    except CatalogueError:
        raise
    except Exception as error:  # each reader has its own errors, all of which mean that the file is broken
        detail = " ".join(str(error).split())[:300]
        raise CatalogueError(f"{path}: cannot be read as {kind}: {type(error).__name__}: {detail}") from error
    if missing := [name for name in wanted if name not in columns and name not in set(optional)]:
        raise CatalogueError(_missing_text(path, missing, there))
    lengths = {len(column) for column in columns.values()}
    if lengths and lengths != {0} and len(lengths) == 1:
        return columns
    raise CatalogueError(f"{path}: the table has no rows")


def _check_end(path: Path) -> None:
    """Raises CatalogueError for a text file that ends within a line: nothing else tells that it was cut off,
    and the last number of what is left may be another one.
    """
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return  # empty: the reader says so
        file.seek(-1, 2)
        if file.read(1) not in (b"\n", b"\r"):
            raise CatalogueError(
                f"{path}: the file ends within a line: it is cut off (if it is not, put a newline at its end)"
            )


def _missing_text(path: Path, missing: list[str], there: list[str]) -> str:
    parts = []
    for name in missing:
        lowered = {t.lower(): t for t in there}
        close = [lowered[c] for c in difflib.get_close_matches(name.lower(), lowered, n=1)]
        parts.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    shown = ", ".join(there[:60]) + (", ..." if len(there) > 60 else "")
    return f"{path}: no column {', '.join(parts)}; the file has {shown or 'no columns'}"


Exact = frozenset[str]


def _plain(column: Any, exact: bool) -> AnyArray:
    """A numpy array in the machine's byte order; masked numbers as NaN (`NO_ID` in an exact column)."""
    mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
    array = np.asarray(column.filled() if mask is not None else column)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return _blank(array, mask, exact) if mask is not None and mask.any() else array


def _blank(array: AnyArray, mask: AnyArray, exact: bool) -> AnyArray:
    """The array with "no value" where the mask is true; columns of text are left as they are."""
    if array.dtype.kind not in "iufb":
        return array
    if exact and array.dtype.kind in "iu":
        return np.where(mask, NO_ID, array.astype(np.int64))
    return np.where(mask, np.nan, array.astype(np.float64))


def _in_turn(names: list[str], share: Share) -> Iterator[str]:
    """The names one after the other; `share` is told after each."""
    for number, name in enumerate(names, start=1):
        yield name
        share(number / len(names))


def _check_stream(path: Path) -> None:
    """Raises EOFError for a compressed file that is cut off."""
    with gzip.open(path) as file:
        while file.read(1 << 24):
            pass


def _fits(path: Path, wanted: list[str], exact: Exact, share: Share) -> tuple[list[str], dict[str, AnyArray]]:
    import warnings

    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", AstropyUserWarning)  # a truncated file is only warned about
        with fits.open(path, memmap=path.suffix.lower() != ".gz") as hdus:
            tables = [h for h in hdus if isinstance(h, fits.BinTableHDU | fits.TableHDU)]
            if not tables and path.suffix.lower() == ".gz":
                _check_stream(path)  # astropy takes what there is of it for the whole
            if not tables:
                raise CatalogueError(f"{path}: the FITS file holds no table")
            there = list(tables[0].columns.names)
            columns = {}
            for name in _in_turn([n for n in wanted if n in there], share):
                array = _plain(np.array(tables[0].data[name]), name in exact)
                null = tables[0].columns[name].null
                if null is not None and array.dtype.kind in "iu":
                    array = _blank(array, array == int(null), name in exact)
                columns[name] = array
    return there, columns


def _arrow(table: Any, exact: Exact) -> dict[str, AnyArray]:
    import pyarrow as pa

    columns: dict[str, AnyArray] = {}
    for name in table.column_names:
        column = table[name]
        if column.null_count and pa.types.is_integer(column.type):
            column = column.fill_null(NO_ID) if name in exact else column.cast(pa.float64(), safe=False)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            columns[name] = np.asarray(column.fill_null("").to_pylist(), dtype=str)
        else:
            columns[name] = np.array(column.to_numpy())
    return columns


def _parquet(
    path: Path, wanted: list[str], exact: Exact, share: Share
) -> tuple[list[str], dict[str, AnyArray]]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    there = [field.name for field in file.schema_arrow]
    columns: dict[str, AnyArray] = {}
    for name in _in_turn([n for n in wanted if n in there], share):
        columns |= _arrow(file.read(columns=[name]), exact)
    return there, columns


def _csv(path: Path, wanted: list[str], exact: Exact, share: Share) -> tuple[list[str], dict[str, AnyArray]]:
    import pyarrow.csv as pc

    skipped, header = 0, ""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open("rt", encoding="utf-8") as lines:
        for header in lines:
            if header.strip() and not header.startswith("#"):
                break
            skipped += 1
    delimiter = max((",", "|", ";", "\t"), key=header.count)
    there = [name.strip().strip('"').lstrip("\ufeff") for name in header.rstrip("\r\n").split(delimiter)]
    table = pc.read_csv(
        path,
        read_options=pc.ReadOptions(skip_rows=skipped + 1, column_names=there),
        parse_options=pc.ParseOptions(delimiter=delimiter),
        convert_options=pc.ConvertOptions(
            include_columns=[n for n in wanted if n in there],
            null_values=["", "NULL", "null", "nan", "NaN", "NA", "N/A", "--"],
            strings_can_be_null=True,
        ),
    )
    return there, _arrow(table, exact)


def _whitespace(
    path: Path, wanted: list[str], exact: Exact, share: Share
) -> tuple[list[str], dict[str, AnyArray]]:
    from astropy.io import ascii as text

    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open("rt", encoding="utf-8") as lines:
        content = lines.read().expandtabs()  # the fast reader takes tabs for a part of the names
    first = next((line for line in content.splitlines() if line.strip()), "")
    if not first:
        raise CatalogueError(f"{path}: the file is empty")
    style = "fast_commented_header" if first.lstrip().startswith("#") else "fast_basic"
    table = text.read(content, format=style, guess=False)
    return list(table.colnames), {n: _plain(table[n], n in exact) for n in wanted if n in table.colnames}


def _astropy(
    path: Path, wanted: list[str], exact: Exact, share: Share
) -> tuple[list[str], dict[str, AnyArray]]:
    from astropy.table import Table

    style = {"ecsv": "ascii.ecsv", "votable": "votable"}[table_format(path)]
    table = Table.read(path, format=style)
    columns = {n: getattr(table[n], "value", table[n]) for n in wanted if n in table.colnames}
    return list(table.colnames), {n: _plain(c, n in exact) for n, c in columns.items()}
