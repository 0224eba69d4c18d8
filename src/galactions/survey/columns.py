"""One column of a file, brought to our unit."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.presets import Column
from galactions.survey.stars import FloatArray


def as_numbers(
    path: Path, name: str, column: Column, raw: npt.NDArray[Any], missing: Iterable[float]
) -> FloatArray:
    """A column (N,) of quantity `name` as floats in our unit, NaN where it says that there is no value.

    Raises CatalogueError, naming the file, the column and the first bad row, for what are no numbers, and for
    a column that has more than one number a star.
    """
    if raw.dtype.kind in "OSU":
        text = np.char.strip(raw.astype(str))
        text = np.where(np.isin(text, ("", "None", "null", "NULL", "--")), "nan", text)
        try:
            values = text.astype(np.float64)
        except ValueError:
            bad = next((i, t) for i, t in enumerate(text) if not _is_number(t))
            raise CatalogueError(
                f"{path}: column {column.name!r} ({name}) must be numbers: "
                f"found {str(bad[1])!r} in row {bad[0] + 1}"
            ) from None
    elif raw.dtype.kind in "iufb":
        values = raw.astype(np.float64)
    else:
        raise CatalogueError(
            f"{path}: column {column.name!r} ({name}) must be numbers: found type {raw.dtype}"
        )
    if values.ndim != 1:
        raise CatalogueError(
            f"{path}: column {column.name!r} ({name}) must be one number a star: found {values.shape}"
        )
    blanks = np.isinf(values)
    for blank in missing:
        blanks |= values == blank
    values = values * column.scale + column.offset
    values[blanks] = np.nan
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
