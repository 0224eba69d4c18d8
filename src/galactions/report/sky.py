"""Where the regions lie on the sky, beside their maps from above and from the side."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from galactions.report import style
from galactions.report.layers import Footprint, Layer, layers
from galactions.report.plan import SkyRegion, draw_above, draw_side, rgb, span
from galactions.report.sky_labels import LINE, box_label, named_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    from galactions.survey import Region, Stars


MOST_POINTS = 60_000
"""Stars drawn as points; of more, every so many."""

FEW = 3000
"""Up to so many the points are larger than a pixel."""

MAP_WIDTH = 4.7
"""Inches; of every map."""

_LEFT, _RIGHT = 0.6, style.WIDTH - 0.1 - MAP_WIDTH
_BELOW, _ABOVE = 0.5, 0.27
"""Inches below a map for its axis, above it for its title."""
_LINE_OF_TEXT = 0.25
"""Inches."""
_LEGEND_COLUMNS = 5


def sky_map(items: Sequence[SkyRegion], d_sun: float, stars: Stars | None = None) -> Figure:
    """Maps of the regions: (l, b) with names and numbers of stars, on as many maps as it takes for none to
    lie on another; (x, y) from above; (R, z) from the side. d_sun in kpc. With `stars`, those at the
    distances of a map's regions are grey points behind the boxes, as in Figure 3 of the paper.
    """
    colours = style.group_colours([item.region.group for item in items if item.used])
    all_round = [item for item in items if span(item.region) >= 359.0]
    boxes = [item for item in items if span(item.region) < 359.0]
    centre = _centre(boxes) if boxes else 180.0
    maps, homeless = layers(boxes, [(*_unwrapped(item.region, centre), *item.region.b) for item in boxes])
    ends = _ends([footprint for layer in maps for footprint in layer.footprints])
    tall = float(np.clip(MAP_WIDTH * (ends[3] - ends[2]) / (ends[1] - ends[0]), 2.3, 3.2)) if maps else 2.3
    handles = _handles(items, colours)
    bands = _bands(all_round)
    head = _LINE_OF_TEXT * (-(-len(handles) // _LEGEND_COLUMNS) + len(bands)) + 0.1
    missing = _missing(homeless)
    rows = max(2, (len(maps) + 1) // 2 + 1)
    pitch = _ABOVE + tall + _BELOW
    height = head + rows * pitch + _LINE_OF_TEXT * len(missing)
    figure = style.new_figure(height)

    def cell(row: int, x: float, rows: int = 1) -> Axes:
        bottom = height - head - (row + rows) * pitch + _BELOW
        size = (rows - 1) * pitch + tall
        return figure.add_axes((x / style.WIDTH, bottom / height, MAP_WIDTH / style.WIDTH, size / height))

    places = [(0, _LEFT), (1, _LEFT), *((row, x) for row in range(2, rows) for x in (_LEFT, _RIGHT))]
    for layer, (row, x) in zip(maps, places, strict=False):
        axes = cell(row, x, rows=2 if len(maps) == 1 else 1)
        _draw_layer(axes, layer, colours, ends, over_stars=stars is not None)
        if stars is not None:
            _draw_stars(axes, stars, layer, centre)
    draw_above(cell(0, _RIGHT), items, colours, d_sun)
    draw_side(cell(1, _RIGHT), items, colours, d_sun)
    _draw_head(figure, handles, bands, colours)
    for i, line in enumerate(reversed(missing)):
        at = (_LEFT / style.WIDTH, (i + 0.4) * _LINE_OF_TEXT / height)
        figure.text(*at, line, size=7.5, color=style.MUTED, parse_math=False)
    return figure


def _draw_stars(axes: Axes, stars: Stars, layer: Layer, centre: float) -> None:
    near, far = layer.distance
    here = np.flatnonzero((stars.distance >= near) & (stars.distance <= far))
    some = here[:: 1 + len(here) // MOST_POINTS]
    axes.plot(
        np.mod(stars.l[some] - centre + 180.0, 360.0) + centre - 180.0,
        stars.b[some],
        "." if len(some) <= FEW else ",",
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


def _ends(footprints: Sequence[Footprint]) -> Footprint:
    """The limits of all maps, with a little room around the boxes."""
    if not footprints:
        return 0.0, 360.0, -90.0, 90.0
    low, high = np.min(footprints, axis=0), np.max(footprints, axis=0)
    pad_l, pad_b = 0.03 * (high[1] - low[0]), 0.03 * (high[3] - low[2])
    return float(low[0] - pad_l), float(high[1] + pad_l), float(low[2] - pad_b), float(high[3] + pad_b)


def _draw_layer(axes: Axes, layer: Layer, colours: dict[str, str], ends: Footprint, over_stars: bool) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import FuncFormatter

    style.dress(axes)
    axes.set_xlim(ends[1], ends[0])  # longitude grows to the left, as on the sky
    axes.set_ylim(ends[2], ends[3])
    box = axes.get_window_extent()
    points = 72.0 / axes.figure.dpi
    wide, tall = points * box.width / (ends[1] - ends[0]), points * box.height / (ends[3] - ends[2])
    labels = {
        box: box_label(members, wide * (box[1] - box[0]), tall * (box[3] - box[2]))
        for box, members in layer.footprints.items()
    }
    sizes: dict[tuple[float, float], float] = {}  # boxes of one size have letters of one size
    for (l0, l1, b0, b1), (_, size) in labels.items():
        sizes[l1 - l0, b1 - b0] = min(size, sizes.get((l1 - l0, b1 - b0), size))
    for (l0, l1, b0, b1), members in layer.footprints.items():
        used = [item for item in members if item.used]
        colour = colours[used[0].region.group] if used else style.UNUSED
        axes.add_patch(
            Rectangle(
                (l0, b0),
                l1 - l0,
                b1 - b0,
                facecolor=(*rgb(colour), 0.13 if used else 0.0),
                edgecolor=colour,
                linewidth=1.0,
                linestyle="-" if used else ":",
                zorder=3 if used else 2,
            )
        )
        axes.text(
            0.5 * (l0 + l1),
            0.5 * (b0 + b1),
            labels[l0, l1, b0, b1][0],
            ha="center",
            va="center",
            size=sizes[l1 - l0, b1 - b0],
            linespacing=LINE,
            color=style.INK if used else style.MUTED,
            zorder=5,
            parse_math=False,
            path_effects=[withStroke(linewidth=2.5, foreground="white")] if over_stars else None,
        )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value % 360.0:g}"))
    axes.set_xlabel("Galactic longitude l (deg)", labelpad=2)
    axes.set_ylabel("Galactic latitude b (deg)", labelpad=2)
    style.small_title(axes, f"regions at distances of {style.interval(*layer.distance)} kpc")


def _bands(items: Sequence[SkyRegion]) -> list[tuple[str, list[SkyRegion]]]:
    """Caps and bands round the whole sky: a text for each range of latitude, and its regions."""
    bands: dict[tuple[float, float], list[SkyRegion]] = {}
    for item in items:
        bands.setdefault(item.region.b, []).append(item)
    told = []
    for b, members in sorted(bands.items(), reverse=True):
        names = "   ".join(named_count(item) + ("" if item.used else " (left out)") for item in members)
        told.append((f"b {style.interval(*b)}°, all l:   {names}", members))
    return told


def _missing(items: Sequence[SkyRegion]) -> list[str]:
    """Lines that name the regions for which the maps have no place."""
    if not items:
        return []
    named = ", ".join(f"{item.region.name} ({item.n_stars:,} stars)" for item in items)
    return wrap(f"Left out, and hidden behind others on the sky: {named}.", 150)


def _handles(items: Sequence[SkyRegion], colours: dict[str, str]) -> list[Patch]:
    """The entries of the legend: groups, if there are several, and what is left out."""
    from matplotlib.patches import Patch

    out = [item for item in items if not item.used]
    entries = []
    for group, colour in colours.items() if len(colours) > 1 else ():
        members = [item for item in items if item.region.group == group and item.used]
        total = sum(item.n_stars for item in members)
        label = f"{group or 'no group'}: {total:,} stars in {len(members)}"
        entries.append(Patch(facecolor=(*rgb(colour), 0.13), edgecolor=colour, label=label))
    if out:
        label = f"left out: {sum(item.n_stars for item in out):,} stars in {len(out)}"
        entries.append(Patch(facecolor="none", edgecolor=style.UNUSED, linestyle=":", label=label))
    return entries


def _draw_head(
    figure: Figure,
    handles: Sequence[Patch],
    bands: Sequence[tuple[str, list[SkyRegion]]],
    colours: dict[str, str],
) -> None:
    """The legend of the groups, and below it the regions round the whole sky, above all maps."""
    height = float(figure.get_size_inches()[1])
    if handles:
        figure.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=((_LEFT - 0.1) / style.WIDTH, 1.0),
            ncols=_LEGEND_COLUMNS,
            frameon=False,
            fontsize=7.5,
            handlelength=1.4,
            columnspacing=1.4,
            borderaxespad=0.2,
        )
    top = _LINE_OF_TEXT * -(-len(handles) // _LEGEND_COLUMNS) + 0.05
    for i, (text, members) in enumerate(bands):
        used = [item for item in members if item.used]
        colour = colours[used[0].region.group] if used else style.UNUSED
        figure.text(
            (_LEFT + 0.5 * MAP_WIDTH) / style.WIDTH,
            1.0 - (top + (i + 0.5) * _LINE_OF_TEXT) / height,
            text,
            ha="center",
            va="center",
            size=7.5,
            color=style.INK if used else style.MUTED,
            parse_math=False,
            bbox={
                "boxstyle": "round,pad=0.3",
                "facecolor": (*rgb(colour), 0.13 if used else 0.0),
                "edgecolor": colour,
                "linewidth": 1.0,
                "linestyle": "-" if used else ":",
            },
        )
