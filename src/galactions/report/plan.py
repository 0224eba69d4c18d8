"""Maps of the regions in space: seen from above the Galactic plane, and from the side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Polygon

    from galactions.survey import Region


@dataclass(frozen=True)
class SkyRegion:
    """A region with its number of stars, and whether it is used in the fit."""

    region: Region
    n_stars: int
    used: bool


def span(region: Region) -> float:
    """Width of a region in longitude, degrees."""
    return region.l[1] - region.l[0]


def rgb(colour: str) -> tuple[float, float, float]:
    """A colour's red, green and blue, to be given a transparency."""

    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def draw_above(axes: Axes, items: Sequence[SkyRegion], colours: dict[str, str], d_sun: float) -> None:
    """Draw the regions as seen from the north Galactic pole, in kpc, with the Sun at (-d_sun, 0). The limits
    are those of the regions that are used.
    """
    from matplotlib.patches import Circle

    style.dress(axes, grid=False)
    outlines: dict[bool, list[NDArray[np.float64]]] = {True: [], False: []}
    for item in sorted(items, key=lambda entry: -entry.region.distance[1]):
        region = item.region
        if span(region) >= 359.0:
            continue
        reach = np.cos(np.radians(0.5 * (region.b[0] + region.b[1])))
        lon = np.radians(np.linspace(*region.l, 40))
        d0, d1 = (d * reach for d in region.distance)
        x = np.concatenate([d1 * np.cos(lon), d0 * np.cos(lon[::-1])]) - d_sun
        y = np.concatenate([d1 * np.sin(lon), d0 * np.sin(lon[::-1])])
        outline = np.stack([x, y], axis=1)
        outlines[item.used].append(outline)
        axes.add_patch(_sector(outline, item, colours))
    every = np.concatenate([*(outlines[True] or outlines[False]), [[-d_sun, 0.0]]])
    low, high = every.min(axis=0), every.max(axis=0)
    half = 0.56 * max(float((high - low).max()), 4.0)
    middle = 0.5 * (low + high)
    for radius in range(2, int(np.hypot(*(np.abs(middle) + half * 1.6))) + 3, 2):
        circle = Circle((0, 0), radius, fill=False, edgecolor=style.GRID, linewidth=0.8, zorder=0)
        axes.add_patch(circle)
    _mark_sun(axes, -d_sun, 0.0)
    equal_limits(axes, middle, half)
    _round_ticks(axes)
    axes.set_xlabel("x (kpc), towards the Galactic centre", labelpad=2)
    axes.set_ylabel("y (kpc), along rotation", labelpad=2)
    style.small_title(axes, "seen from the north Galactic pole; circles every 2 kpc of R")


def draw_side(axes: Axes, items: Sequence[SkyRegion], colours: dict[str, str], d_sun: float) -> None:
    """Draw the regions in the plane of galactocentric radius and height, in kpc, with the Sun at d_sun. The
    limits are those of the regions that are used.
    """
    style.dress(axes)
    for item in sorted(items, key=lambda entry: -entry.region.distance[1]):
        for outline in _side_outlines(item.region, d_sun):
            axes.add_patch(_sector(outline, item, colours))
    _mark_sun(axes, d_sun, 0.0, offset=(-24, -4))
    shown = [item for item in items if item.used] or items
    every = np.concatenate(
        [*(o for item in shown for o in _side_outlines(item.region, d_sun)), [[d_sun, 0.0]]]
    )
    low, high = every.min(axis=0), every.max(axis=0)
    equal_limits(
        axes, 0.5 * (low + high), 0.56 * max(float((high - low)[1]), 2.0), 0.62 * float((high - low)[0])
    )
    _round_ticks(axes)
    axes.set_xlabel("R (kpc)", labelpad=2)
    axes.set_ylabel("z (kpc)", labelpad=2)
    style.small_title(axes, "from the side, each region along its middle longitude")


def _side_outlines(region: Region, d_sun: float) -> list[NDArray[np.float64]]:
    """(R, z) outlines (n, 2), kpc, of the region along its middle longitude; of an all-round one, along l =
    0 and 180.
    """
    middles = [0.0, 180.0] if span(region) >= 359.0 else [region.l[0] + 0.5 * span(region)]
    b = np.radians(np.linspace(*region.b, 20))
    d = np.concatenate([np.full(20, region.distance[1]), np.full(20, region.distance[0])])
    b = np.concatenate([b, b[::-1]])
    outlines = []
    for middle in middles:
        x = d * np.cos(b) * np.cos(np.radians(middle)) - d_sun
        y = d * np.cos(b) * np.sin(np.radians(middle))
        outlines.append(np.stack([np.hypot(x, y), d * np.sin(b)], axis=1))
    return outlines


def _sector(outline: NDArray[np.float64], item: SkyRegion, colours: dict[str, str]) -> Polygon:
    from matplotlib.patches import Polygon

    colour = colours[item.region.group] if item.used else style.UNUSED
    return Polygon(
        outline,
        closed=True,
        facecolor=(*rgb(colour), 0.13 if item.used else 0.0),
        edgecolor=colour,
        linewidth=1.0,
        linestyle="-" if item.used else ":",
        zorder=2,
    )


def equal_limits(
    axes: Axes, middle: NDArray[np.float64], half_height: float, half_width: float = 0.0
) -> None:
    """Limits around `middle` with equal scales in both directions that show at least the given half sizes
    (kpc).
    """
    box = axes.get_position()
    width, height = axes.figure.get_size_inches() * (box.width, box.height)  # type: ignore[union-attr]
    scale = max(half_height / height, half_width / width)
    axes.set_xlim(middle[0] - scale * width, middle[0] + scale * width)
    axes.set_ylim(middle[1] - scale * height, middle[1] + scale * height)


def _round_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))


def _mark_sun(axes: Axes, x: float, y: float, offset: tuple[float, float] = (6, 4)) -> None:
    axes.plot([x], [y], "o", markersize=6, markerfacecolor="white", markeredgecolor=style.INK, zorder=5)
    axes.plot([x], [y], "o", markersize=1.6, color=style.INK, zorder=6)
    axes.annotate(
        "Sun", (x, y), xytext=offset, textcoords="offset points", size=7.5, color=style.INK, zorder=6
    )
