"""The page's section of velocity distributions: a figure for each observable and group of regions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from galactions.report import style
from galactions.report.album import Album, Picture
from galactions.report.contents import RunContents
from galactions.report.numbers import number
from galactions.report.panels import Panel, velocity_panels
from galactions.report.posterior import shown_bands

PANELS_PER_FIGURE = 16


def velocity_section(run: RunContents, album: Album) -> list[dict[str, Any]]:
    """For each observable a heading and its figures, each with at most sixteen regions of one group; those of
    groups that are left out as a whole apart.
    """
    parts = []
    groups = list(dict.fromkeys(item.region.group for item in run.survey.regions))
    for observable in run.survey.observables:
        pictures: dict[bool, list[Picture]] = {True: [], False: []}
        for group in groups:
            panels = [p for p, g in _panels(run, observable) if g == group]
            used = any(panel.used for panel in panels)
            for start in range(0, len(panels), PANELS_PER_FIGURE):
                chunk = panels[start : start + PANELS_PER_FIGURE]
                pictures[used].append(_panel_picture(album, observable, group, start, chunk))
        heading = style.OBSERVABLE_NAMES.get(observable, observable)
        parts.append({"heading": heading, "figures": pictures[True], "left_out": pictures[False]})
    return parts if any(part["figures"] or part["left_out"] for part in parts) else []


def _panel_picture(album: Album, observable: str, group: str, start: int, panels: Sequence[Panel]) -> Picture:
    first, last = panels[0].region.name, panels[-1].region.name
    names = f"regions {first} to {last}" if len(panels) > 1 else f"region {first}"
    words = style.OBSERVABLE_NAMES.get(observable, observable)
    safe = "".join(c if c.isalnum() else "_" for c in group) or "all"
    name = f"{observable}_{safe}" + (f"_{start // PANELS_PER_FIGURE + 1}" if start else "")
    of_group = f", group “{group}”" if group else ""
    return album.add(
        name,
        velocity_panels(observable, panels),
        f"{words} in {names}",
        f"{words}, {names}{of_group}.",
    )


def _panels(run: RunContents, observable: str) -> list[tuple[Panel, str]]:
    bands = _bands_by_block(run)
    rows = {row.region: row for row in run.result.chi2.rows} if run.result else {}
    panels = []
    for k, item in enumerate(run.survey.regions):
        histogram = item.histograms.get(observable)
        row = rows.get(item.region.name)
        model, error = _predicted(run, observable, k, 0 if histogram is None else len(histogram.p))
        reduced = row.reduced_of(observable) if row is not None and row.used else None
        note = (
            item.reason
            if not item.used
            else "compared, not fitted"
            if row is not None and not row.fitted
            else ""
        )
        panels.append(
            (
                Panel(
                    region=item.region,
                    n_stars=item.n_stars,
                    edges=None if histogram is None else np.asarray(histogram.edges, dtype=float),
                    p=None if histogram is None else np.asarray(histogram.p, dtype=float),
                    sigma=None if histogram is None else np.asarray(histogram.sigma, dtype=float),
                    model=model,
                    model_error=error,
                    reduced_chi2=reduced if reduced is not None and math.isfinite(reduced) else None,
                    used=item.used,
                    note=note,
                    band=bands.get((k, observable)),
                ),
                item.region.group,
            )
        )
    return panels


def _bands_by_block(run: RunContents) -> dict[tuple[int, str], tuple[Any, Any]]:
    """Ends of the central 95% of the posterior's heights, by region number and observable; empty where there
    is no posterior for these bins."""
    bands = shown_bands(run.posteriors)
    if bands is None:
        return {}
    found, at = {}, 0
    for k, item in enumerate(run.survey.regions):
        for observable in run.survey.observables if item.used else ():
            bins = len(item.histograms[observable].p)
            found[k, observable] = bands.heights[0, at : at + bins], bands.heights[4, at : at + bins]
            at += bins
    return found if at == bands.heights.shape[1] else {}


def _predicted(run: RunContents, observable: str, k: int, bins: int) -> tuple[Any, Any]:
    """Predicted heights and their errors (bins,) in region k; None where there is no prediction for these
    bins.
    """
    if run.result is None or not bins:
        return None, None
    p = np.asarray(run.result.prediction.p[observable][k], dtype=float)
    error = np.asarray(run.result.prediction.error[observable][k], dtype=float)
    return (p, error) if len(p) == bins else (None, None)


def velocity_summary(run: RunContents) -> str:
    """How to read the panels, and how well sampled the prediction is."""
    text = (
        "Orange points: the survey, with its errors. Each height is the fraction of the region's stars per "
        "unit of velocity. The strip below each panel shows the pull, (survey − model)/error; the grey band "
        "is ±1, and triangles lie beyond the strip."
    )
    if run.result is None:
        return text + " The model's prediction comes with the end of the fit."
    ess = [
        float(value)
        for value, item in zip(run.result.prediction.ess, run.survey.regions, strict=True)
        if item.used
    ]
    steps = " Blue steps: the model; the band around them is the numerical error of its prediction"
    least = f" (effective sample size of the least well sampled region: {number(min(ess), 3)})" if ess else ""
    posterior = "; the paler band: the central 95% of the posterior" if _bands_by_block(run) else ""
    return text + steps + least + posterior + "."
