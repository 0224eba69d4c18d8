"""From a catalogue of spectra and one of astrometry to giants with positions, distances and velocities.

Section 2 of the paper: quality cuts, K giants, cross-match, zero point, distances; every star that is left
out is counted under what it lacks.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions._version import __version__
from galactions.errors import CatalogueError, ConfigError
from galactions.survey.config import ColumnTable, Quality, SourceTable, SurveyConfig
from galactions.survey.config_file import resolve_path
from galactions.survey.cutflow import CutFlow
from galactions.survey.frame import icrs_to_galactic
from galactions.survey.kept import Matched, file_stamp, kept_or_made
from galactions.survey.match import Index, MatchReport, cross_match
from galactions.survey.match_hats import cross_match_hats, is_hats
from galactions.survey.plates import read_plate_selection
from galactions.survey.presets import Column
from galactions.survey.selection import is_k_giant
from galactions.survey.source_presets import ASTROMETRY, SPECTRA, SourcePreset
from galactions.survey.sources import Source, read_source
from galactions.survey.star_distances import star_distances
from galactions.survey.stars import Stars
from galactions.survey.table import StarTable

Progress = Callable[[str], None]
"""Is told the name of each stage when it begins."""

FROM_SPECTRA = (
    "spec_id",
    "plate",
    "v_los",
    "e_v_los",
    "snr_g",
    "teff",
    "e_teff",
    "logg",
    "e_logg",
    "feh",
    "e_feh",
)
"""Quantities that are taken from the spectra where both catalogues have them."""


def silent(_: str) -> None:
    """Tells nobody."""


def matched_stars(
    config: SurveyConfig, folder: str | Path = ".", progress: Progress = silent
) -> tuple[StarTable, CutFlow, dict[str, Any]]:
    """Giants of good quality that have both spectrum and astrometry, the cut flow, and the match report.

    The config must have `spectra` and `astrometry`; their files are relative to `folder`. Raises
    CatalogueError for files that cannot be used, for columns that a cut named in the config needs, and when
    no star is left.
    """
    if config.spectra is None or config.astrometry is None:
        raise ConfigError("a sample is matched from spectra and astrometry: this [survey] has not both")
    if config.work is None:
        return _matched(config, config.spectra, config.astrometry, Path(folder), progress)
    tables = (config.spectra, config.astrometry)
    key = {
        "version": __version__,
        "files": [file_stamp(resolve_path(table.file, folder)) for table in tables],
        "tables": [table.model_dump(mode="json") for table in (*tables, config.match, config.quality)],
        "k_giants": config.cuts.k_giants,
    }
    work = resolve_path(config.work, folder)
    make = partial(_matched, config, *tables, Path(folder), progress)
    return kept_or_made(work, key, make)


def _matched(
    config: SurveyConfig, first: SourceTable, second: SourceTable, folder: Path, progress: Progress
) -> Matched:
    progress("reading the spectra")
    spectra = _read(first, SPECTRA[first.preset], folder)
    stars, flow = _good_spectra(spectra.stars, spectra.flow, config)
    spectra = replace(spectra, stars=stars)
    i, partners, report, rows = _partners(spectra, second, config, folder, progress)
    flow = flow.after("has astrometry", report.matched)
    flow = flow.after("is the best spectrum of its star", report.stars)
    merged = _merge(spectra.stars.select(i), partners)
    merged, flow = _good_astrometry(merged, flow, config.quality)
    return merged, flow, {"match": report.to_dict(), "astrometry": rows.to_list()}


def _partners(
    spectra: Source, table: SourceTable, config: SurveyConfig, folder: Path, progress: Progress
) -> tuple[Index, StarTable, MatchReport, CutFlow]:
    """Rows of the spectra that have astrometry, this astrometry, the report, and the count of its rows."""
    path, match = resolve_path(table.file, folder), config.match
    if is_hats(path):
        progress("matching with the partitioned catalogue")
        preset = _adapted(ASTROMETRY[table.preset], table)
        i, partners, report = cross_match_hats(
            spectra, path, preset, _columns(table), missing=table.missing, by=match.by, radius=match.radius
        )
        return i, partners, report, CutFlow.start(report.n_astrometry, f"rows of {path.name}")
    progress("reading the astrometry")
    astrometry = _read(table, ASTROMETRY[table.preset], folder)
    progress("matching the two")
    i, j, report = cross_match(spectra, astrometry, by=match.by, radius=match.radius)
    return i, astrometry.stars.select(j), report, astrometry.flow


def giants_with_distances(
    config: SurveyConfig, folder: str | Path = ".", progress: Progress = silent
) -> tuple[Stars, CutFlow, dict[str, Any]]:
    """The stars of `matched_stars` with their distances; facts tell how the match and the distances were
    made.

    Raises CatalogueError as `matched_stars` and `star_distances`, and when no star has a distance.
    """
    table, flow, facts = matched_stars(config, folder, progress)
    progress("distances")
    if "l" not in table or "b" not in table:
        lon, lat = (np.asarray(a) for a in icrs_to_galactic(table["ra"], table["dec"]))
        table = table.with_columns(l=lon, b=lat)
    found = star_distances(table, config.distance, folder)
    left = flow.left
    for reason, number in found.lost.items():
        left -= number
        flow = flow.after(reason, left)
    good = np.isfinite(found.distance) & np.isfinite(found.e_distance)
    flow = flow.after("distance and its error are known", int(good.sum()))
    _some_left(good, flow)
    mine, distance, e_distance = table.select(good), found.distance[good], found.e_distance[good]
    parallax = found.parallax[good]
    if config.plates is not None:
        weight = _plate_weight(mine, resolve_path(config.plates.file, folder))
        known = np.isfinite(weight)
        flow = flow.after("selection of its plate is known", int(known.sum()))
        _some_left(known, flow)
        mine = mine.with_columns(weight=weight).select(known)
        distance, e_distance, parallax = distance[known], e_distance[known], parallax[known]
    if "e_parallax" in mine:
        mine = mine.with_columns(parallax=parallax)
    optional = (
        "pm_corr",
        "parallax",
        "e_parallax",
        "e_v_los",
        "e_pm_ra",
        "e_pm_dec",
        "feh",
        "teff",
        "logg",
        "weight",
    )
    stars = Stars(
        l=np.mod(mine["l"], 360.0),
        b=mine["b"],
        distance=distance,
        v_los=mine["v_los"],
        pm_ra=mine["pm_ra"],
        pm_dec=mine["pm_dec"],
        e_distance=e_distance,
        ident=mine["gaia_id"],
        **{name: mine[name] for name in optional if name in mine},
    )
    return stars, flow, {**facts, "distance": found.facts}


def _columns(table: SourceTable) -> dict[str, str | Column]:
    return {name: c.to_column() if isinstance(c, ColumnTable) else c for name, c in table.columns.items()}


def _adapted(preset: SourcePreset, table: SourceTable) -> SourcePreset:
    """The preset with the epoch and the release of ids that the config gives."""
    return replace(
        preset,
        epoch=preset.epoch if table.epoch is None else table.epoch,
        gaia_release=preset.gaia_release if table.gaia_release is None else table.gaia_release,
    )


def _read(table: SourceTable, preset: SourcePreset, folder: Path) -> Source:
    return read_source(
        resolve_path(table.file, folder),
        _adapted(preset, table),
        columns=_columns(table),
        missing=table.missing,
        trust_units=table.trust_units,
    )


def _plate_weight(stars: StarTable, path: Path) -> npt.NDArray[np.float64]:
    stars.require("the selection of plates", "plate", "j_mag", "k_mag")
    try:
        serial = stars["plate"].astype(np.int64)
    except ValueError:
        raise CatalogueError(
            f"the selection of plates goes by serial number: found {str(stars['plate'][0])!r} (map a column "
            "of serial numbers to plate in [survey.spectra.columns])"
        ) from None
    return read_plate_selection(path).weight(serial, stars["k_mag"], stars["j_mag"] - stars["k_mag"])


def _some_left(good: npt.NDArray[np.bool_], flow: CutFlow) -> None:
    if not good.any():
        raise CatalogueError(f"no star is left:\n{flow}")


def _cut(
    stars: StarTable, flow: CutFlow, name: str, good: npt.NDArray[np.bool_]
) -> tuple[StarTable, CutFlow]:
    flow = flow.after(name, int(good.sum()))
    _some_left(good, flow)
    return (stars if good.all() else stars.select(good)), flow


def _good_spectra(stars: StarTable, flow: CutFlow, config: SurveyConfig) -> tuple[StarTable, CutFlow]:
    stars, flow = _limit(stars, flow, config.quality, "snr_g_min", "snr_g", "S/N in g >")
    known = np.isfinite(stars["v_los"])
    if "e_v_los" in stars:
        known &= np.nan_to_num(stars["e_v_los"], nan=-1.0) >= 0
    stars, flow = _cut(stars, flow, "v_los and its error are known", known)
    if config.cuts.k_giants:
        stars.require("cut 'k_giants'", "teff", "logg")
        stars, flow = _cut(stars, flow, "K giants", is_k_giant(stars["teff"], stars["logg"]))
    return stars, flow


def _good_astrometry(stars: StarTable, flow: CutFlow, quality: Quality) -> tuple[StarTable, CutFlow]:
    known = np.isfinite(stars["pm_ra"]) & np.isfinite(stars["pm_dec"])
    for name in ("e_pm_ra", "e_pm_dec"):
        known &= np.nan_to_num(stars[name], nan=-1.0) >= 0
    stars, flow = _cut(stars, flow, "proper motion and its error are known", known)
    for key, name, text in (
        ("gof_al_max", "gof_al", "astrometric_gof_al <="),
        ("excess_noise_sig_max", "excess_noise_sig", "astrometric_excess_noise_sig <="),
        ("ruwe_max", "ruwe", "RUWE <="),
    ):
        stars, flow = _limit(stars, flow, quality, key, name, text)
    return stars, flow


def _limit(
    stars: StarTable, flow: CutFlow, quality: Quality, key: str, name: str, text: str
) -> tuple[StarTable, CutFlow]:
    """One limit of `quality`, whose key ends in _min (above it) or _max (at most it); NaN never passes."""
    limit = getattr(quality, key)
    if limit is False:
        return stars, flow
    if name not in stars:
        if key in quality.model_fields_set:
            stars.require(f"quality cut {key!r}", name)
        return stars, flow.after(f"{text} {limit:g}", len(stars), f"not applied: no {name}")
    with np.errstate(invalid="ignore"):
        good = stars[name] > limit if key.endswith("_min") else stars[name] <= limit
    return _cut(stars, flow, f"{text} {limit:g}", good)


def _merge(spectra: StarTable, astrometry: StarTable) -> StarTable:
    """One table of stars in the same order: astrometry, with what belongs to the spectra from there."""
    extra = {
        name: column
        for name, column in spectra.columns.items()
        if name in FROM_SPECTRA or name not in astrometry
    }
    return StarTable({**astrometry.columns, **extra})
