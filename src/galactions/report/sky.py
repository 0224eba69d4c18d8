"""Where the regions lie on the sky, beside their maps from above and from the side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from galactions.report import style
from galactions.report.plan import SkyRegion, draw_above, draw_side, rgb, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from galactions.survey import Region, Stars


MOST_POINTS = 60_000
"""Stars drawn as points; of more, every so many."""

FEW = 3000
"""Up to so many the points are larger than a pixel."""


def sky_map(items: Sequence[SkyRegion], d_sun: float, stars: Stars | None = None) -> Figure:
    """Three maps of the regions: (l, b) with names and counts; (x, y) from above; (R, z) from the side.
    d_sun in kpc. With `stars`, the first one shows them as grey points behind the boxes, as Figure 3 of the
    paper does.
    """
    colours = style.group_colours([item.region.group for item in items])
    figure = style.new_figure(5.6)
    all_round = [item for item in items if span(item.region) >= 359.0]
    boxes = [item for item in items if span(item.region) < 359.0]
    strip_height = 0.05 + 0.045 * len({item.region.b for item in all_round}) if all_round else 0.0
    if boxes:
        sky = figure.add_axes((0.055, 0.1, 0.475, 0.8 - strip_height))
        _draw_boxes(sky, boxes, colours)
        if stars is not None:
            _draw_stars(sky, stars, _centre(boxes))
    if all_round:
        base = 0.92 - strip_height if boxes else 0.4
        strip = figure.add_axes((0.055, base, 0.475, strip_height - 0.02))
        _draw_all_round(strip, all_round, colours)
    above = figure.add_axes((0.6, 0.415, 0.39, 0.5))
    draw_above(above, items, colours, d_sun)
    side = figure.add_axes((0.6, 0.1, 0.39, 0.215))
    draw_side(side, items, colours, d_sun)
    _legend(figure, items, colours)
    return figure


def _draw_stars(axes: Axes, stars: Stars, centre: float) -> None:
    some = slice(None, None, 1 + len(stars) // MOST_POINTS)
    lon = np.mod(stars.l[some] - centre + 180.0, 360.0) + centre - 180.0
    axes.plot(
        lon,
        stars.b[some],
        "." if len(lon) <= FEW else ",",
        markersize=3.0,
        markeredgewidth=0.0,
        color=style.MUTED,
        alpha=0.5,
        zorder=1,
        scalex=False,
        scaley=False,
    )


def _unwrapped(region: Region, centre: float) -> tuple[float, float]:
    """The region's longitudes, moved by whole turns to lie around `centre` (degrees)."""
    width = span(region)
    low = region.l[0] + 360.0 * round((centre - region.l[0] - 0.5 * width) / 360.0)
    return low, low + width


def _centre(items: Sequence[SkyRegion]) -> float:
    """The mean direction of the boxes in longitude, degrees in [0, 360)."""
    middle = np.radians([item.region.l[0] + 0.5 * span(item.region) for item in items])
    return float(np.degrees(np.arctan2(np.sin(middle).mean(), np.cos(middle).mean())) % 360.0)


def _draw_boxes(axes: Axes, items: Sequence[SkyRegion], colours: dict[str, str]) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import FuncFormatter

    style.dress(axes)
    centre = _centre(items)
    footprints: dict[tuple[float, float, float, float], list[SkyRegion]] = {}
    for item in items:
        footprints.setdefault((*_unwrapped(item.region, centre), *item.region.b), []).append(item)
    wide = [f for f in footprints if any(_covers(f, other) for other in footprints if other != f)]
    left, right = min(f[0] for f in footprints), max(f[1] for f in footprints)
    low, high = min(f[2] for f in footprints), max(f[3] for f in footprints)
    for footprint, members in sorted(footprints.items(), key=lambda entry: -_area(entry[0])):
        l0, l1, b0, b1 = footprint
        outline = footprint in wide
        colour = colours[members[0].region.group]
        any_used = any(item.used for item in members)
        axes.add_patch(
            Rectangle(
                (l0, b0),
                l1 - l0,
                b1 - b0,
                facecolor="none" if outline else (*rgb(colour), 0.13 if any_used else 0.0),
                edgecolor=colour if any_used else style.FAINT,
                linewidth=2.0 if outline else 1.0,
                linestyle="-" if any_used else ":",
                zorder=3 if outline else 2,
            )
        )
    below = low
    for footprint, members in footprints.items():
        l0, l1, b0, b1 = footprint
        if footprint in wide:
            shown = _count_lines(members, per_line=2)
            axes.annotate(
                shown,
                xy=(0.5 * (l0 + l1), b0),
                xytext=(0.5 * (l0 + l1), low - 0.05 * (high - low)),
                ha="center",
                va="top",
                size=7,
                color=style.INK,
                arrowprops={"arrowstyle": "-", "color": style.MUTED, "linewidth": 0.7},
                zorder=6,
                parse_math=False,
            )
            below = min(below, low - (0.05 + 0.05 * (shown.count("\n") + 1)) * (high - low))
        else:
            across, up = (l1 - l0) / (right - left), (b1 - b0) / (high - low)
            shown = _count_lines(members, distances=across > 0.24)
            size = 8.5 if across > 0.5 else 7.5 if across > 0.24 else 7.0 if across > 0.1 else 6.0
            if 0.03 * (shown.count("\n") + 1) > up:
                size = 5.5
            axes.text(
                0.5 * (l0 + l1),
                0.5 * (b0 + b1),
                shown,
                ha="center",
                va="center",
                size=size,
                color=style.INK,
                zorder=5,
                parse_math=False,
            )
    pad = 0.03 * (right - left)
    axes.set_xlim(right + pad, left - pad)  # longitude grows to the left, as on the sky
    axes.set_ylim(below - 0.03 * (high - low), high + 0.03 * (high - low))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value % 360.0:g}"))
    axes.set_xlabel("Galactic longitude l (deg)")
    axes.set_ylabel("Galactic latitude b (deg)")


def _covers(outer: tuple[float, float, float, float], inner: tuple[float, float, float, float]) -> bool:
    lon, lat = 0.5 * (inner[0] + inner[1]), 0.5 * (inner[2] + inner[3])
    return _area(outer) > _area(inner) and outer[0] < lon < outer[1] and outer[2] < lat < outer[3]


def _area(footprint: tuple[float, float, float, float]) -> float:
    return (footprint[1] - footprint[0]) * (footprint[3] - footprint[2])


def _count_lines(members: Sequence[SkyRegion], per_line: int = 1, distances: bool = False) -> str:
    labels = []
    for item in members:
        where = f" ({style.degrees(*item.region.distance)} kpc)" if distances else ""
        left_out = "" if item.used else ("\nleft out" if per_line == 1 and not distances else " (left out)")
        labels.append(f"{item.region.name}{where}: {item.n_stars:,}{left_out}")
    return "\n".join("   ".join(labels[i : i + per_line]) for i in range(0, len(labels), per_line))


def _draw_all_round(axes: Axes, items: Sequence[SkyRegion], colours: dict[str, str]) -> None:
    """Caps and bands round the whole sky: a line for each range of latitude, with names and counts."""
    axes.set_axis_off()
    bands: dict[tuple[float, float], list[SkyRegion]] = {}
    for item in items:
        bands.setdefault(item.region.b, []).append(item)
    for i, (b, members) in enumerate(sorted(bands.items(), reverse=True)):
        y = 1.0 - (i + 0.5) / len(bands)
        colour = colours[members[0].region.group]
        text = f"b {style.degrees(*b)}°, all l:   " + _count_lines(members, per_line=len(members))
        axes.text(
            0.5,
            y,
            text,
            ha="center",
            va="center",
            size=7.5,
            color=style.INK,
            transform=axes.transAxes,
            parse_math=False,
            bbox={
                "boxstyle": "round,pad=0.35",
                "facecolor": (*rgb(colour), 0.13),
                "edgecolor": colour,
                "linewidth": 1.0,
            },
        )


def _legend(figure: Figure, items: Sequence[SkyRegion], colours: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    if len(colours) < 2:
        return
    handles = []
    for group, colour in colours.items():
        members = [item for item in items if item.region.group == group]
        label = f"{group or 'no group'}: {sum(item.n_stars for item in members):,} stars in {len(members)}"
        handles.append(Patch(facecolor=(*rgb(colour), 0.13), edgecolor=colour, label=label))
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.045, 1.0),
        ncols=len(handles),
        frameon=False,
        fontsize=7.5,
        handlelength=1.2,
        columnspacing=1.4,
        borderaxespad=0.2,
    )
