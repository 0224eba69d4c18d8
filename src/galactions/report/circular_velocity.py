"""The circular-velocity curve of the model, split into baryons and halo, with the published curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from galactions.data.published import CircularVelocityCurve

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")


@dataclass(frozen=True)
class ModelCurve:
    """A model's circular velocity: R (n,) in kpc; total, baryons and halo (n,) in km/s (the parts may be
    missing).
    """

    R: NDArray[np.float64]
    total: NDArray[np.float64]
    baryons: NDArray[np.float64] | None
    halo: NDArray[np.float64] | None


@dataclass(frozen=True)
class VelocityBand:
    """A posterior's circular velocity: R (n,) in kpc; quantiles (5, n) in km/s at 2.5, 16, 50, 84, 97.5%."""

    R: NDArray[np.float64]
    quantiles: NDArray[np.float64]


def circular_velocity_figure(
    model: ModelCurve | None,
    published: Sequence[CircularVelocityCurve],
    d_sun: float,
    band: VelocityBand | None = None,
) -> Figure:
    """The curve (left, as Fig. 17 of the paper), and the published points enlarged around it (right).

    d_sun: the Sun's distance from the Galactic centre, kpc, marked by a line. Published points whose error
    is not to be trusted are hollow. band: drawn around the curve where there is a posterior.
    """
    figure = style.new_figure(4.3)
    whole = figure.add_axes((0.055, 0.125, 0.4, 0.83))
    near = figure.add_axes((0.53, 0.125, 0.46, 0.83))
    for axes in (whole, near):
        style.dress(axes)
        style.mark_sun(axes, d_sun)
        axes.set_xlabel("R (kpc)")
        axes.set_ylabel(r"circular velocity $v_{\rm c}$ (km/s)")
        if band is not None:
            for low, high, alpha in ((0, 4, 0.18), (1, 3, 0.3)):
                axes.fill_between(
                    band.R,
                    band.quantiles[low],
                    band.quantiles[high],
                    color=style.MODEL,
                    alpha=alpha,
                    linewidth=0,
                    zorder=2.5,
                )
    if model is not None:
        parts = (
            ("total", model.total, style.INK, "-"),
            ("baryons", model.baryons, style.BARYONS, "--"),
            ("dark halo", model.halo, style.HALO, (0, (7, 3))),
        )
        for label, part, colour, dashes in parts:
            if part is not None:
                whole.plot(
                    model.R, part, color=colour, linestyle=dashes, linewidth=1.8, label=label, zorder=4
                )
        near.plot(model.R, model.total, color=style.INK, linewidth=1.8, zorder=5, label="model")
    for i, curve in enumerate(published):
        colour = style.SERIES[i % len(style.SERIES)]
        _points(near, curve, colour, MARKERS[i % len(MARKERS)], 3.6)
        whole.plot(curve.R, curve.v_c, ".", color=style.MUTED, markersize=2.2, alpha=0.7, zorder=2)
    outermost = max([float(np.max(curve.R)) for curve in published] + [25.0 if model is None else 0.0])
    if model is not None:
        outermost = max(outermost, min(30.0, float(model.R[-1])))
        drawn = [model.total[model.R <= 30.0], *(curve.v_c for curve in published)]
        whole.set_ylim(0, 1.08 * max(float(np.nanmax(values)) for values in drawn))
    whole.set_xlim(0, outermost * 1.02)
    if model is not None:
        whole.legend(frameon=False, fontsize=8, loc="lower right", handlelength=2.8)
    near.set_xlim(4, outermost * 1.02)
    near.set_ylim(*_near_limits(model))
    if near.get_legend_handles_labels()[0]:
        near.legend(
            framealpha=0.85,
            edgecolor="none",
            fontsize=7.5,
            ncols=2,
            loc="lower left",
            bbox_to_anchor=(0.0, 0.05),
            handletextpad=0.5,
            columnspacing=1.2,
        )
    return figure


def _near_limits(model: ModelCurve | None) -> tuple[float, float]:
    """160-260 km/s, where the published points lie, or more if the model leaves that range (km/s)."""
    low, high = 160.0, 260.0
    if model is not None:
        shown = model.total[(model.R >= 4.0) & (model.R <= 28.0) & np.isfinite(model.total)]
        low, high = (
            min(low, 0.97 * float(np.min(shown, initial=low))),
            max(high, 1.03 * float(np.max(shown, initial=high))),
        )
    return low, high


def _points(axes: Axes, curve: CircularVelocityCurve, colour: str, marker: str, size: float) -> None:
    for which, face in ((curve.reliable, colour), (~curve.reliable, "white")):
        if which.any():
            axes.errorbar(
                curve.R[which],
                curve.v_c[which],
                yerr=(curve.err_minus[which], curve.err_plus[which]),
                fmt=marker,
                markersize=size,
                markerfacecolor=face,
                markeredgecolor=colour,
                markeredgewidth=0.8,
                ecolor=colour,
                elinewidth=0.7,
                alpha=0.85,
                linewidth=0,
                zorder=3,
                label=curve.name if face == colour else None,
            )
