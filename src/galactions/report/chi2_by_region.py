"""Reduced chi2 of every region and observable on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from galactions.report import style
from galactions.report.course import plain_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from galactions.inference.chi2 import Chi2Table

MARKERS = ("o", "s", "^", "D")


def chi2_figure(table: Chi2Table) -> Figure:
    """Reduced chi2 (logarithmic) against region: a bar for all observables together, and a marker for each
    where there are several.

    Regions that are compared but not fitted have a hollow bar; unused ones are named on the axis, without
    markers.
    """
    rows = table.rows
    long_names = max((len(row.region) for row in rows), default=0) > 4 or len(rows) > 40
    figure = style.new_figure(3.0)
    axes = figure.add_axes((0.06, 0.24 if long_names else 0.09, 0.93, 0.68 if long_names else 0.81))
    style.dress(axes)
    axes.grid(visible=False, axis="x")
    colours = style.group_colours([row.group for row in rows if row.used])
    at = np.arange(len(rows))
    drawn = [
        value for row in rows for value in (row.reduced, *map(row.reduced_of, table.observables)) if value > 0
    ]
    low = 0.7 * min([*drawn, 1.0])
    for x, row in zip(at, rows, strict=True):
        if row.used and np.isfinite(row.reduced):
            colour = colours[row.group]
            axes.bar(
                x,
                row.reduced - low,
                bottom=low,
                width=0.72,
                color=colour if row.fitted else "white",
                edgecolor=colour,
                alpha=0.35 if row.fitted else 1.0,
                linewidth=1.0,
                zorder=2,
            )
        else:
            axes.axvspan(x - 0.45, x + 0.45, color=style.GREYED, zorder=0)
    shift = np.linspace(-0.2, 0.2, len(table.observables)) if len(table.observables) > 1 else np.zeros(1)
    for i, name in enumerate(table.observables if len(table.observables) > 1 else ()):
        values = np.array([row.reduced_of(name) if row.used else np.nan for row in rows])
        axes.plot(
            at + shift[i],
            values,
            MARKERS[i % len(MARKERS)],
            markersize=3.6,
            color=style.INK,
            markerfacecolor="white",
            markeredgewidth=0.9,
            linewidth=0,
            zorder=4,
            label=style.OBSERVABLE_SYMBOLS.get(name, name),
        )
    axes.axhline(1.0, color=style.INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=3)
    axes.set_yscale("log")
    axes.set_ylim(low, 1.35 * max([*drawn, 1.5]))
    axes.set_ylabel(r"reduced $\chi^2$")
    axes.set_xlim(-0.7, len(rows) - 0.3)
    axes.set_xticks(
        at,
        [row.region for row in rows],
        rotation=40 if long_names else 0,
        ha="right" if long_names else "center",
        parse_math=False,
    )
    plain_numbers(axes.yaxis)
    if len(table.observables) > 1:
        axes.legend(
            frameon=False,
            fontsize=8,
            ncols=len(table.observables),
            loc="upper left",
            bbox_to_anchor=(0, 1.12),
        )
    return figure
