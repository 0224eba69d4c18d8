"""The Gaia half of a sample, from the archive in pieces; and where the LAMOST half is to be had.

Each piece is a range of Gaia's source ids (which follow the sky), fetched by one asynchronous query (or by
several, where one would reach the archive's limit of rows) and written whole or not at all, so that an
interrupted download goes on where it stopped. A query that fails is sent again, after a while.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from galactions.atomic import replacing
from galactions.errors import CatalogueError, ConfigError
from galactions.survey.presets import Column
from galactions.survey.source_presets import ASTROMETRY

Report = Callable[[int, int], None]
"""Is told how many pieces are there, and of how many."""

LAST_ID = 12 * 4**12 * 2**35
"""One more than the largest source id can be: a pixel of HEALPix level 12 (12 x 4^12 of them) times 2^35."""

ROW_LIMIT = 3_000_000
"""Rows at which the archive ends the results of a user who is not registered, without a word."""

WAITS = (10.0, 60.0, 300.0)
"""Seconds to wait before a query that failed is sent again, and then again."""

_TWO_MASS = frozenset({"j_m", "h_m", "ks_m", "ks_msigcom"})
_ALL_WISE = frozenset({"w2mpro"})

LAMOST_PAGES = {
    "lamost_dr8_v1": "http://www.lamost.org/dr8/v1.0/catalogue",
    "lamost_dr8_v2": "http://www.lamost.org/dr8/v2.0/catalogue",
    "lamost_dr9_v1": "http://www.lamost.org/dr9/v1.0/catalogue",
    "lamost_dr9_v2": "http://www.lamost.org/dr9/v2.0/catalogue",
    "lamost_dr10_v1": "http://www.lamost.org/dr10/v1.0/catalogue",
    "lamost_dr10_v2": "http://www.lamost.org/dr10/v2.0/catalogue",
}
"""Where the tables of each release are offered, by the name of its preset."""

LAMOST_FILES = {
    "lamost_dr8_v1": "dr8_v1.0_stellar_LRS",
    "lamost_dr8_v2": "dr8_v2.0_LRS_stellar",
    "lamost_dr9_v1": "dr9_v1.0_LRS_stellar",
    "lamost_dr9_v2": "dr9_v2.0_LRS_stellar",
    "lamost_dr10_v1": "dr10_v1.0_LRS_stellar",
    "lamost_dr10_v2": "dr10_v2.0_LRS_stellar",
}
"""What the table of stellar parameters is called there, without .fits.gz or .csv.gz."""


@dataclass(frozen=True)
class GaiaRequest:
    """What to fetch: a release, stars brighter than `g_limit` (mag), with parallaxes up to `parallax_max`
    (mas), in `pieces` pieces; `two_mass` joins on J, H, K_s of 2MASS, which photometric distances need,
    `all_wise` W2 of AllWISE, which tells their extinction together with H.

    Raises ConfigError for limits that cannot be met and for releases that are not known.
    """

    release: str = "gaia_edr3"
    g_limit: float = 17.5
    parallax_max: float = 10.0
    two_mass: bool = True
    pieces: int = 192
    all_wise: bool = False

    def __post_init__(self) -> None:
        if self.release not in ASTROMETRY:
            raise ConfigError(f"release {self.release!r} is not known; allowed are {', '.join(ASTROMETRY)}")
        if not 0 < self.g_limit <= 21:
            raise ConfigError(f"g_limit is {self.g_limit}; it must lie between 0 and 21 (mag)")
        if not self.parallax_max > 0:
            raise ConfigError(f"parallax_max is {self.parallax_max}; it must be above 0 (mas)")
        if not 1 <= self.pieces <= 12 * 4**6:
            raise ConfigError(f"pieces is {self.pieces}; it must lie between 1 and {12 * 4**6}")

    def ids(self, piece: int) -> tuple[int, int]:
        """Source ids of a piece (from 0 on): lowest, and one above the highest."""
        return LAST_ID * piece // self.pieces, LAST_ID * (piece + 1) // self.pieces

    def query(self, piece: int) -> str:
        """The ADQL query of a piece, for the Gaia archive. Raises ConfigError for one that does not exist."""
        if not 0 <= piece < self.pieces:
            raise ConfigError(f"piece {piece} of {self.pieces} does not exist")
        return self.query_of_ids(*self.ids(piece))

    def query_of_ids(self, low: int, high: int) -> str:
        """The ADQL query of source ids from `low` to below `high`."""
        schema = self.release.replace("_", "")
        names = [c.name for c in _gaia_columns(self.release)]
        wanted = [f"g.{name}" for name in names if name not in _TWO_MASS | _ALL_WISE]
        joins = ""
        if self.two_mass:
            wanted += [f"t.{name}" for name in names if name in _TWO_MASS]
            joins = (
                f"LEFT JOIN {schema}.tmass_psc_xsc_best_neighbour AS n ON n.source_id = g.source_id\n"
                f"LEFT JOIN {schema}.tmass_psc_xsc_join AS j USING (clean_tmass_psc_xsc_oid)\n"
                "LEFT JOIN gaiadr1.tmass_original_valid AS t ON t.designation = j.original_psc_source_id\n"
            )
        if self.all_wise:
            wanted += [f"a.{name}" for name in names if name in _ALL_WISE]
            joins += (
                f"LEFT JOIN {schema}.allwise_best_neighbour AS w ON w.source_id = g.source_id\n"
                "LEFT JOIN gaiadr1.allwise_original_valid AS a ON a.allwise_oid = w.allwise_oid\n"
            )
        return (
            f"SELECT {', '.join(wanted)}\n"
            f"FROM {schema}.gaia_source AS g\n{joins}"
            f"WHERE g.source_id >= {low} AND g.source_id < {high}\n"
            f"AND g.phot_g_mean_mag < {self.g_limit:g} AND g.parallax < {self.parallax_max:g}\n"
            "AND g.astrometric_params_solved > 3"
        )


def _gaia_columns(release: str) -> list[Column]:
    return list(ASTROMETRY[release].columns.values())


class ArchiveError(CatalogueError):
    """The archive could not be reached, or refused: the same query may work later."""


def launch(query: str) -> Any:
    """The table (astropy) that the Gaia archive gives for an ADQL query.

    Raises CatalogueError when astroquery is not installed, and ArchiveError when the archive cannot be
    reached or refuses.
    """
    try:
        from astroquery.gaia import Gaia
    except ImportError:
        raise CatalogueError(
            "fetching from the Gaia archive needs astroquery: pip install 'galactions[survey]'"
        ) from None
    try:
        return Gaia.launch_job_async(query).get_results()
    except Exception as error:  # whatever astroquery, its HTTP layer or the archive raise
        raise ArchiveError(f"the Gaia archive gave no result: {type(error).__name__}: {error}") from error


Run = Callable[[str], Any]


def fetch_gaia(
    request: GaiaRequest,
    folder: str | Path,
    report: Report | None = None,
    run: Run = launch,
    wait: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetches all pieces of a request into a folder, and joins them into one Parquet file, whose path it
    returns.

    Pieces that are there already are kept: call again after an interruption. `run` turns a query into a
    table; one that fails with ArchiveError is sent again after each of `WAITS`, for which `wait` is called.
    Raises ArchiveError when it still fails (the pieces stay), and ConfigError when the folder holds the
    pieces of another request.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _same_request(request, folder / "request.json")
    for piece in range(request.pieces):
        path = _piece(folder, piece)
        if not path.exists():
            _write_piece(_tables(request, *request.ids(piece), run, wait), path)
        if report is not None:
            report(piece + 1, request.pieces)
    return _join(folder, request)


def _tables(
    request: GaiaRequest, low: int, high: int, run: Run, wait: Callable[[float], None]
) -> Iterator[Any]:
    """The tables of source ids from `low` to below `high`: of halves where the limit of rows is reached."""
    table = _patiently(request.query_of_ids(low, high), run, wait)
    if len(table) < ROW_LIMIT:
        yield table
        return
    if high - low < 2:
        raise CatalogueError(f"the archive gives {len(table):,d} rows for the one source id {low}")
    middle = (low + high) // 2
    yield from _tables(request, low, middle, run, wait)
    yield from _tables(request, middle, high, run, wait)


def _patiently(query: str, run: Run, wait: Callable[[float], None]) -> Any:
    for seconds in WAITS:
        try:
            return run(query)
        except ArchiveError:
            wait(seconds)
    return run(query)


def _piece(folder: Path, piece: int) -> Path:
    return folder / "pieces" / f"{piece:05d}.parquet"


def _same_request(request: GaiaRequest, path: Path) -> None:
    wanted = asdict(request)
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found != wanted:
            differ = [name for name in wanted if found.get(name) != wanted[name]]
            raise ConfigError(
                f"{path.parent}: holds pieces of another request ({', '.join(differ)} differ); "
                "choose another folder, or ask for the same"
            )
        return
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(wanted, indent=1), encoding="utf-8")


def _write_piece(tables: Iterable[Any], path: Path) -> None:
    """The tables of a piece, one after the other; a masked column becomes one with nulls."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [
        pa.table(
            {
                name.lower(): pa.array(np.asarray(table[name]), mask=np.ma.getmaskarray(table[name]))
                for name in table.colnames
            }
        )
        for table in tables
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.concat_tables([part.cast(parts[0].schema) for part in parts]), temporary)


def _join(folder: Path, request: GaiaRequest) -> Path:
    import pyarrow.parquet as pq

    out = folder / f"{request.release}.parquet"
    with replacing(out) as temporary:
        schema = pq.read_schema(_piece(folder, 0))
        with pq.ParquetWriter(temporary, schema) as writer:
            for piece in range(request.pieces):
                writer.write_table(pq.read_table(_piece(folder, piece)).cast(schema))
    return out


def lamost_instructions(preset: str) -> str:
    """Where the table of LAMOST spectra of a preset is offered, and which one it is.

    Raises ConfigError for a preset that is not known.
    """
    if preset not in LAMOST_PAGES:
        raise ConfigError(f"{preset!r} is no preset of LAMOST spectra; allowed are {', '.join(LAMOST_PAGES)}")
    return (
        f"LAMOST tables are downloaded by hand. Take the 'LAMOST LRS Stellar Parameter Catalog of A, F, G "
        f"and K Stars', {LAMOST_FILES[preset]}.fits.gz or .csv.gz (unpacked or not), from\n"
        f"  {LAMOST_PAGES[preset]}\n"
        f'and name it in the configuration:\n  [survey.spectra]\n  file = "..."\n  preset = "{preset}"'
    )
