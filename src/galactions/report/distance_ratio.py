"""Photometric against parallax distances by direction: Figure 2 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from galactions.survey import DistanceRatio, Stars

TITLES = {"disc": "Towards the disc", "pole": "Towards the poles"}


def distance_ratio_figure(stars: Stars, ratios: Mapping[str, DistanceRatio], pole_b: float = 50.0) -> Figure:
    """Figure 2: D_photometric against D_parallax of the stars whose errors are small (`good_ratios`), one
    panel a direction, with the line of the ratio that the distances were divided by.

    The stars need `parallax` and `e_parallax` (mas) and `e_distance`; their `distance` is the photometric one
    over its ratio. `pole_b`: |b| (deg) from which on a direction is polar. Raises CatalogueError for stars
    that lack them.
    """
    from matplotlib.colors import LogNorm

    from galactions.errors import CatalogueError
    from galactions.survey.distance_ratio import direction, good_ratios, ratio_of_each

    if stars.parallax is None or stars.e_parallax is None or stars.e_distance is None:
        raise CatalogueError(
            "the comparison of distances needs parallax, e_parallax and e_distance of the stars"
        )
    scale = ratio_of_each(stars.b, ratios, pole_b)
    photometric, e_photometric = stars.distance * scale, stars.e_distance * scale
    good = good_ratios(photometric, e_photometric, stars.parallax, stars.e_parallax)
    where = direction(stars.b, pole_b)
    figure = style.new_figure(4.8)
    figure.subplots_adjust(0.06, 0.12, 0.98, 0.9, wspace=0.15)
    for number, (name, title) in enumerate(TITLES.items(), start=1):
        axes = figure.add_subplot(1, 2, number)
        style.dress(axes)
        mine = good & (where == name)
        axes.set_title(f"{title}: {int(mine.sum()):,} stars", size=style.TITLE_SIZE, color=style.INK)
        axes.set_xlabel("distance by parallax (kpc)")
        axes.set_ylabel("photometric distance (kpc)")
        if not mine.any():
            continue
        x, y = 1.0 / stars.parallax[mine], photometric[mine]
        reach = float(np.percentile(np.maximum(x, y), 99.5)) * 1.05
        axes.hist2d(x, y, bins=120, range=((0.0, reach), (0.0, reach)), norm=LogNorm(), cmap="viridis")
        ratio = ratios[name]
        axes.plot(
            [0, reach], [0, reach], color=style.MUTED, linewidth=1, linestyle="--", label="equal", zorder=3
        )
        label = f"ratio {ratio.value:.4f}" + (f" ± {ratio.error:.4f}" if ratio.n_stars else " (set)")
        axes.plot([0, reach], [0, ratio.value * reach], color=style.DATA, linewidth=1.6, label=label)
        axes.legend(loc="upper left", fontsize=style.TICK_SIZE, frameon=False)
    return figure
