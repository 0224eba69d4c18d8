"""Velocity distributions: a panel for each region, data with errors, the model's steps, and the residuals
below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from galactions.survey import Region

COLUMNS = 4
PULL_LIMIT = 4.5
"""Residuals beyond this many sigma are drawn as arrowheads at the edge of their strip."""


@dataclass(frozen=True)
class Panel:
    """One region and one observable, n bins.

    region: where on the sky. n_stars: its stars. edges (n + 1,), p and sigma (n,): the survey's histogram
    and its error; None where there is none. model, model_error (n,): the prediction; None where there is
    none. reduced_chi2: of this observable in this region; None where it was not compared. note: why the
    region is left out of the fit, or what is special about it ("not fitted"). used: whether the region was
    compared with the model at all. band: lower and upper ends (n,) of the central 95% of a posterior.
    """

    region: Region
    n_stars: int
    edges: NDArray[np.float64] | None
    p: NDArray[np.float64] | None
    sigma: NDArray[np.float64] | None
    model: NDArray[np.float64] | None
    model_error: NDArray[np.float64] | None
    reduced_chi2: float | None
    used: bool
    note: str
    band: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def velocity_panels(observable: str, panels: Sequence[Panel]) -> Figure:
    """The figure with all `panels`, four to a row, on a common velocity axis (km/s or mas/yr).

    Heights are fractions of the region's stars per unit of velocity, so bins of unequal width compare. Steps
    with a band: the model and its error; points: the survey; below each panel: (survey - model)/sigma.
    """
    rows = -(-len(panels) // COLUMNS)
    row_height, head, foot = 2.55, 0.16, 0.24
    height = rows * row_height + head + foot
    figure = style.new_figure(height)
    left, right, gap_x = 0.062, 0.993, 0.047
    cell = (right - left + gap_x) / COLUMNS
    limits = _common_limits(panels)
    for i, panel in enumerate(panels):
        row, column = divmod(i, COLUMNS)
        x = left + column * cell
        top = height - head - row * row_height
        main = figure.add_axes((x, (top - 1.93) / height, cell - gap_x, 1.53 / height))
        strip = figure.add_axes((x, (top - 2.31) / height, cell - gap_x, 0.34 / height), sharex=main)
        _draw(main, strip, panel)
        if limits is not None:
            main.set_xlim(*limits)
        lowest_of_column = i + COLUMNS >= len(panels)
        strip.tick_params(labelbottom=lowest_of_column)
        if lowest_of_column:
            symbol, unit = (
                style.OBSERVABLE_SYMBOLS.get(observable, observable),
                style.OBSERVABLE_UNITS.get(observable, ""),
            )
            strip.set_xlabel(f"{symbol} ({unit})" if unit else symbol, labelpad=2)
        if column == 0:
            main.set_ylabel(f"fraction per {style.OBSERVABLE_UNITS.get(observable, 'unit')}", labelpad=4)
            strip.set_ylabel("pull", labelpad=4)
            main.yaxis.set_label_coords(-0.235, 0.5)
            strip.yaxis.set_label_coords(-0.235, 0.5)
        for axes in (main, strip):
            axes.xaxis.label.set(size=style.TICK_SIZE + 0.5)
            axes.yaxis.label.set(size=style.TICK_SIZE)
    return figure


def _common_limits(panels: Sequence[Panel]) -> tuple[float, float] | None:
    edges = [panel.edges for panel in panels if panel.edges is not None and len(panel.edges)]
    if not edges:
        return None
    low, high = min(float(e[0]) for e in edges), max(float(e[-1]) for e in edges)
    margin = 0.02 * (high - low)
    return low - margin, high + margin


def _draw(main: Axes, strip: Axes, panel: Panel) -> None:
    style.dress(main, grid=False)
    style.dress(strip, grid=False)
    main.tick_params(labelbottom=False, labelsize=7)
    strip.tick_params(labelsize=7)
    _title(main, panel)
    strip.set_ylim(-PULL_LIMIT, PULL_LIMIT)
    strip.set_yticks([-3, 0, 3], labels=["−3", "0", "3"])
    strip.axhspan(-1, 1, color=style.GRID, linewidth=0, zorder=0)
    strip.axhline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    if not panel.used:
        for axes in (main, strip):
            axes.set_facecolor(style.GREYED)
    if panel.edges is None or panel.p is None or panel.sigma is None:
        _reason(main, panel, empty=True)
        return
    edges = panel.edges
    width = np.diff(edges)
    centre = 0.5 * (edges[1:] + edges[:-1])
    top = float(np.max((panel.p + panel.sigma) / width, initial=0.0))
    if panel.band is not None:
        low, high = (end / width for end in panel.band)
        main.stairs(
            high, edges, baseline=low, fill=True, color=style.MODEL, alpha=0.35, linewidth=0, zorder=2
        )
    if panel.model is not None:
        height = panel.model / width
        colour = style.MODEL if panel.used else style.MUTED
        main.stairs(height, edges, color=colour, linewidth=1.3, zorder=3, baseline=None)
        if panel.model_error is not None:
            error = panel.model_error / width
            main.stairs(
                height + error,
                edges,
                baseline=height - error,
                fill=True,
                color=colour,
                alpha=0.25,
                linewidth=0,
            )
        top = max(top, float(np.max(height)))
        _pulls(strip, centre, panel)
    colour = style.DATA if panel.used else style.MUTED
    main.errorbar(
        centre,
        panel.p / width,
        yerr=panel.sigma / width,
        fmt="o",
        markersize=2.4,
        color=colour,
        ecolor=colour,
        elinewidth=0.8,
        linewidth=0,
        zorder=4,
    )
    room = 1.6 if panel.note else 1.22  # for the words above the data
    main.set_ylim(0, room * top if top > 0 else 1.0)
    main.locator_params(axis="y", nbins=4)
    main.locator_params(axis="x", nbins=6)
    main.ticklabel_format(axis="y", useOffset=False)
    if panel.reduced_chi2 is not None and np.isfinite(panel.reduced_chi2):
        main.text(
            0.985,
            0.965,
            rf"$\chi^2_\nu$ = {panel.reduced_chi2:.2f}",
            transform=main.transAxes,
            ha="right",
            va="top",
            size=8,
            color=style.INK,
            bbox={
                "facecolor": "white" if panel.used else style.GREYED,
                "edgecolor": "none",
                "alpha": 0.8,
                "pad": 1,
            },
            zorder=6,
        )
    _reason(main, panel, empty=False)


def _pulls(strip: Axes, centre: NDArray[np.float64], panel: Panel) -> None:
    """(survey - model)/sigma of the bins that have an error; those beyond the strip as arrowheads at its
    edge.
    """
    if panel.p is None or panel.sigma is None or panel.model is None:
        return
    usable = panel.sigma > 0
    pull = (panel.p - panel.model)[usable] / panel.sigma[usable]
    at = centre[usable]
    inside = np.abs(pull) < PULL_LIMIT
    colour = style.DATA if panel.used else style.MUTED
    strip.vlines(at[inside], 0, pull[inside], color=colour, linewidth=1.0, zorder=3)
    strip.plot(at[inside], pull[inside], "o", markersize=1.8, color=colour, zorder=3)
    for sign, marker in ((1, "^"), (-1, "v")):
        beyond = ~inside & (np.sign(pull) == sign)
        if beyond.any():
            edge = np.full(int(beyond.sum()), sign * (PULL_LIMIT - 0.9))
            strip.plot(at[beyond], edge, marker, markersize=3.2, color=colour, zorder=3)


def _title(main: Axes, panel: Panel) -> None:
    region = panel.region
    longitude = "all l" if abs(region.l[1] - region.l[0]) >= 360 else f"l {style.interval(*region.l)}°"
    where = f"{longitude}   b {style.interval(*region.b)}°   d {style.interval(*region.distance)} kpc"
    name = shorten(region.name, 22, placeholder="…")
    colour = style.INK if panel.used else style.MUTED
    main.text(
        0,
        1.165,
        name,
        transform=main.transAxes,
        size=9,
        weight="bold",
        color=colour,
        va="bottom",
        parse_math=False,
    )
    main.text(
        1,
        1.165,
        f"{panel.n_stars:,} star{'' if panel.n_stars == 1 else 's'}",
        transform=main.transAxes,
        size=7.5,
        color=colour,
        va="bottom",
        ha="right",
    )
    main.text(0, 1.035, where, transform=main.transAxes, size=7.5, color=style.MUTED, va="bottom")


def _reason(main: Axes, panel: Panel, empty: bool) -> None:
    text = panel.note or ("no histogram" if empty else "")
    if not text:
        return
    at = (0.5, 0.5) if empty else (0.02, 0.965)
    main.text(
        *at,
        "\n".join(wrap(text, 30 if empty else 22, max_lines=5, placeholder=" …")),
        transform=main.transAxes,
        ha="center" if empty else "left",
        va="center" if empty else "top",
        size=7.2,
        color=style.MUTED,
        style="italic",
        parse_math=False,
        zorder=6,
    )
