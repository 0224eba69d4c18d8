"""From a file of stars to `Stars`: columns found, brought to our units, checked; and back to a file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.checks import (
    AGREE_DEG,
    MAX_DISTANCE,
    MAX_SPEED,
    check_distances,
    check_parallaxes,
    check_positions,
    check_proper_motions,
    check_velocities,
    position_mismatch,
)
from galactions.survey.columns import as_numbers
from galactions.survey.cutflow import CutFlow
from galactions.survey.frame import icrs_to_galactic
from galactions.survey.presets import OPTIONAL_IN_PRESET, PRESETS, Column
from galactions.survey.progress import Share, untold
from galactions.survey.stars import UNITS, FloatArray, Stars
from galactions.survey.tables import read_columns
from galactions.survey.write_table import write_columns

Mask = npt.NDArray[np.bool_]


def column_map(
    preset: str | None = None, columns: Mapping[str, str | Column] | None = None
) -> tuple[dict[str, Column], frozenset[str]]:
    """Which column of a file is what: a preset, overridden by `columns`; and which of them the file may lack.

    Without preset and columns, the file is taken to have galactions' own columns. Raises CatalogueError for
    a preset that is not known, or when a position, a distance or a velocity has no column.
    """
    if preset is None and not columns:
        preset = "galactions"
    if preset is not None and preset not in PRESETS:
        raise CatalogueError(f"preset {preset!r} is not known; presets are {', '.join(sorted(PRESETS))}")
    chosen = dict(PRESETS[preset]) if preset else {}
    given = {name: Column(c) if isinstance(c, str) else c for name, c in (columns or {}).items()}
    chosen.update(given)
    position = {"l", "b"} <= chosen.keys() or {"ra", "dec"} <= chosen.keys()
    lacking = [] if {"distance", "parallax"} & chosen.keys() else ["distance (or parallax)"]
    if "v_los" not in chosen:
        lacking.append("v_los")
    if not position:
        lacking.insert(0, "l and b (or ra and dec)")
    if lacking:
        raise CatalogueError(
            f"no column is given for {', '.join(lacking)}; given are {', '.join(chosen) or 'none'}"
        )
    return chosen, OPTIONAL_IN_PRESET.get(preset or "", frozenset()) - given.keys()


def read_catalogue(
    path: str | Path,
    *,
    preset: str | None = None,
    columns: Mapping[str, str | Column] | None = None,
    missing: Iterable[float] = (-9999.0,),
    require: Iterable[str] = (),
    trust_units: bool = False,
    share: Share = untold,
) -> tuple[Stars, CutFlow]:
    """Stars of a file, with those left out that cannot be used, counted step by step.

    `preset` and `columns` say which column is what (see `column_map`); values in `missing` stand for "no
    value". A file with `parallax` (mas) and no `distance` gives distances 1 / parallax. Left out are stars
    without position, distance or v_los, without any of the columns in `require`,
    with a distance that is not positive or beyond 500 kpc, faster than 1200 km/s along the line of sight,
    outside the sky, with negative errors, or whose l, b and ra, dec are different places. Raises
    CatalogueError for a file or column that is missing, a column that is not numbers, and one that as a
    whole cannot be in the right unit (`trust_units` skips that last question). `share` is told how much of
    the file is read.
    """
    path = Path(path)
    chosen, optional = column_map(preset, columns)
    names = [column.name for column in chosen.values()]
    raw = read_columns(path, names, [chosen[name].name for name in optional], share=share)
    values: dict[str, Any] = {
        name: raw[column.name]
        if name == "ident"
        else as_numbers(path, name, column, raw[column.name], missing)
        for name, column in chosen.items()
        if column.name in raw
    }
    parallax = values.get("parallax")
    if "distance" not in values and parallax is not None:
        with np.errstate(divide="ignore"):
            # a parallax that is not positive is no distance: the inverse keeps it to be counted as such
            values["distance"] = np.where(parallax == 0, -np.inf, 1.0 / parallax)
    if not trust_units:
        check_positions(path, values)
        if parallax is not None:
            check_parallaxes(path, parallax)
        check_distances(path, values["distance"])
        check_velocities(path, values["v_los"])
        for name in ("pm_ra", "pm_dec"):
            if name in values:
                check_proper_motions(path, name, values[name])
    keep, flow = _usable(path, values, tuple(require))
    if not keep.any():
        raise CatalogueError(f"{path}: none of the {len(keep):,d} stars can be used:\n{flow}")
    if "l" not in values or "b" not in values:
        values["l"], values["b"] = (np.array(a) for a in icrs_to_galactic(values["ra"], values["dec"]))
    kept = {name: column[keep] for name, column in values.items() if name not in ("ra", "dec")}
    kept["l"] = np.mod(kept["l"], 360.0)
    return Stars(**kept), flow


def _usable(path: Path, values: Mapping[str, FloatArray], require: tuple[str, ...]) -> tuple[Mask, CutFlow]:
    keep = np.ones(len(values["v_los"]), dtype=bool)
    flow = CutFlow.start(len(keep), f"rows of {path.name}")
    galactic = "l" in values and "b" in values
    lon, lat = (values["l"], values["b"]) if galactic else (values["ra"], values["dec"])
    steps: list[tuple[str, Mask]] = [
        ("position is known", np.isfinite(lon) & np.isfinite(lat)),
        ("position is on the sky", ~((np.abs(lat) > 90) | (lon < -180) | (lon > 360))),
    ]
    if galactic and "ra" in values and "dec" in values:
        mismatch = position_mismatch(lon, lat, values["ra"], values["dec"])
        steps.append(("l, b agree with ra, dec", ~(mismatch > 10 * AGREE_DEG)))
    distance, v_los = values["distance"], values["v_los"]
    steps += [
        ("distance is known", np.isfinite(distance)),
        ("distance is positive", ~(distance <= 0)),
        (f"distance below {MAX_DISTANCE:g} kpc", ~(distance > MAX_DISTANCE)),
        ("v_los is known", np.isfinite(v_los)),
        (f"|v_los| below {MAX_SPEED:g} km/s", ~(np.abs(v_los) > MAX_SPEED)),
    ]
    steps += [
        (f"{name} is known", np.isfinite(values[name]))
        for name in require
        if name in values and name != "v_los"
    ]
    steps += [(f"{name} is not negative", ~(values[name] < 0)) for name in values if name.startswith("e_")]
    for name, good in steps:
        keep &= good
        flow = flow.after(name, int(keep.sum()))
    return keep, flow


def write_catalogue(stars: Stars, path: str | Path) -> Path:
    """Writes stars in galactions' own columns (units of `UNITS`; read back with the preset "galactions").

    The ending of the name chooses the format: .fits, .csv, .ecsv, .parquet, .vot. An existing file is
    replaced only once the new one is complete. Raises CatalogueError for another ending.
    """
    return write_columns(dict(stars.columns()), path, UNITS)
