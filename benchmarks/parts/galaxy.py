"""Building a self-consistent galaxy."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.model import NAME
from galactions.galaxy import Galaxy, build


def reference() -> dict[str, np.ndarray] | None:
    """Reference values of Mc17a, where the folder `shared` is at hand (`GALACTIONS_SHARED`, or beside the
    checkout).
    """
    folder = Path(os.environ.get("GALACTIONS_SHARED", Path(__file__).parents[3] / "shared")) / "reference"
    if not (folder / "Mc17a.npz").is_file():
        return None
    with np.load(folder / "Mc17a.npz") as file:
        values = dict(file)
    values["virial_mass"] = np.asarray(
        json.loads((folder / "Mc17a.json").read_text())["iterations"][-1]["m200"]
    )
    return values


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Builds of Mc17a with three and ten iterations. The errors: how far three are from where the iteration
    ends; and, after five, v_circ at R >= 1 kpc and M200 against AGAMA's, where these are at hand.
    """
    settled = build(NAME, iterations=20)
    result = []
    for iterations in (3, 10):
        task = f"build {NAME}, {iterations} iterations"
        figure, galaxy = measure(task, lambda n=iterations: build(NAME, iterations=n), repeats)
        result.append(replace(figure, error=f"v_circ {_apart(galaxy, settled):.1e} from 20 iterations"))
    values = reference()
    if values is not None:
        galaxy = build(NAME, iterations=5)
        R = values["R"][values["R"] >= 1]
        error = np.max(np.abs(galaxy.circular_velocity(R) / values["iteration5_vcirc"][values["R"] >= 1] - 1))
        mass = abs(galaxy.virial().m200 / float(values["virial_mass"]) - 1)
        told = f"{result[-1].error}; after 5, from AGAMA's: v_circ {error:.1e}, M200 {mass:.1e}"
        result[-1] = replace(result[-1], error=told)
    return result


def _apart(one: Galaxy, other: Galaxy) -> float:
    """Largest relative difference of v_circ in R = 1-30 kpc."""
    R = np.geomspace(1.0, 30.0, 30)
    return float(np.max(np.abs(one.circular_velocity(R) / other.circular_velocity(R) - 1)))
