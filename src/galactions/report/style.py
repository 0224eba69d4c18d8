"""How the report's figures look: colours that colour-blind readers can tell apart, canvases, and saving."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1f24"
MUTED = "#68707c"
FAINT = "#c9ced6"
GRID = "#e8eaee"
GREYED = "#f3f4f6"
UNUSED = "#9aa2ad"
"""Of what is left out of a fit."""
MODEL = "#0072B2"
DATA = "#C44E00"
BARYONS = "#56B4E9"
HALO = "#CC79A7"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#8C6D31")
"""Okabe & Ito's palette (Color Universal Design), with two more for long lists."""

WIDTH = 11.0
"""Width of every figure in inches: the page's width at 96 pixels an inch, so that 8 points stay 8 points."""

TITLE_SIZE = 9.5
LABEL_SIZE = 9.0
TICK_SIZE = 8.0

OBSERVABLE_SYMBOLS = {"v_los": r"$v_{\rm los}$", "pm_ra": r"$\mu_{\alpha*}$", "pm_dec": r"$\mu_{\delta}$"}
OBSERVABLE_HTML = {
    "v_los": Markup("v<sub>los</sub>"),
    "pm_ra": Markup("μ<sub>α*</sub>"),
    "pm_dec": Markup("μ<sub>δ</sub>"),
}
OBSERVABLE_UNITS = {"v_los": "km/s", "pm_ra": "mas/yr", "pm_dec": "mas/yr"}
OBSERVABLE_NAMES = {
    "v_los": "Line-of-sight velocity",
    "pm_ra": "Proper motion in right ascension",
    "pm_dec": "Proper motion in declination",
}


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure (sizes in inches) with its own canvas: nothing of pyplot's global state is used."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, grid: bool = True) -> None:
    """Quiet axes: thin spines on two sides, small outward ticks, a faint grid behind the data."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
        axes.spines[side].set_linewidth(0.8)
    axes.tick_params(labelsize=TICK_SIZE, colors=MUTED, labelcolor=INK, length=3, width=0.7)
    axes.xaxis.label.set(size=LABEL_SIZE, color=INK)
    axes.yaxis.label.set(size=LABEL_SIZE, color=INK)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(color=GRID, linewidth=0.7)


def group_colours(groups: Sequence[str]) -> dict[str, str]:
    """A colour for each group of regions, in order of appearance."""
    distinct = list(dict.fromkeys(groups))
    return {group: SERIES[i % len(SERIES)] for i, group in enumerate(distinct)}


def render(figure: Figure, kind: str, dpi: int = 120) -> bytes:
    """The figure as a file's content; `kind` is "png" or "svg". Equal figures give equal bytes: no date is
    stored.
    """
    from matplotlib import rc_context

    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "galactions"}):  # else the names inside an SVG are random
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def save(figure: Figure, folder: Path, name: str) -> dict[str, bytes]:
    """Writes `name`.png and `name`.svg into the folder; returns both, by kind."""
    from galactions.atomic import replacing

    content = {kind: render(figure, kind) for kind in ("png", "svg")}
    for kind, data in content.items():
        with replacing(folder / f"{name}.{kind}") as part:
            part.write_bytes(data)
    return content


def interval(low: float, high: float) -> str:
    """An interval as text: "160–170", "−20 to −10" (a dash between negative numbers would be read as a
    minus).
    """
    dash = " to " if low < 0 or high < 0 else "–"
    return f"{low:g}{dash}{high:g}".replace("-", "−")


def small_title(axes: Axes, text: str) -> None:
    """What a map or a panel shows, above it on the left."""
    axes.set_title(text, size=8, color=MUTED, loc="left", pad=5)


def mark_sun(axes: Axes, d_sun: float, label: bool = True) -> None:
    """A dashed line at the Sun's radius d_sun (kpc), named at its lower end unless `label` is false."""
    axes.axvline(d_sun, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    if label:
        axes.annotate(
            "Sun",
            (d_sun, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, 4),
            textcoords="offset points",
            size=7.5,
            color=MUTED,
        )
