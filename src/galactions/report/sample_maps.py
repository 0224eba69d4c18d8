"""Where a sample of stars lies and how it moves: the four maps of Figure 1 of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.report import style
from galactions.report.plan import equal_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from galactions.survey import Stars, Sun

CELLS = 220
"""Cells of a map along each axis."""

KERNEL = 1.5
"""Standard deviation of the Gaussian kernel that smooths a map, in cells."""

FEW = 3000
"""Stars up to which a map shows points: a kernel of a few cells would make a blob of each."""

REACH = (0.2, 99.8)
"""Percentiles of the stars that a map spans: a handful of far outliers would shrink all else."""


def smoothed_density(
    x: NDArray[np.float64], y: NDArray[np.float64], limits: tuple[tuple[float, float], tuple[float, float]]
) -> NDArray[np.float64]:
    """Stars per unit area (`CELLS`, `CELLS`), rows along x, of points (N,): counts in cells, smoothed by a
    Gaussian kernel (which is a kernel-density estimate with the resolution of the cells).
    """
    from scipy.ndimage import gaussian_filter

    counts, x_edges, y_edges = np.histogram2d(x, y, bins=CELLS, range=limits)
    area = (x_edges[1] - x_edges[0]) * (y_edges[1] - y_edges[0])
    density: NDArray[np.float64] = gaussian_filter(counts, KERNEL, mode="constant") / area
    return density


def sample_maps(stars: Stars, sun: Sun) -> Figure:
    """Figure 1: densities of a sample (with proper motions) in x-y, x-z, V_R-V_phi and V_R-V_z, or
    the stars themselves where they are few; the Sun marked.

    kpc and km/s in the frame of the paper (V_phi < 0 along rotation). Raises CatalogueError for stars without
    proper motions.
    """
    from galactions.survey import cylindrical_velocity

    xv = stars.phase_space(sun)
    V_R, V_phi, V_z = np.asarray(cylindrical_velocity(xv)).T
    figure = style.new_figure(9.0)
    figure.subplots_adjust(0.06, 0.06, 0.98, 0.95, wspace=0.16, hspace=0.2)
    panels = (
        (1, xv[:, 0], xv[:, 1], "x (kpc)", "y (kpc)", (-float(sun.d), 0.0)),
        (2, V_R, V_phi, "$V_R$ (km/s)", r"$V_\phi$ (km/s), negative along rotation", None),
        (3, xv[:, 0], xv[:, 2], "x (kpc)", "z (kpc)", (-float(sun.d), float(sun.z))),
        (4, V_R, V_z, "$V_R$ (km/s)", "$V_z$ (km/s)", None),
    )
    for number, x, y, x_label, y_label, place in panels:
        axes = figure.add_subplot(2, 2, number)
        _draw(axes, x, y)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        if place is not None:
            (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
            equal_limits(axes, np.array([x0 + x1, y0 + y1]) / 2, (y1 - y0) / 2, (x1 - x0) / 2)
            axes.plot(*place, marker="*", color=style.DATA, markersize=11, markeredgecolor="white")
    meaning = "" if len(stars) <= FEW else "; the colour is the logarithm of their density"
    figure.suptitle(f"{len(stars):,} stars{meaning}", size=style.TITLE_SIZE)
    return figure


def _draw(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    style.dress(axes, grid=False)
    limits = tuple(_span(values) for values in (x, y))
    if len(x) <= FEW:
        axes.plot(x, y, ".", color=style.MODEL, markersize=3, alpha=0.6, markeredgewidth=0)
        axes.set_xlim(*limits[0])
        axes.set_ylim(*limits[1])
        return
    density = smoothed_density(x, y, (limits[0], limits[1]))
    shown = np.ma.masked_less_equal(density, 0.03 * np.max(density) / max(1.0, np.sqrt(len(x))))
    axes.imshow(
        np.ma.log10(shown).T,
        origin="lower",
        extent=(*limits[0], *limits[1]),
        aspect="auto",
        cmap="viridis",
        interpolation="nearest",
    )


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, REACH)
    pad = 0.05 * (high - low) + 1e-9
    return float(low - pad), float(high + pad)
