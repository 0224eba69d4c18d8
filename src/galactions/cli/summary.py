"""What `galactions build` tells of a galaxy, as plain values for JSON and as lines of text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy, ModelSpec

KEYS = ("residual", "v_circ_sun_kms", "r200_kpc", "m200_msun", "density_sun_msun_pc3", "seconds")
"""Keys of each entry of "iterations" and of "initial"."""


def state(galaxy: "Galaxy", d_sun: float) -> dict[str, Any]:
    """A galaxy in numbers, under `KEYS` (residual and seconds: None); d_sun in kpc."""
    virial = galaxy.virial()
    density = {name: _number(galaxy.density(name, d_sun, 0.0)) * 1e-9 for name in galaxy.components}
    return {
        "residual": None,
        "v_circ_sun_kms": _number(galaxy.circular_velocity(d_sun)),
        "r200_kpc": _number(virial.r200),
        "m200_msun": _number(virial.m200),
        "density_sun_msun_pc3": density,
        "seconds": None,
    }


def build_summary(
    name: str, spec: "ModelSpec", galaxy: "Galaxy", initial: "Galaxy", seconds: float
) -> dict[str, Any]:
    """The JSON object of `galactions build --json`: model, parameters, iterations, initial.

    initial: the same model after no iteration; seconds: what building it took.
    """
    from galactions.inference.files import plain

    parameters = {key: float(value) for key, value in spec.parameters.items()}
    iterations = [entry for entry in galaxy.history if entry.get("iteration", 1) != 0]
    summary = {
        "model": name,
        "parameters": parameters,
        "iterations": [{key: entry.get(key) for key in KEYS} for entry in iterations],
        "initial": {**state(initial, parameters["d_sun"]), "seconds": seconds},
    }
    told: dict[str, Any] = plain(summary)
    return told


def lines(summary: Mapping[str, Any]) -> list[str]:
    """The summary as a small table: one line for the initial potential and one for each iteration."""
    shown = [
        f"{'':>9} {'residual':>10} {'v_c(Sun)':>9} {'R200':>7} {'M200':>10}  densities at the Sun",
        f"{'':>9} {'':>10} {'km/s':>9} {'kpc':>7} {'Msun':>10}  Msun/pc^3",
    ]
    for number, entry in enumerate([summary["initial"], *summary["iterations"]]):
        label = str(number) if number else "initial"
        residual = "" if entry["residual"] is None else f"{entry['residual']:.2e}"
        density = entry["density_sun_msun_pc3"] or {}
        densities = ", ".join(f"{name} {value:.4f}" for name, value in density.items() if value > 1e-6)
        shown.append(
            f"{label:>9} {residual:>10} {entry['v_circ_sun_kms']:>9.2f} {entry['r200_kpc']:>7.2f} "
            f"{entry['m200_msun']:>10.3e}  {densities}"
        )
    return shown


def _number(value: Any) -> float:
    return float(np.squeeze(np.asarray(value)))
