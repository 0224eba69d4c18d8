"""The whole road of this room: from stars, in a file or in memory, to binned velocities."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from galactions.errors import CatalogueError, ConfigError
from galactions.survey.binned import BinnedSurvey, bin_regions
from galactions.survey.catalogue import column_map, read_catalogue
from galactions.survey.config import ColumnTable, SurveyConfig
from galactions.survey.config_file import read_survey_config, resolve_path, survey_regions
from galactions.survey.cutflow import CutFlow
from galactions.survey.presets import Column
from galactions.survey.sample import Progress, giants_with_distances, silent
from galactions.survey.selection import select_disc_giants
from galactions.survey.stars import OBSERVABLES, Stars


def _config_of(source: str | Path | SurveyConfig, folder: str | Path | None) -> tuple[SurveyConfig, Path]:
    if isinstance(source, SurveyConfig):
        return source, Path(folder or ".")
    return read_survey_config(source), Path(folder) if folder is not None else Path(source).parent


@dataclass(frozen=True)
class Sample:
    """The stars that a config selects, the cut flow so far, and how they were made (plain values)."""

    stars: Stars
    flow: CutFlow
    facts: dict[str, Any]


def load_sample(
    source: str | Path | SurveyConfig, folder: str | Path | None = None, progress: Progress = silent
) -> Sample:
    """The stars that a config selects from its catalogues, not yet divided into regions.

    `source` and `folder` as in `load_survey`; `progress` is told each stage. Raises ConfigError or
    CatalogueError.
    """
    config, base = _config_of(source, folder)
    if config.spectra is None or config.astrometry is None:
        path = resolve_path(config.catalogue or "", base)
        stars, flow = _from_catalogue(config, base, progress)
        return Sample(stars, flow, {"catalogue": path.name, "sha256": _checksum(path)})
    stars, flow, facts = giants_with_distances(config, base, progress)
    # the spectra were selected for giants before they were matched
    selected = config.model_copy(update={"cuts": config.cuts.model_copy(update={"k_giants": False})})
    stars, flow = prepare_stars(stars, selected, flow)
    tables = {"spectra": config.spectra, "astrometry": config.astrometry}
    files = {name: resolve_path(table.file, base) for name, table in tables.items()}
    facts["catalogues"] = {name: path.name for name, path in files.items()}
    facts["checksums"] = {name: _checksum(path) for name, path in files.items() if path.is_file()}
    return Sample(stars, flow, facts)


def load_stars(
    source: str | Path | SurveyConfig, folder: str | Path | None = None, progress: Progress = silent
) -> tuple[Stars, CutFlow]:
    """The stars of `load_sample`, and the cut flow."""
    sample = load_sample(source, folder, progress)
    return sample.stars, sample.flow


def _from_catalogue(config: SurveyConfig, base: Path, progress: Progress) -> tuple[Stars, CutFlow]:
    if config.catalogue is None:
        raise ConfigError(
            "this [survey] asks for a mock survey, whose stars come from a model: make them with "
            "galactions.mock_survey, or give a catalogue"
        )
    progress("reading the catalogue")
    columns: dict[str, str | Column] = {
        name: c.to_column() if isinstance(c, ColumnTable) else c for name, c in config.columns.items()
    }
    mapped, _ = column_map(config.preset, columns)
    wanted: tuple[str, ...] = config.observables or tuple(name for name in OBSERVABLES if name in mapped)
    if config.histogram != "counts":
        wanted += tuple(f"e_{name}" for name in wanted)
    stars, flow = read_catalogue(
        resolve_path(config.catalogue, base),
        preset=config.preset,
        columns=columns,
        missing=config.missing,
        require=wanted,
        trust_units=config.trust_units,
    )
    return prepare_stars(stars, config, flow)


def prepare_stars(stars: Stars, config: SurveyConfig, flow: CutFlow | None = None) -> tuple[Stars, CutFlow]:
    """Stars with the config's velocity offset and constant errors put in, and its cuts applied; and the cut
    flow.

    Constant errors fill in for columns that the stars lack; a column that is there is kept.
    """
    filled: dict[str, Any] = {"v_los": stars.v_los + config.v_los_offset}
    constant = {"e_v_los": config.errors.v_los, "e_pm_ra": config.errors.pm, "e_pm_dec": config.errors.pm}
    for name, value in constant.items():
        if value is not None and getattr(stars, name) is None:
            filled[name] = np.full(len(stars), value)
    if config.errors.distance_fraction is not None and stars.e_distance is None:
        filled["e_distance"] = config.errors.distance_fraction * stars.distance
    flow = flow or CutFlow.start(len(stars), "stars handed in")
    return select_disc_giants(replace(stars, **filled), config.cuts, flow, config.sun.to_sun())


def bin_survey(
    stars: Stars, config: SurveyConfig, flow: CutFlow | None = None, folder: str | Path = ".", **meta: Any
) -> BinnedSurvey:
    """The velocity distributions of selected stars (from `load_stars` or `prepare_stars`) in the config's
    regions.

    `flow` is continued and kept in `meta`, together with the config, and with what is handed in as `meta`
    (plain values). Raises ConfigError for bad regions, CatalogueError for observables or errors that the
    stars lack and when no region at all has enough stars.
    """
    from galactions import __version__

    regions = survey_regions(config, folder)
    observables = config.observables or stars.observables
    binned = bin_regions(
        stars, regions, observables, config.bins, config.histogram, config.min_stars, config.seed
    )
    if not any(r.used for r in binned):
        fullest = max(binned, key=lambda r: r.n_stars)
        raise CatalogueError(
            f"no region can be used: of {len(stars):,d} selected stars the fullest region, "
            f"{fullest.region.name!r}, holds {fullest.n_stars} ({fullest.reason})\n{flow or ''}"
        )
    flow = flow or CutFlow.start(len(stars), "stars handed in")
    for name, boxes in (("in a region", binned), ("in a region that is used", [r for r in binned if r.used])):
        inside = np.zeros(len(stars), dtype=bool)
        for r in boxes:
            inside |= r.region.contains(stars.l, stars.b, stars.distance)
        flow = flow.after(name, int(inside.sum()))
    made = {
        "cut_flow": flow.to_list(),
        "config": config.model_dump(mode="json"),
        "histogram": config.histogram,
        "seed": config.seed,
        "version": __version__,
    }
    return BinnedSurvey(binned, tuple(observables), {**made, **meta})


def load_survey(
    source: str | Path | SurveyConfig, folder: str | Path | None = None, progress: Progress = silent
) -> BinnedSurvey:
    """The velocity distributions of a survey, from a TOML file with a `[survey]` table or from a
    `SurveyConfig`.

    Reads the catalogue (or matches one of spectra and one of astrometry), applies the selection of section 2
    of the paper, divides the stars into regions and bins their velocities (steps 1 and 2 of section 3.1).
    Paths in the config are relative to `folder`: by default that of the TOML file, or the working folder.
    `progress` is told each stage when it begins. Raises ConfigError for a bad config, CatalogueError for a
    bad catalogue.
    """
    config, base = _config_of(source, folder)
    sample = load_sample(config, base, progress)
    progress("binning")
    return bin_survey(sample.stars, config, sample.flow, base, **sample.facts)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
