"""Gaia source ids as integers, and whether they can be trusted.

An id has up to 19 digits. A float of 64 bits keeps 53 binary ones, so that ids above 2^53 which were once
written as floats are rounded to multiples of up to 1024, and name other stars or none.
"""

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.table import AnyArray
from galactions.survey.tables import NO_ID

Ids = npt.NDArray[np.int64]

_LARGE = 1 << 60
"""Above it floats are 256 and more apart. Real ids are often multiples of 128 (the component number in their
last 7 bits is mostly 0), so smaller ones tell nothing."""

ENOUGH = 20
"""Fewer large ids than this tell nothing either."""


def as_ids(column: AnyArray) -> Ids:
    """Ids (N,) as 64-bit integers, `NO_ID` for blanks; from integers, text, or floats (which are rounded).

    Raises CatalogueError, with the row, for text that is no whole number.
    """
    if column.dtype.kind in "iu":
        return np.where(column > 0, column, NO_ID).astype(np.int64)
    if column.dtype.kind == "f":
        good = np.isfinite(column) & (column > 0)
        return np.where(good, np.where(good, column, 0.0).astype(np.int64), NO_ID)
    text = np.char.strip(column.astype(str))
    text = np.where(np.isin(text, ("", "nan", "NaN", "None", "null", "NULL", "--")), str(NO_ID), text)
    try:
        ids = text.astype(np.int64)
    except (ValueError, OverflowError):
        row, bad = next((i, t) for i, t in enumerate(text) if not _fits(t))
        raise CatalogueError(
            f"a Gaia source id must be a whole number: found {str(bad)!r} in row {row + 1}"
        ) from None
    return np.where(ids > 0, ids, NO_ID)


def _fits(text: str) -> bool:
    try:
        return -(1 << 63) <= int(text) < 1 << 63
    except ValueError:
        return False


def went_through_float(column: AnyArray) -> bool:
    """Whether a column of ids has lost digits: it holds floats, or integers that are all exact as floats.

    Of real ids above 2^60 at most about a half are (those of which enough trailing bits are zero).
    """
    if column.dtype.kind == "f":
        return True
    ids = as_ids(column)
    large = ids[ids >= _LARGE]
    if len(large) < ENOUGH:
        return False
    return bool(np.mean(large.astype(np.float64).astype(np.int64) == large) > 0.9)
