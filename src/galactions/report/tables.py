"""The tables of the page, as plain rows of text for its template."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from galactions.data.published import circular_velocity_curves, paper_result
from galactions.report.local_density import density_rows
from galactions.report.numbers import count
from galactions.report.style import interval

if TYPE_CHECKING:
    from galactions.inference.chi2 import Chi2Table, RegionChi2
    from galactions.report.contents import RunContents
    from galactions.survey import BinnedRegion, BinnedSurvey


Row = dict[str, Any]


def chi2_cell(value: float) -> Row:
    """A reduced chi2 as text and as the number that shades its cell."""
    return {
        "text": f"{value:.2f}" if math.isfinite(value) else "–",
        "value": value if math.isfinite(value) else None,
    }


def group_rows(table: Chi2Table) -> list[Row]:
    """Mean reduced chi2 by group, each observable and, where there are several, all together, as in Table 3
    of the paper; the fit's own mean last.
    """
    groups: dict[str, list[RegionChi2]] = {}
    for row in table.rows:
        if row.used and row.total_bins:
            groups.setdefault(row.group, []).append(row)
    rows = []
    for group, members in groups.items():
        held_out = not any(row.fitted for row in members)
        rows.append(
            _group_row(table, group or "no group", members, "compared, not fitted" if held_out else "")
        )
    if table.fitted_rows:
        rows.append(
            {
                **_group_row(table, "all fitted regions", table.fitted_rows, "χ² tot in the paper's Table 3"),
                "total_row": True,
            }
        )
    return rows


def _group_row(table: Chi2Table, name: str, members: Sequence[RegionChi2], note: str) -> Row:
    columns = [[row.reduced_of(observable) for row in members] for observable in table.observables]
    if len(columns) > 1:
        columns.append([row.reduced for row in members])
    cells = [chi2_cell(_mean([value for value in column if math.isfinite(value)])) for column in columns]
    return {"name": name, "regions": len(members), "cells": cells, "note": note, "total_row": False}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def region_rows(table: Chi2Table, survey: BinnedSurvey) -> list[Row]:
    """One row a region: where it is, how many stars and bins, reduced chi2 of each observable, why it was
    left out.
    """
    boxes: dict[str, BinnedRegion] = {item.region.name: item for item in survey.regions}
    rows = []
    for row in table.rows:
        box = boxes[row.region].region
        cells = [chi2_cell(row.reduced_of(name)) for name in table.observables]
        if len(cells) > 1:
            cells.append(chi2_cell(row.reduced))
        note = row.reason if not row.used else "" if row.fitted else "compared, not fitted"
        rows.append(
            {
                "name": row.region,
                "group": row.group,
                "l": "all" if box.l[1] - box.l[0] >= 360 else interval(*box.l),
                "b": interval(*box.b),
                "distance": interval(*box.distance),
                "stars": count(row.n_stars),
                "bins": row.total_bins or "–",
                "cells": cells,
                "used": row.used,
                "note": note,
            }
        )
    return rows


def densities(run: RunContents) -> Row | None:
    """Densities at the Sun beside Table 4 of the paper, where the run started from one of its models; None
    without any.
    """
    found = run.galaxy.get("local_density_msun_pc3")
    if not found:
        return None
    paper = paper_result(run.model)
    if paper is not None and not paper.density_sun:
        paper = None
    rows = []
    for row in density_rows(found, paper.density_sun if paper else None):
        difference = row.difference_percent
        rows.append(
            {
                "component": row.component,
                "model": f"{row.model:.4f}",
                "paper": "–" if row.paper is None else f"{row.paper:.4f}",
                "difference": "–" if difference is None else f"{difference:+.1f} %".replace("-", "−"),
                "sum": row.component in ("both stellar discs", "all components"),
            }
        )
    note = ""
    if paper and run.record.get("free"):
        note = f"Table 4 holds for the paper's {run.model} after ten rebuilds of its potential; this model"
        rebuilds = (run.record.get("identity", {}).get("model") or {}).get("final_iterations")
        note += f" was fitted, and rebuilt {times(rebuilds)}." if rebuilds is not None else " was fitted."
    return {"rows": rows, "paper": run.model if paper else "", "note": note}


def constraint_rows(run: RunContents) -> list[Row]:
    """The outside constraints of a fit that has ended: name, number of data, chi2."""
    if run.result is None:
        return []
    told = run.record.get("settings", {}).get("constraints", [])
    found = run.result.constraints
    sizes = [_size(one) for one in told] if len(told) == len(found) else [None] * len(found)
    return [
        {"name": name, "size": size or "–", "chi2": f"{chi2:.1f}"}
        for (name, chi2), size in zip(found.items(), sizes, strict=True)
    ]


def _size(constraint: Mapping[str, Any]) -> int | None:
    """The number of data of a constraint's settings; None for a table that is not among the published."""
    if not constraint.get("table"):
        return max((len(item) for item in constraint.values() if isinstance(item, list)), default=1)
    for curve in circular_velocity_curves():
        if curve.name == constraint["table"]:
            near, far = constraint["r_min"], constraint["r_max"]
            inside = (near <= curve.R) & (far >= curve.R)
            return int((inside & curve.reliable).sum())
    return None


def times(n: int) -> str:
    """ "once", "3 times"."""
    return "once" if n == 1 else f"{n} times"


def cut_flow(survey: BinnedSurvey) -> list[Row]:
    """The steps of the selection with the stars removed and left; empty where the survey does not tell."""
    rows = []
    for cut in survey.meta.get("cut_flow", []):
        removed = int(cut.get("removed", 0))
        rows.append(
            {
                "name": cut["name"].replace("> -", "> −"),
                "removed": count(removed) if removed else "",
                "left": count(int(cut["left"])),
                "note": cut.get("note", ""),
            }
        )
    return rows


def facts(run: RunContents) -> list[Row]:
    """What was run: command, versions, seed, times, method, settings."""
    record = run.record
    rows: list[Row] = []

    def add(name: str, value: object, code: bool = False) -> None:
        if value not in (None, "", [], {}):
            rows.append({"name": name, "value": value, "code": code})

    add("command", record.get("command"), code=True)
    add("galactions", record.get("version"))
    add("status", str(record.get("status", "unknown")).replace("_", " "))
    add("started", time_text(record.get("start_time")))
    add("ended", time_text(record.get("end_time")))
    add("taken up again", ", ".join(time_text(time) for time in record.get("resumed", [])))
    add("model", run.model)
    add("method", record.get("method"))
    add("seed", str(record["seed"]) if "seed" in record else None)
    add("seed of the survey", str(run.survey.meta["seed"]) if "seed" in run.survey.meta else None)
    add("catalogue", run.survey.meta.get("catalogue"))
    add("its SHA-256", run.survey.meta.get("sha256"), code=True)
    add("settings", _listed(record.get("settings", {})), code=True)
    add("problem", _listed(record.get("identity", {})), code=True)
    add("environment", ", ".join(f"{name} {value}" for name, value in record.get("environment", {}).items()))
    return rows


def time_text(text: object) -> str:
    """An ISO time as people write it: 2026-11-22 15:30:02 UTC."""
    return str(text).replace("T", " ").replace("+00:00", " UTC") if text else ""


def _listed(settings: Mapping[str, Any]) -> str:
    """Settings as text: "seed = 0, free = [h_thin, r0_halo], set = (h_thin = 0.3)"; nothing of empty ones."""
    return ", ".join(
        f"{name} = {_told(value)}" for name, value in settings.items() if value not in (None, "", {}, [])
    )


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return f"({_listed(value)})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_told, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
