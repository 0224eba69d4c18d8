"""The cross-match with a catalogue of astrometry that does not fit into memory: partitioned on the sky
(HATS), and read piece by piece by LSDB and Dask.

Within each partition the same pairs are found as in memory (`galactions.survey.match`); a star's repeated
spectra are compared when all pieces are together. Needs the extra `scale`.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from galactions.errors import CatalogueError
from galactions.survey.cutflow import CutFlow
from galactions.survey.kept import Stage, kept_or_made
from galactions.survey.match import (
    By,
    Index,
    MatchReport,
    best_of_each,
    choose_way,
    find_pairs,
    separation_quantiles,
    snr_of,
)
from galactions.survey.presets import Column
from galactions.survey.progress import Share, chunks, untold
from galactions.survey.source_presets import MISSING, SourcePreset
from galactions.survey.sources import Source, as_quantities, source_columns
from galactions.survey.table import AnyArray, StarTable
from galactions.survey.tables import NO_ID

PARTITIONS = 32
"""Partitions computed at once: enough for all workers, and no more than is done again after a stop."""

MARK = "galactions_"
"""Beginning of the names of columns of ours, which no catalogue has."""


def is_hats(path: Path) -> bool:
    """Whether a path is a catalogue in HATS form, or a collection of one and its margin: a folder with
    properties.
    """
    names = ("collection.properties", "hats.properties", "properties")
    return any((path / name).is_file() for name in names)


def cross_match_hats(
    spectra: Source,
    path: Path,
    preset: SourcePreset,
    given: Mapping[str, str | Column] | None = None,
    *,
    missing: tuple[float, ...] = MISSING,
    by: By = "auto",
    radius: float = 3.0,
    share: Share = untold,
    keep: Path | None = None,
    key: Mapping[str, Any] | None = None,
) -> tuple[Index, StarTable, MatchReport]:
    """Rows of spectra that have a star in the catalogue at `path`, each star once, and these stars in the
    same order; with a report as `cross_match` gives.

    `preset` and `given` say which column is what, as in `read_source`. The catalogue must have a margin as
    wide as the radius (arcsec) and the largest motion between the epochs. `conflicts` counts only those that
    the sky resolves: a star of that id in another partition is not looked up. `share` is told how much is
    done; `keep`: a folder for finished pieces, which are found again by the same `key` (plain values). Raises
    CatalogueError when LSDB is not installed, for a catalogue without a margin or that lacks a column, when
    no star is found, and as `cross_match` does.
    """
    try:
        import lsdb
        import pandas as pd
    except ImportError:
        raise CatalogueError(
            f"{path} is a HATS catalogue, which is read by LSDB: pip install 'galactions[scale]'"
        ) from None
    columns, optional = source_columns(preset, given)
    there = lsdb.open_catalog(path)
    names = [c.name for name, c in columns.items() if name not in optional or c.name in there.columns]
    if lacking := [name for name in names if name not in there.columns]:
        raise CatalogueError(f"{path}: no column {', '.join(lacking)}; it has {', '.join(there.columns)}")
    if there.margin is None:
        raise CatalogueError(f"{path}: the catalogue has no margin; stars at the edges of pieces need one")
    there = lsdb.open_catalog(path, columns=list(dict.fromkeys(names)))
    empty = Source(
        StarTable({name: np.zeros(0, dtype=np.int64) for name in columns if columns[name].name in names}),
        preset.gaia_release,
        "",
        preset.epoch,
        CutFlow.start(0),
    )
    use_ids, reason = choose_way(spectra, empty, by, radius)
    wanted = [name for name in ("ra", "dec", "gaia_id") if name in spectra.stars]
    frame = pd.DataFrame({MARK + name: spectra.stars[name] for name in wanted})
    frame[MARK + "row"] = np.arange(len(frame))
    here = lsdb.from_dataframe(frame, ra_column=MARK + "ra", dec_column=MARK + "dec", margin_threshold=None)
    algorithm = _algorithm(path, spectra, empty, columns, missing, use_ids, by != "id", radius)
    try:
        joined = here.crossmatch(
            there,
            algorithm=algorithm,
            require_right_margin=True,
            suffixes=("", ""),
            suffix_method="overlapping_columns",
            log_changes=False,
        )
    except RuntimeError as error:  # LSDB's, when no partition of the one lies in the other
        raise CatalogueError(f"no spectrum has astrometry: {path}: {error}") from error
    raw = _in_pieces(joined, share, keep, key or {})
    rows = raw[MARK + "row"].astype(np.int64)
    if not len(rows):
        raise CatalogueError(
            f"no spectrum has astrometry: no star of {path} is within {radius:g} arcsec of one"
        )
    order = np.argsort(rows, kind="stable")
    rows, raw = rows[order], {name: column[order] for name, column in raw.items()}
    partners = StarTable(as_quantities(path, raw, columns, missing))
    ids = partners["gaia_id"]
    best = best_of_each(ids, snr_of(spectra.stars, rows), raw[MARK + "apart"])
    by_id = raw[MARK + "by_id"].astype(bool)
    report = MatchReport(
        by="id" if use_ids else "sky",
        reason=reason,
        radius=radius,
        n_spectra=len(spectra.stars),
        n_astrometry=len(there),
        matched=len(rows),
        by_id=int(by_id.sum()),
        unmatched=len(spectra.stars) - len(rows),
        conflicts=int(raw[MARK + "conflict"].astype(bool).sum()),
        ambiguous=int(raw[MARK + "ambiguous"].astype(bool).sum()),
        repeats=len(rows) - len(best),
        duplicate_ids=0,
        stars=len(best),
        separation=separation_quantiles(raw[MARK + "apart"][best]),
    )
    return rows[best], partners.select(best), report


def _in_pieces(joined: Any, share: Share, keep: Path | None, key: Mapping[str, Any]) -> dict[str, AnyArray]:
    """The columns of a catalogue that is yet to be computed, by some partitions at a time."""

    def computed(some: slice) -> Stage:
        found = joined.partitions[some].compute()
        columns = {name: _plain(found[name]) for name in found.columns}
        return Stage(columns, CutFlow.start(len(found)), {})

    pieces = []
    for some in chunks(joined.npartitions, PARTITIONS, share):
        where = {**key, "piece": [some.start, some.stop, joined.npartitions]}
        pieces.append(kept_or_made(keep, "piece", where, partial(computed, some)).columns)
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _plain(series: Any) -> AnyArray:
    """A column of pandas as numpy, without its Arrow type; nulls become NaN, in integers `NO_ID`."""
    if series.isna().any():
        whole = series.dtype.kind in "iu"
        return np.asarray(series.fillna(NO_ID) if whole else series.to_numpy(dtype=float, na_value=np.nan))
    return np.asarray(series.to_numpy())


def _algorithm(
    path: Path,
    spectra: Source,
    empty: Source,
    columns: dict[str, Column],
    missing: tuple[float, ...],
    use_ids: bool,
    use_sky: bool,
    radius: float,
) -> Any:
    """What LSDB is to do with each pair of partitions."""
    import pandas as pd
    from lsdb.core.crossmatch.abstract_crossmatch_algorithm import AbstractCrossmatchAlgorithm

    class EpochCrossmatch(AbstractCrossmatchAlgorithm):
        """`find_pairs` on the stars of one partition."""

        extra_columns = pd.DataFrame(
            {
                MARK + "apart": pd.Series(dtype=np.float64),
                MARK + "by_id": pd.Series(dtype=np.bool_),
                MARK + "conflict": pd.Series(dtype=np.bool_),
                MARK + "ambiguous": pd.Series(dtype=np.bool_),
            }
        )

        def perform_crossmatch(self, crossmatch_args: Any) -> tuple[Any, Any, Any]:
            """Positions of pairs in the two partitions, and what is told of them."""
            left, right = crossmatch_args.left_df, crossmatch_args.right_df
            mine = {name[len(MARK) :]: _plain(left[name]) for name in left.columns if name.startswith(MARK)}
            theirs = {name: _plain(right[name]) for name in right.columns}
            one = Source(StarTable(mine), spectra.gaia_release, "", spectra.epoch, empty.flow)
            stars = StarTable(as_quantities(path, theirs, columns, missing))
            other = Source(stars, empty.gaia_release, "", empty.epoch, empty.flow)
            pairs = find_pairs(one, other, use_ids, use_sky, radius)
            hit = np.flatnonzero(pairs.partner >= 0)
            told = {name: getattr(pairs, name)[hit] for name in ("apart", "by_id", "conflict", "ambiguous")}
            return hit, pairs.partner[hit], pd.DataFrame({MARK + k: v for k, v in told.items()})

    return EpochCrossmatch()
