"""Building a self-consistent galaxy."""

import json
import os
from pathlib import Path

import numpy as np

import galactions as ga
from benchmarks.timing import Row, timed


def reference() -> dict[str, np.ndarray] | None:
    """Reference values of Mc17a, where the folder `shared` is at hand (`GALACTIONS_SHARED`, or beside the
    checkout).
    """
    folder = Path(os.environ.get("GALACTIONS_SHARED", Path(__file__).parents[2] / "shared")) / "reference"
    if not (folder / "Mc17a.npz").is_file():
        return None
    with np.load(folder / "Mc17a.npz") as file:
        values = dict(file)
    values["virial_mass"] = np.asarray(
        json.loads((folder / "Mc17a.json").read_text())["iterations"][-1]["m200"]
    )
    return values


def rows() -> list[Row]:
    """Builds of Mc17a with three and ten iterations; the error is that of v_circ at R >= 1 kpc after five."""
    result = []
    for iterations in (3, 10):
        first, best, _ = timed(lambda n=iterations: ga.build("Mc17a", iterations=n), repeats=1)
        result.append(
            Row(
                f"build Mc17a, {iterations} iterations",
                first,
                best,
                note=f"{best / iterations:.2g} s/iteration",
            )
        )
    values = reference()
    if values is not None:
        galaxy = ga.build("Mc17a", iterations=5)
        R = values["R"][values["R"] >= 1]
        error = np.max(np.abs(galaxy.circular_velocity(R) / values["iteration5_vcirc"][values["R"] >= 1] - 1))
        mass = abs(galaxy.virial().m200 / float(values["virial_mass"]) - 1)
        result[-1] = Row(**{**result[-1].__dict__, "error": f"v_circ {error:.1e}, M200 {mass:.1e} (5 it.)"})
    return result
