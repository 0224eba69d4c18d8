"""The selection of targets on LAMOST plates, as an optional weight of stars.

Of all stars in a plate's field with some K and J - K only a part gets a fibre. The inverse of that part,
S^-1, is published for the plates of DR3 (Liu et al. 2017, RAA 17, 96; their file Selection_plates.csv: a row
for each plate, its serial number and then S^-1 on a grid with K running fastest).
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.stars import FloatArray
from galactions.survey.table import AnyArray
from galactions.survey.tables import read_columns

K_CENTRES = np.arange(61) * 0.25
"""K_s magnitudes of the grid, 0 to 15."""

COLOUR_CENTRES = -0.5 + np.arange(46) * 0.1
"""J - K_s of the grid, -0.5 to 4."""


@dataclass(frozen=True)
class PlateSelection:
    """S^-1 of plates: serial numbers `plates` (P,), rising, and `inverse` (P, colours, magnitudes); 0 where
    no star was observed.
    """

    plates: npt.NDArray[np.int64]
    inverse: npt.NDArray[np.float32]

    def weight(self, plate: npt.ArrayLike, k_mag: npt.ArrayLike, colour: npt.ArrayLike) -> FloatArray:
        """S^-1 (N,): how many stars of the sky a star on its plate, with its K_s and J - K_s (mag), stands
        for.

        NaN for plates that are not in the table, for stars outside its grid, and where the table says that no
        star was observed.
        """
        P = np.asarray(plate, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.plates, P), len(self.plates) - 1)
        K, C = np.asarray(k_mag, dtype=np.float64), np.asarray(colour, dtype=np.float64)
        known = (self.plates[at] == P) & np.isfinite(K) & np.isfinite(C)
        i = np.rint(np.where(known, K - K_CENTRES[0], -1e6) / 0.25).astype(np.int64)
        j = np.rint(np.where(known, C - COLOUR_CENTRES[0], -1e6) / 0.1).astype(np.int64)
        known &= (i >= 0) & (i < len(K_CENTRES)) & (j >= 0) & (j < len(COLOUR_CENTRES))
        found = self.inverse[at, np.where(known, j, 0), np.where(known, i, 0)].astype(np.float64)
        return np.where(known & (found > 0), found, np.nan)


def serial_numbers(names: AnyArray, path: str | Path, known: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Serial numbers (N,) of plates by their names (N,), -1 for names that are not there.

    `path`: LAMOST's Observed Plate Information Catalog of a release, with the columns `planid` (the name) and
    `pid` (the number). Of several numbers of one name (observed more than once) the first is taken that is
    `known` to the selection, else the first. Raises CatalogueError as `read_columns`.
    """
    columns = read_columns(path, ["planid", "pid"], exact=["pid"])
    plans = np.char.strip(columns["planid"].astype(str))
    serial = columns["pid"].astype(np.int64)
    order = np.argsort(~np.isin(serial, known), kind="stable")  # those that are known first
    unique, first = np.unique(plans[order], return_index=True)
    wanted = np.char.strip(names.astype(str))
    at = np.minimum(np.searchsorted(unique, wanted), len(unique) - 1)
    return np.where(unique[at] == wanted, serial[order][first][at], -1)


def read_plate_selection(path: str | Path) -> PlateSelection:
    """The table of a CSV file, or of the only CSV file in a ZIP archive.

    Raises CatalogueError for a file that is missing or broken, and for rows of another length.
    """
    path = Path(path)
    width = 1 + len(K_CENTRES) * len(COLOUR_CENTRES)
    try:
        table = _numbers(path)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise CatalogueError(f"{path}: not a table of plate selections: {error}") from None
    if table.shape[1] != width:
        raise CatalogueError(f"{path}: rows must have {width} numbers: found {table.shape[1]}")
    table = table[np.argsort(table[:, 0], kind="stable")]
    inverse = table[:, 1:].reshape(len(table), len(COLOUR_CENTRES), len(K_CENTRES))
    return PlateSelection(table[:, 0].astype(np.int64), inverse)


def _numbers(path: Path) -> npt.NDArray[np.float32]:
    """All numbers of the file, (rows, columns)."""
    import pyarrow as pa
    import pyarrow.csv as pc

    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".csv") and not n.startswith("__MACOSX")]
            if len(names) != 1:
                raise ValueError(f"found {len(names)} CSV files in the archive; there must be one")
            content = archive.read(names[0])
    else:
        content = path.read_bytes()
    width = content.split(b"\n", 1)[0].count(b",") + 1
    names = [str(i) for i in range(width)]
    table = pc.read_csv(
        pa.BufferReader(content),
        read_options=pc.ReadOptions(column_names=names),
        convert_options=pc.ConvertOptions(column_types={name: pa.float32() for name in names}),
    )
    return np.stack([column.to_numpy() for column in table.columns], axis=1)
