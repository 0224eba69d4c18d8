"""Figures of a built model's structure: masses through the iterations, densities, surface densities and
stability (paper, figs. 6, 13, 14 and 16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from galactions.data.published import paper_result
from galactions.report import style
from galactions.report.components import component_styles
from galactions.report.course import plain_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from galactions.galaxy import Galaxy

SHOWN_ITERATIONS = (1, 3, 6, 10)
"""Those that the paper's Fig. 6 shows."""
_LEAST_DENSITY = 1e-5
"""Msun/pc^3; the lower end of the axes of density."""


def shown_stages(galaxy: Galaxy) -> list[tuple[str, dict[str, Any]]]:
    """The entries of the history that are drawn, by their labels: the initial state, some, and the last."""
    last = galaxy.iterations
    stages = [("initial", galaxy.initial)] if galaxy.initial else []
    for entry in galaxy.history:
        number = entry["iteration"]
        if number == last or number in SHOWN_ITERATIONS:
            stages.append(("last, " * (number == last) + f"iteration {number}", entry))
    return stages


def mass_figure(galaxy: Galaxy) -> Figure:
    """Mass within spheres at stages of the iteration (fig. 6), and its ratio to the initial one."""
    figure = style.new_figure(3.6)
    mass, ratio = figure.add_axes((0.07, 0.14, 0.4, 0.82)), figure.add_axes((0.57, 0.14, 0.42, 0.82))
    stages = shown_stages(galaxy)
    first = np.array(stages[0][1]["profiles"]["mass_within_msun"])
    for number, (label, entry) in enumerate(stages):
        r, within = (np.array(entry["profiles"][key]) for key in ("r_kpc", "mass_within_msun"))
        look: dict[str, Any] = {"color": style.SERIES[number % len(style.SERIES)], "linewidth": 1.5}
        mass.plot(r, within, label=label, **look)
        ratio.plot(r, within / first, **look)
    mass.plot(
        galaxy.virial().r200,
        galaxy.virial().m200,
        "o",
        color=style.INK,
        markersize=5,
        label=r"$M_{200}$, last",
    )
    mass.set_ylabel(r"mass within $r$ ($M_\odot$)")
    mass.set_yscale("log")
    ratio.set_ylabel("ratio to the initial mass")
    for axes in (mass, ratio):
        axes.set_xscale("log")
        axes.set_xlabel("r (kpc)")
        plain_numbers(axes.xaxis)
        style.dress(axes)
    mass.legend(frameon=False, fontsize=8)
    return figure


def density_figure(galaxy: Galaxy) -> Figure:
    """Densities by component in the midplane (fig. 13) and above the Sun (fig. 14).

    Circles: what the paper's Table 4 gives at the Sun, for the models that it has.
    """
    figure = style.new_figure(4.4)
    from matplotlib.lines import Line2D

    plane, above = figure.add_axes((0.065, 0.115, 0.4, 0.85)), figure.add_axes((0.535, 0.115, 0.325, 0.85))
    d_sun = galaxy.spec.parameters["d_sun"]
    R, z = np.geomspace(0.1, 30.0, 120), np.linspace(0.0, 4.0, 120)
    styles = component_styles(galaxy.spec)
    for axes, at, densities in (
        (plane, R, galaxy.midplane_densities(R)),
        (above, z, galaxy.vertical_densities(z)),
    ):
        for name, values in densities.items():
            axes.plot(at, 1e-9 * np.asarray(values), **styles[name])
        axes.set_yscale("log")
        axes.set_ylabel(r"density ($M_\odot\,{\rm pc}^{-3}$)")
    printed = paper_result(galaxy.spec.name)
    at_sun = printed.density_sun if printed else {}
    for name, value in at_sun.items():
        for axes, place in ((plane, d_sun), (above, 0.0)):
            look = {"markerfacecolor": "none", "markeredgecolor": styles[name]["color"], "markersize": 5}
            axes.plot(place, value, "o", clip_on=False, zorder=5, **look)
    top = 1e-9 * max(float(np.max(values)) for values in galaxy.midplane_densities(R[R > 0.3]).values())
    plane.set(ylim=(_LEAST_DENSITY, 2 * top), xlabel="R (kpc)", xscale="log", xlim=(0.1, 30.0))
    above.set(ylim=(_LEAST_DENSITY, 0.2), xlabel=f"z (kpc) at R = {d_sun:g} kpc", xlim=(0.0, 4.0))
    plain_numbers(plane.xaxis)
    for axes in (plane, above):
        style.dress(axes)
    style.mark_sun(plane, d_sun)
    handles = above.get_legend_handles_labels()[0]
    if at_sun:
        look = {"markerfacecolor": "none", "markeredgecolor": style.MUTED, "markersize": 5, "linestyle": ""}
        handles.append(Line2D([], [], marker="o", label="paper, Table 4", **look))
    above.legend(
        handles=handles,
        frameon=False,
        fontsize=8,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        handlelength=2.6,
    )
    return figure


def surface_density_figure(galaxy: Galaxy) -> Figure:
    """Surface densities of the stellar discs and of their sum (fig. 16), and Toomre's Q of them."""
    figure = style.new_figure(3.6)
    surface, stability = figure.add_axes((0.07, 0.14, 0.4, 0.82)), figure.add_axes((0.57, 0.14, 0.42, 0.82))
    R, d_sun = np.linspace(1.0, 25.0, 49), galaxy.spec.parameters["d_sun"]
    styles, names = component_styles(galaxy.spec), galaxy.spec.stellar_disks
    total = np.zeros(len(R))
    for name in names:
        values = 1e-6 * np.asarray(galaxy.surface_density(name, R))
        total += values
        surface.plot(R, values, **styles[name])
        stability.plot(R, galaxy.toomre_q(R, [name]), **styles[name])
    look: dict[str, Any] = {"color": style.MODEL, "linewidth": 1.8, "label": "all"}
    surface.plot(R, total, **look)
    stability.plot(R, galaxy.toomre_q(R), **look)
    at_sun = float(np.interp(d_sun, R, total))
    guide = at_sun * np.exp(-(R - d_sun) / 3.0)
    surface.plot(R, guide, color=style.MUTED, linestyle=":", linewidth=1.2, label="scale length 3 kpc")
    surface.set(yscale="log", ylabel=r"surface density ($M_\odot\,{\rm pc}^{-2}$)", ylim=(1e-2, 3e3))
    stability.axhline(1.0, color=style.MUTED, linestyle=":", linewidth=1.2)
    stability.set(ylabel="Toomre's Q", yscale="log")
    plain_numbers(stability.yaxis)
    for axes in (surface, stability):
        style.mark_sun(axes, d_sun)
        axes.set_xlabel("R (kpc)")
        style.dress(axes)
    surface.legend(frameon=False, fontsize=8)
    return figure
