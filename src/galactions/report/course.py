"""How a fit went: the chi2 of every trial, and the approach of the final model to self-consistency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from galactions.inference.trials import Trial


_NAMES = {"halo": "dark halo", "HI": "H I", "H2": "H₂"}

LABEL_SPACING = 8.0
"""Least distance in points between the names at the ends of two lines."""


def convergence_figure(trials: Sequence[Trial]) -> Figure:
    """chi2 against trial, with the best so far of each round; failed trials are crosses at the top; seconds
    on the right.

    Trials for derivatives have no chi2 and appear only on the right. A dashed line marks where a round of
    re-weighting begins: chi2 before and after it are sums with different errors.
    """
    values = np.array([np.nan if t.chi2 is None else t.chi2 for t in trials], dtype=float)
    trial = np.array([t.number for t in trials], dtype=float)
    rounds = np.array([t.round for t in trials], dtype=int)
    failed = np.array([t.failed for t in trials], dtype=bool)
    good = np.isfinite(values) & ~failed
    figure = style.new_figure(3.1)
    axes = figure.add_axes((0.06, 0.155, 0.6, 0.75))
    style.dress(axes)
    axes.set_xlabel("trial")
    axes.set_ylabel(r"mean reduced $\chi^2$")
    if good.any():
        axes.plot(trial[good], values[good], "o", markersize=3, color=style.BARYONS, label="trial", zorder=3)
        for number in np.unique(rounds[good]):
            here = good & (rounds == number)
            axes.step(
                trial[here],
                np.minimum.accumulate(values[here]),
                where="post",
                color=style.MODEL,
                linewidth=1.6,
                label="best so far" if number == rounds[good][0] else None,
                zorder=4,
            )
        for begin in np.flatnonzero(np.diff(rounds) > 0) + 1:
            axes.axvline(
                trial[begin] - 0.5, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=2
            )
            axes.annotate(
                f"round {rounds[begin]}",
                (trial[begin] - 0.5, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, -9),
                textcoords="offset points",
                size=7.5,
                color=style.MUTED,
            )
        low, high = float(np.nanmin(values[good])), float(np.nanmax(values[good]))
        if low > 0 and high > 8 * low:
            axes.set_yscale("log")
            plain_numbers(axes.yaxis)
    if failed.any():
        axes.plot(
            trial[failed],
            np.full(int(failed.sum()), 0.97),
            "x",
            markersize=4.5,
            color=style.DATA,
            transform=axes.get_xaxis_transform(),
            label="failed trial",
            clip_on=False,
            zorder=5,
        )
    axes.set_xlim(0.5, max(trial, default=1.0) + 0.5)
    _whole_numbers(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            frameon=False,
            fontsize=8,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=3,
            borderaxespad=0.2,
        )
    pace = figure.add_axes((0.73, 0.155, 0.26, 0.75))
    style.dress(pace)
    time = np.array([t.seconds for t in trials], dtype=float)
    if np.isfinite(time).any():
        pace.plot(trial, time, "o", markersize=2.6, color=style.MUTED)
        pace.set_ylim(0, 1.12 * float(np.nanmax(time)))
    pace.set_xlim(axes.get_xlim())
    pace.set_xlabel("trial")
    pace.set_ylabel("time (s)")
    _whole_numbers(pace)
    return figure


def iteration_figure(history: Sequence[Mapping[str, object]], initial: Mapping[str, object] | None) -> Figure:
    """The self-consistent iteration: residual, v_circ and densities at the Sun, and M200.

    history: the entries of `galaxy.history` as plain mappings (`residual`, `v_circ_sun_kms`, `m200_msun`,
    `density_sun_msun_pc3` by component; `iteration`, else they count from 1); initial: the same of the
    initial potential, drawn at iteration 0, unless the history holds it. What an entry lacks is not drawn.
    """
    entries = [(_iteration(entry, k), entry) for k, entry in enumerate(history, start=1)]
    if initial and all(k > 0 for k, _ in entries):
        entries.insert(0, (0, initial))
    figure = style.new_figure(2.9)
    residual = _panel(figure, 0, "relative change of the force")
    at, values = _series(entries, "residual")
    if len(values):
        residual.plot(at, values, "o-", color=style.MODEL, markersize=3.5, linewidth=1.2)
        if np.all(values > 0):
            residual.set_yscale("log")
    velocity = _panel(figure, 1, r"$v_{\rm c}$ at the Sun (km/s)")
    at, values = _series(entries, "v_circ_sun_kms")
    velocity.plot(at, values, "o-", color=style.MODEL, markersize=3.5, linewidth=1.2)
    mass = _panel(figure, 2, r"$M_{200}$ ($10^{12}\,M_\odot$)")
    at, values = _series(entries, "m200_msun")
    mass.plot(at, values / 1e12, "o-", color=style.MODEL, markersize=3.5, linewidth=1.2)
    density = _panel(figure, 3, r"density at the Sun ($M_\odot\,{\rm pc}^{-3}$)")
    _draw_densities(density, entries)
    for axes in (residual, velocity, mass, density):
        axes.set_xlim(-0.4, max((k for k, _ in entries), default=1) + 0.4)
        _whole_numbers(axes)
    for axes in (velocity, mass):
        axes.locator_params(axis="y", nbins=6)
        axes.ticklabel_format(axis="y", useOffset=False)
    return figure


def _draw_densities(axes: Axes, entries: Sequence[tuple[int, Mapping[str, object]]]) -> None:
    """A line for each component that counts at the Sun, named at its end; names keep clear of each other."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for k, entry in entries:
        for name, value in _densities(entry).items():
            curves.setdefault(name, []).append((k, value))
    curves = {name: points for name, points in curves.items() if max(value for _, value in points) > 1e-6}
    if not curves:
        return
    axes.set_yscale("log")
    for colour, points in zip(cycle(style.SERIES), curves.values(), strict=False):
        axes.plot(*zip(*points, strict=True), "o-", color=colour, markersize=3, linewidth=1.1)
    plain_numbers(axes.yaxis)
    colours = dict(zip(curves, cycle(style.SERIES), strict=False))
    above = -np.inf
    for name in sorted(curves, key=lambda name: curves[name][-1][1]):
        place = float(axes.transData.transform(curves[name][-1])[1]) / axes.figure.dpi * 72.0
        above = max(place, above + LABEL_SPACING)
        axes.annotate(
            component_name(name),
            curves[name][-1],
            xytext=(6, above - place),
            textcoords="offset points",
            va="center",
            size=7,
            color=colours[name],
            annotation_clip=False,
        )


def component_name(name: str) -> str:
    """A component's name as text: "thin_disk" -> "thin disc", "halo" -> "dark halo", "H2" -> "H₂"."""
    return _NAMES.get(name) or name.replace("_disk", " disc").replace("_", " ")


def _panel(figure: Figure, i: int, label: str) -> Axes:
    axes = figure.add_axes((0.062 + 0.239 * i, 0.17, 0.158, 0.72))
    style.dress(axes)
    axes.set_xlabel("iteration")
    style.small_title(axes, label)
    return axes


def _iteration(entry: Mapping[str, object], otherwise: int) -> int:
    number = entry.get("iteration")
    return number if isinstance(number, int) else otherwise


def _series(entries: Sequence[tuple[int, Mapping[str, object]]], key: str) -> tuple[np.ndarray, np.ndarray]:
    found = [(k, float(entry[key])) for k, entry in entries if isinstance(entry.get(key), int | float)]  # type: ignore[arg-type]
    return np.array([k for k, _ in found]), np.array([value for _, value in found])


def _densities(entry: Mapping[str, object]) -> Mapping[str, float]:
    found = entry.get("density_sun_msun_pc3")
    return found if isinstance(found, Mapping) else {}


def plain_numbers(axis: Axis) -> None:
    """Ticks such as 0.5, 1, 2, 5, 10 on a logarithmic axis, in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
