"""From a catalogue of spectra and one of astrometry to giants with positions, distances and velocities.

Section 2 of the paper: quality cuts, K giants, cross-match, zero point, distances; every star that is left
out is counted under what it lacks.
"""

import hashlib
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions._version import __version__
from galactions.errors import CatalogueError, ConfigError
from galactions.survey.config import ColumnTable, PlatesTable, Quality, SourceTable, SurveyConfig
from galactions.survey.config_file import resolve_path
from galactions.survey.cutflow import CutFlow
from galactions.survey.frame import icrs_to_galactic
from galactions.survey.kept import Stage, file_stamp, kept_or_made
from galactions.survey.match import Index, MatchReport, cross_match
from galactions.survey.match_hats import cross_match_hats, is_hats
from galactions.survey.no_match import why_no_match
from galactions.survey.plates import read_plate_selection, serial_numbers
from galactions.survey.presets import Column
from galactions.survey.progress import Progress, Share, share_of, silent
from galactions.survey.selection import is_k_giant
from galactions.survey.source_presets import ASTROMETRY, SPECTRA, SourcePreset
from galactions.survey.sources import Source, read_source
from galactions.survey.star_distances import isochrone_files, star_distances
from galactions.survey.stars import Stars
from galactions.survey.table import StarTable

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


def matched_stars(
    config: SurveyConfig, folder: str | Path = ".", progress: Progress = silent, keep: Path | None = None
) -> tuple[StarTable, CutFlow, dict[str, Any]]:
    """Giants of good quality that have both spectrum and astrometry, the cut flow, and how they were matched.

    The config must have `spectra` and `astrometry`; their files are relative to `folder`. `keep`: a folder
    for finished stages (default: the config's `work`, or none). Raises CatalogueError for files that cannot
    be used, for columns that a cut named in the config needs, and when no star is left.
    """
    stage = kept_or_made(
        _keep(config, folder, keep),
        "matched",
        _match_key(config, Path(folder)),
        partial(_matched, config, Path(folder), progress, _keep(config, folder, keep)),
    )
    return StarTable(stage.columns), stage.flow, stage.facts


def giants_with_distances(
    config: SurveyConfig, folder: str | Path = ".", progress: Progress = silent, keep: Path | None = None
) -> tuple[Stars, CutFlow, dict[str, Any]]:
    """The stars of `matched_stars` with their distances; facts tell how the match and the distances were
    made.

    Raises CatalogueError as `matched_stars` and `star_distances`, and when no star has a distance.
    """
    base = Path(folder)
    key = {**_match_key(config, base), "distance": config.distance.model_dump(mode="json")}
    key["isochrones"] = [file_stamp(path) for path in isochrone_files(config.distance, base)]
    if config.plates is not None:
        tables = filter(None, (config.plates.file, config.plates.information))
        key["plates"] = [file_stamp(resolve_path(table, base)) for table in tables]
    stage = kept_or_made(
        _keep(config, folder, keep), "distances", key, partial(_with_distances, config, base, progress, keep)
    )
    return Stars(**stage.columns), stage.flow, stage.facts


def _keep(config: SurveyConfig, folder: str | Path, keep: Path | None) -> Path | None:
    return keep if keep is not None or config.work is None else resolve_path(config.work, folder)


def _sources(config: SurveyConfig) -> tuple[SourceTable, SourceTable]:
    if config.spectra is None or config.astrometry is None:
        raise ConfigError("a sample is matched from spectra and astrometry: this [survey] has not both")
    return config.spectra, config.astrometry


def _spectra_key(config: SurveyConfig, folder: Path) -> dict[str, Any]:
    table = _sources(config)[0]
    return {
        "version": __version__,
        "files": [file_stamp(resolve_path(table.file, folder))],
        "tables": [table.model_dump(mode="json")],
        "snr_g_min": [config.quality.snr_g_min, "snr_g_min" in config.quality.model_fields_set],
        "k_giants": config.cuts.k_giants,
    }


def _match_key(config: SurveyConfig, folder: Path) -> dict[str, Any]:
    key, table = _spectra_key(config, folder), _sources(config)[1]
    key["files"].append(file_stamp(resolve_path(table.file, folder)))
    key["tables"] += [part.model_dump(mode="json") for part in (table, config.match, config.quality)]
    key["named"] = sorted(config.quality.model_fields_set)
    return key


def _giants(config: SurveyConfig, folder: Path, progress: Progress) -> Stage:
    """The good spectra of giants."""
    share = share_of(progress, "reading the spectra")
    table = _sources(config)[0]
    source = _read(table, SPECTRA[table.preset], folder, share)
    stars, flow = _good_spectra(source.stars, source.flow, config)
    return Stage(stars.columns, flow, {"gaia_release": source.gaia_release, "ids_note": source.ids_note})


def _matched(config: SurveyConfig, folder: Path, progress: Progress, keep: Path | None) -> Stage:
    first, second = _sources(config)
    make = partial(_giants, config, folder, progress)
    found = kept_or_made(keep, "spectra", _spectra_key(config, folder), make)
    epoch = _adapted(SPECTRA[first.preset], first).epoch
    spectra = Source(StarTable(found.columns), **found.facts, epoch=epoch, flow=found.flow)
    i, partners, report, rows = _partners(spectra, second, config, folder, progress, keep)
    flow = found.flow.after("has astrometry", report.matched)
    flow = flow.after("is the best spectrum of its star", report.stars)
    merged = _merge(spectra.stars.select(i), partners)
    merged, flow = _good_astrometry(merged, flow, config.quality)
    files = {"spectra": resolve_path(first.file, folder), "astrometry": resolve_path(second.file, folder)}
    facts = {
        "match": report.to_dict(),
        "astrometry": rows.to_list(),
        "catalogues": {name: path.name for name, path in files.items()},
        "checksums": {name: checksum(path) for name, path in files.items() if path.is_file()},
    }
    return Stage(merged.columns, flow, facts)


def _partners(
    spectra: Source,
    table: SourceTable,
    config: SurveyConfig,
    folder: Path,
    progress: Progress,
    keep: Path | None,
) -> tuple[Index, StarTable, MatchReport, CutFlow]:
    """Rows of the spectra that have astrometry, this astrometry, the report, and the count of its rows."""
    path, match = resolve_path(table.file, folder), config.match
    if is_hats(path):
        share = share_of(progress, "matching with the partitioned catalogue")
        preset = _adapted(ASTROMETRY[table.preset], table)
        i, partners, report = cross_match_hats(
            spectra,
            path,
            preset,
            _columns(table),
            missing=table.missing,
            by=match.by,
            radius=match.radius,
            share=share,
            keep=keep,
            key=_match_key(config, folder),
        )
        return i, partners, report, CutFlow.start(report.n_astrometry, f"rows of {path.name}")
    share = share_of(progress, "reading the astrometry")
    astrometry = _read(table, ASTROMETRY[table.preset], folder, share)
    share = share_of(progress, "matching the two")
    i, j, report = cross_match(spectra, astrometry, by=match.by, radius=match.radius, share=share)
    if not report.matched:
        why = why_no_match(spectra, astrometry, match.radius)
        raise CatalogueError(f"no spectrum has astrometry: {why}\n{report}")
    return i, astrometry.stars.select(j), report, astrometry.flow


def _with_distances(config: SurveyConfig, folder: Path, progress: Progress, keep: Path | None) -> Stage:
    table, flow, facts = matched_stars(config, folder, progress, keep)
    share = share_of(progress, "distances")
    if "l" not in table or "b" not in table:
        lon, lat = (np.asarray(a) for a in icrs_to_galactic(table["ra"], table["dec"]))
        table = table.with_columns(l=lon, b=lat)
    found = star_distances(table, config.distance, folder, share)
    left = flow.left
    for reason, number in found.lost.items():
        left -= number
        flow = flow.after(reason, left)
    good = np.isfinite(found.distance) & np.isfinite(found.e_distance)
    flow = flow.after("distance and its error are known", int(good.sum()))
    _some_left(good, flow)
    mine = table.with_columns(distance=found.distance, e_distance=found.e_distance).select(good)
    if "e_parallax" in mine:
        mine = mine.with_columns(parallax=found.parallax[good])
    if config.plates is not None:
        weight = _plate_weight(mine, config.plates, folder)
        known = np.isfinite(weight)
        flow = flow.after("selection of its plate is known", int(known.sum()))
        _some_left(known, flow)
        mine = mine.with_columns(weight=weight).select(known)
    mine = mine.with_columns(l=np.mod(mine["l"], 360.0), ident=mine["gaia_id"])
    names = {field.name for field in fields(Stars)} & mine.columns.keys()
    columns = {name: mine[name] for name in sorted(names)}
    return Stage(columns, flow, {**facts, "distance": found.facts})


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _columns(table: SourceTable) -> dict[str, str | Column]:
    return {name: c.to_column() if isinstance(c, ColumnTable) else c for name, c in table.columns.items()}


def _adapted(preset: SourcePreset, table: SourceTable) -> SourcePreset:
    """The preset with the epoch and the release of ids that the config gives."""
    return replace(
        preset,
        epoch=preset.epoch if table.epoch is None else table.epoch,
        gaia_release=preset.gaia_release if table.gaia_release is None else table.gaia_release,
    )


def _read(table: SourceTable, preset: SourcePreset, folder: Path, share: Share) -> Source:
    return read_source(
        resolve_path(table.file, folder),
        _adapted(preset, table),
        columns=_columns(table),
        missing=table.missing,
        trust_units=table.trust_units,
        share=share,
    )


def _plate_weight(stars: StarTable, table: PlatesTable, folder: Path) -> npt.NDArray[np.float64]:
    stars.require("the selection of plates", "plate", "j_mag", "k_mag")
    selection = read_plate_selection(resolve_path(table.file, folder))
    if table.information is not None:
        path = resolve_path(table.information, folder)
        serial = serial_numbers(stars["plate"], path, selection.plates)
    else:
        try:
            serial = stars["plate"].astype(np.int64)
        except ValueError:
            raise CatalogueError(
                f"the selection of plates goes by serial number: found {str(stars['plate'][0])!r} (give the "
                "plate information catalogue of the release as information in [survey.plates], or map a "
                "column of serial numbers to plate in [survey.spectra.columns])"
            ) from None
    return selection.weight(serial, stars["k_mag"], stars["j_mag"] - stars["k_mag"])


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
