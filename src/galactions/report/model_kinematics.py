"""Figures of a built model's kinematics: dispersions before and after the iteration and by component, mean
streaming, eccentricities (paper, figs. 5, 7, 15 and 18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from galactions.report import style
from galactions.report.components import component_styles
from galactions.report.course import component_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from galactions.galaxy import Galaxy

DIRECTIONS = {"sigma_R": r"$\sigma_R$", "sigma_z": r"$\sigma_z$", "sigma_phi": r"$\sigma_\phi$"}
_COLOURS = {"sigma_R": style.DATA, "sigma_z": style.MODEL, "sigma_phi": style.SERIES[2]}
_STARS = 20_000
_NEAR = 4.0
"""kpc; eccentricities are of stars within this distance of the Sun, as the paper's giants are."""
_BULGE_END = 6.0
"""kpc; beyond it a bulge has next to no stars."""


def course_of_dispersions_figure(galaxy: Galaxy) -> Figure:
    """Dispersions of the discs in the midplane, in the initial potential and after the last iteration (fig.
    7): a panel for each disc.
    """
    before = galaxy.initial["profiles"]
    after = galaxy.history[-1]["profiles"] if galaxy.history else before
    names = list(before["dispersions_kms"])
    figure = style.new_figure(3.4)
    for number, name in enumerate(names):
        width = 0.93 / len(names)
        axes = figure.add_axes((0.06 + number * width, 0.15, width - 0.055, 0.75))
        for key, label in DIRECTIONS.items():
            for entry, dashes in ((before, "-"), (after, (0, (5, 2)))):
                look: dict[str, Any] = {"color": _COLOURS[key], "linestyle": dashes, "linewidth": 1.5}
                values = entry["dispersions_kms"][name][key]
                axes.plot(entry["R_kpc"], values, label=label if dashes == "-" else None, **look)
        axes.set_title(component_name(name), fontsize=style.TITLE_SIZE, loc="left")
        axes.set(xlabel="R (kpc)", ylabel="dispersion (km/s)")
        axes.set_ylim(bottom=0.0)
        style.dress(axes)
        if number == 0:
            axes.plot([], [], color=style.MUTED, label="initial")
            axes.plot([], [], color=style.MUTED, linestyle=(0, (5, 2)), label="after the iterations")
            axes.legend(frameon=False, fontsize=8)
    return figure


def dispersion_figure(galaxy: Galaxy) -> Figure:
    """sigma_R, sigma_z and sigma_phi in the midplane of all components with a DF (fig. 15)."""
    figure = style.new_figure(3.6)
    styles = component_styles(galaxy.spec)
    R = np.concatenate([np.arange(0.5, 3.0, 0.25), np.arange(3.0, 25.1, 0.5)])
    panels = [figure.add_axes((0.06 + 0.32 * k, 0.14, 0.265, 0.82)) for k in range(3)]
    largest = 0.0
    for name in (name for name in galaxy.components if name in galaxy.ingredients.dfs):
        at = R[_BULGE_END >= R] if name == "bulge" else R
        moments = galaxy.velocity_moments(name, at, 0.0)
        for axes, key in zip(panels, DIRECTIONS, strict=True):
            values = np.asarray(getattr(moments, key))
            axes.plot(at, values, **styles[name])
            largest = max(largest, float(np.nanmax(values)))
    for axes, label in zip(panels, DIRECTIONS.values(), strict=True):
        axes.set(xlabel="R (kpc)", ylabel=f"{label} (km/s)", ylim=(0.0, 1.08 * largest))
        style.dress(axes)
    panels[0].legend(frameon=False, fontsize=8, handlelength=2.6)
    return figure


def streaming_figure(galaxy: Galaxy) -> Figure:
    """Mean streaming of the discs in the midplane (fig. 18) beside the circular velocity, and the escape
    speed.
    """
    figure = style.new_figure(3.6)
    axes, escape = figure.add_axes((0.07, 0.14, 0.4, 0.82)), figure.add_axes((0.57, 0.14, 0.42, 0.82))
    styles = component_styles(galaxy.spec)
    R = np.linspace(1.0, 25.0, 49)
    axes.plot(R, galaxy.circular_velocity(R), color=style.MODEL, linewidth=1.8, label="circular velocity")
    for name in galaxy.spec.stellar_disks:
        axes.plot(R, galaxy.mean_streaming(name, R), **styles[name])
    axes.set(ylabel=r"mean $v_\phi$ (km/s)")
    axes.legend(frameon=False, fontsize=8, handlelength=2.6)
    escape.plot(R, galaxy.escape_speed(R), color=style.INK, linewidth=1.5, label="to infinity")
    limit = 3 * galaxy.virial().r200
    label = r"to 3 $R_{200}$"
    escape.plot(R, galaxy.escape_speed(R, limit=limit), color=style.INK, linestyle="--", label=label)
    escape.set(ylabel="escape speed (km/s)")
    escape.legend(frameon=False, fontsize=8)
    for panel in (axes, escape):
        style.mark_sun(panel, galaxy.spec.parameters["d_sun"])
        panel.set_xlabel("R (kpc)")
        style.dress(panel)
    return figure


def eccentricity_figure(galaxy: Galaxy, seed: int = 0) -> Figure:
    """Orbital eccentricities of stars drawn from the model's discs within 4 kpc of the Sun (fig. 5)."""
    from galactions.galaxy.sampling import Sampler

    stars = Sampler(galaxy).sample(20 * _STARS, seed)
    sun = np.array([-galaxy.spec.parameters["d_sun"], 0.0, 0.0])
    near = np.linalg.norm(stars.xv[:, :3] - sun, axis=1) < _NEAR
    xv, component = stars.xv[near][:_STARS], stars.component[near][:_STARS]
    eccentricities = np.asarray(galaxy.eccentricities(xv))
    figure = style.new_figure(3.2, width=6.0)
    axes = figure.add_axes((0.13, 0.16, 0.84, 0.8))
    edges, styles = np.linspace(0.0, 1.0, 51), component_styles(galaxy.spec)
    whole, _ = np.histogram(eccentricities, edges)
    axes.stairs(whole / len(xv) / 0.02, edges, color=style.MODEL, linewidth=1.6, label="all discs")
    for number, name in enumerate(galaxy.spec.stellar_disks):
        heights, _ = np.histogram(eccentricities[component == number], edges)
        look = {key: styles[name][key] for key in ("color", "linestyle", "label")}
        axes.stairs(heights / len(xv) / 0.02, edges, **look)
    axes.set(xlabel="eccentricity", ylabel="share of the stars per unit", xlim=(0.0, 1.0))
    axes.set_ylim(bottom=0.0)
    style.dress(axes)
    axes.legend(frameon=False, fontsize=8)
    return figure
