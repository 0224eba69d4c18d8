"""Reading the two catalogues that a sample is put together from: spectra, and astrometry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from galactions.errors import CatalogueError
from galactions.survey.checks import (
    check_parallaxes,
    check_positions,
    check_proper_motions,
    check_velocities,
)
from galactions.survey.columns import as_numbers
from galactions.survey.cutflow import CutFlow
from galactions.survey.identifiers import as_ids, went_through_float
from galactions.survey.presets import Column
from galactions.survey.progress import Share, untold
from galactions.survey.source_presets import MISSING, GaiaRelease, SourcePreset
from galactions.survey.table import IDENTIFIERS, QUANTITIES, AnyArray, StarTable
from galactions.survey.tables import read_columns


@dataclass(frozen=True)
class Source:
    """One catalogue: its stars, the release of their Gaia ids ("" for none, or for ids that lost digits, of
    which `ids_note` tells), the epoch of their positions (Julian year), and the count of rows.
    """

    stars: StarTable
    gaia_release: GaiaRelease
    ids_note: str
    epoch: float
    flow: CutFlow


def read_source(
    path: str | Path,
    preset: SourcePreset,
    *,
    columns: Mapping[str, str | Column] | None = None,
    missing: Iterable[float] = MISSING,
    trust_units: bool = False,
    share: Share = untold,
) -> Source:
    """The stars of a catalogue of spectra or astrometry, with rows without a position on the sky counted and
    left out.

    `columns` adds to the preset's or overrides them: a column given there must be in the file. Values in
    `missing` stand for "no value". Raises CatalogueError for a file or column that is missing or broken, for
    names that are no quantity, and for columns that as a whole cannot be in the right unit (`trust_units`
    skips that). `share` is told how much of the file is read.
    """
    path = Path(path)
    chosen, optional = source_columns(preset, columns)
    exact = [chosen[name].name for name in IDENTIFIERS & chosen.keys()]
    raw = read_columns(
        path, [c.name for c in chosen.values()], [chosen[n].name for n in optional], exact, share
    )
    release, note = preset.gaia_release, ""
    ids = chosen.get("gaia_id")
    if ids is not None and ids.name in raw and went_through_float(raw[ids.name]):
        release, note = "", f"ids of column {ids.name!r} went through a float and lost digits"
    values = as_quantities(path, raw, chosen, missing)
    if not trust_units:
        check_positions(path, values)
        if "v_los" in values:
            check_velocities(path, values["v_los"])
        if "parallax" in values:
            check_parallaxes(path, values["parallax"])
        for name in ("pm_ra", "pm_dec"):
            if name in values:
                check_proper_motions(path, name, values[name])
    return _on_the_sky(path, StarTable(values), release, note, preset.epoch)


def source_columns(
    preset: SourcePreset, columns: Mapping[str, str | Column] | None = None
) -> tuple[dict[str, Column], frozenset[str]]:
    """Which column holds which quantity: a preset, overridden by `columns`; and which of them may be missing.

    Raises CatalogueError for names that are no quantity.
    """
    given = {name: Column(c) if isinstance(c, str) else c for name, c in (columns or {}).items()}
    if unknown := sorted(given.keys() - QUANTITIES.keys()):
        raise CatalogueError(f"no quantity {', '.join(unknown)}; allowed are {', '.join(QUANTITIES)}")
    return {**preset.columns, **given}, preset.optional - given.keys()


def as_quantities(
    path: Path, raw: Mapping[str, AnyArray], chosen: Mapping[str, Column], missing: Iterable[float]
) -> dict[str, AnyArray]:
    """The columns of a file as quantities in our units, those that it has. Raises CatalogueError as
    `read_source`.
    """
    blanks = tuple(missing)
    values: dict[str, AnyArray] = {}
    for name, column in chosen.items():
        if column.name not in raw:
            continue
        if name == "gaia_id":
            values[name] = as_ids(raw[column.name])
        elif name in IDENTIFIERS:
            values[name] = raw[column.name]
        else:
            values[name] = as_numbers(path, name, column, raw[column.name], blanks)
    return values


def _on_the_sky(path: Path, stars: StarTable, release: GaiaRelease, note: str, epoch: float) -> Source:
    flow = CutFlow.start(len(stars), f"rows of {path.name}")
    ra, dec = stars["ra"], stars["dec"]
    good = np.isfinite(ra) & np.isfinite(dec)
    flow = flow.after(f"{path.name}: position is known", int(good.sum()))
    good &= (np.abs(np.nan_to_num(dec)) <= 90) & (ra >= -180) & (ra <= 360)
    flow = flow.after(f"{path.name}: position is on the sky", int(good.sum()))
    if not good.any():
        raise CatalogueError(f"{path}: none of the {len(stars):,d} rows has a position on the sky:\n{flow}")
    return Source(stars if good.all() else stars.select(good), release, note, epoch, flow)
