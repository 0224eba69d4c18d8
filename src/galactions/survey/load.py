"""The whole road of this room: from stars, in a file or in memory, to binned velocities."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from galactions._version import __version__
from galactions.errors import CatalogueError, ConfigError
from galactions.survey.binned import BinnedSurvey, bin_regions
from galactions.survey.catalogue import column_map, read_catalogue
from galactions.survey.config import ColumnTable, SurveyConfig
from galactions.survey.config_file import read_survey_config, resolve_path, survey_regions
from galactions.survey.cutflow import CutFlow
from galactions.survey.kept import Stage, digest, file_stamp, kept_or_made
from galactions.survey.match_hats import is_hats
from galactions.survey.presets import Column
from galactions.survey.progress import Progress, Share, share_of, silent, untold
from galactions.survey.sample import checksum, giants_with_distances
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


def survey_stages(config: SurveyConfig, folder: str | Path = ".") -> dict[str, float]:
    """The stages that `load_survey` tells, in order, and about how long each takes relative to the others
    (as measured on 600,000 stars).
    """
    if config.astrometry is None:
        return {"reading the catalogue": 3.0, "binning": 1.0}
    if is_hats(resolve_path(config.astrometry.file, folder)):
        middle = {"matching with the partitioned catalogue": 8.0}
    else:
        middle = {"reading the astrometry": 2.0, "matching the two": 4.0}
    return {"reading the spectra": 2.0, **middle, "distances": 8.0, "binning": 2.0}


def load_sample(
    source: str | Path | SurveyConfig,
    folder: str | Path | None = None,
    progress: Progress = silent,
    keep: Path | None = None,
) -> Sample:
    """The stars that a config selects from its catalogues, not yet divided into regions.

    `source`, `folder`, `progress` and `keep` as in `load_survey`. Raises ConfigError or CatalogueError.
    """
    config, base = _config_of(source, folder)
    if config.spectra is None or config.astrometry is None:
        keep = keep if keep is not None or config.work is None else resolve_path(config.work, base)
        return _from_catalogue(config, base, progress, keep)
    stars, flow, facts = giants_with_distances(config, base, progress, keep)
    # the spectra were selected for giants before they were matched
    selected = config.model_copy(update={"cuts": config.cuts.model_copy(update={"k_giants": False})})
    stars, flow = prepare_stars(stars, selected, flow)
    return Sample(stars, flow, facts)


def load_stars(
    source: str | Path | SurveyConfig, folder: str | Path | None = None, progress: Progress = silent
) -> tuple[Stars, CutFlow]:
    """The stars of `load_sample`, and the cut flow."""
    sample = load_sample(source, folder, progress)
    return sample.stars, sample.flow


def _from_catalogue(config: SurveyConfig, base: Path, progress: Progress, keep: Path | None) -> Sample:
    if config.catalogue is None:
        raise ConfigError(
            "this [survey] asks for a mock survey, whose stars come from a model: make them with "
            "galactions.mock_survey, or give a catalogue"
        )
    columns: dict[str, str | Column] = {
        name: c.to_column() if isinstance(c, ColumnTable) else c for name, c in config.columns.items()
    }
    mapped, _ = column_map(config.preset, columns)
    wanted: tuple[str, ...] = config.observables or tuple(name for name in OBSERVABLES if name in mapped)
    if config.histogram != "counts":
        wanted += tuple(f"e_{name}" for name in wanted)
    path = resolve_path(config.catalogue, base)

    def read() -> Stage:
        share = share_of(progress, "reading the catalogue")
        stars, flow = read_catalogue(
            path,
            preset=config.preset,
            columns=columns,
            missing=config.missing,
            require=wanted,
            trust_units=config.trust_units,
            share=share,
        )
        stars, flow = _repeats(stars, flow, config.repeats)
        return Stage(dict(stars.columns()), flow, {"catalogue": path.name, "sha256": checksum(path)})

    described = config.model_dump(
        mode="json", include={"preset", "columns", "missing", "trust_units", "repeats"}
    )
    key = {"version": __version__, "file": file_stamp(path), "require": wanted, **described}
    stage = kept_or_made(keep, "catalogue", key, read)
    stars, flow = prepare_stars(Stars(**stage.columns), config, stage.flow)
    return Sample(stars, flow, stage.facts)


def _repeats(stars: Stars, flow: CutFlow, rule: Literal["keep", "drop"]) -> tuple[Stars, CutFlow]:
    """Rows whose `ident` an earlier row has, counted, and dropped if that is the rule."""
    if stars.ident is None:
        return stars, flow
    _, first = np.unique(stars.ident, return_index=True)
    again = len(stars) - len(first)
    name = "is the first row of its ident"
    if not again or rule == "keep":
        note = f"not applied: {again:,d} rows have an ident that an earlier one has"
        return stars, flow.after(name, len(stars), note) if again else flow
    return stars.select(np.sort(first)), flow.after(name, len(first))


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
    stars: Stars,
    config: SurveyConfig,
    flow: CutFlow | None = None,
    folder: str | Path = ".",
    share: Share = untold,
    **meta: Any,
) -> BinnedSurvey:
    """The velocity distributions of selected stars (from `load_stars` or `prepare_stars`) in the config's
    regions.

    `flow` is continued and kept in `meta`, together with the config, and with what is handed in as `meta`
    (plain values). `share` is told how much is done. Raises ConfigError for bad regions, CatalogueError for
    observables or errors that the stars lack and when no region at all has enough stars.
    """
    regions = survey_regions(config, folder)
    observables = config.observables or stars.observables
    binned = bin_regions(
        stars, regions, observables, config.bins, config.histogram, config.min_stars, config.seed, share
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


def bin_sample(
    sample: Sample,
    config: SurveyConfig,
    folder: str | Path = ".",
    progress: Progress = silent,
    keep: Path | None = None,
) -> BinnedSurvey:
    """`bin_survey` of a sample, which may be kept in a folder `keep` (default: the config's `work`, or
    none).
    """
    keep = keep if keep is not None or config.work is None else resolve_path(config.work, folder)
    if keep is None:
        share = share_of(progress, "binning")
        return bin_survey(sample.stars, config, sample.flow, folder, share, **sample.facts)
    key = {
        "version": __version__,
        "config": config.model_dump(mode="json"),
        "regions": [asdict(region) for region in survey_regions(config, folder)],
        "facts": sample.facts,
        "flow": sample.flow.to_list(),
    }
    path = keep / f"binned-{digest(key)}.npz"
    if path.is_file():
        try:
            return BinnedSurvey.load(path)
        except CatalogueError:
            path.unlink()
    share = share_of(progress, "binning")
    binned = bin_survey(sample.stars, config, sample.flow, folder, share, **sample.facts)
    binned.save(path)
    return binned


def load_survey(
    source: str | Path | SurveyConfig,
    folder: str | Path | None = None,
    progress: Progress = silent,
    keep: Path | None = None,
) -> BinnedSurvey:
    """The velocity distributions of a survey, from a TOML file with a `[survey]` table or from a
    `SurveyConfig`.

    Reads the catalogue (or matches one of spectra and one of astrometry), applies the selection of section 2
    of the paper, divides the stars into regions and bins their velocities (steps 1 and 2 of section 3.1).
    Paths in the config are relative to `folder`: by default that of the TOML file, or the working folder.
    `progress` is told each stage when it begins, and how much of it is done; `keep`: a folder where finished
    stages are kept, and found again by the next run (default: the config's `work`, or none). Raises
    ConfigError for a bad config, CatalogueError for a bad catalogue.
    """
    config, base = _config_of(source, folder)
    return bin_sample(load_sample(config, base, progress, keep), config, base, progress, keep)
