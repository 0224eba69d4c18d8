"""The density of AGAMA's quasi-isothermal DF, in the same potential."""

from pathlib import Path

import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.agama_potential import disc_in_agama, in_agama
from benchmarks.parts.disc_density import DISC, TASK, R, Z
from benchmarks.parts.model import settled_galaxy


def figures(folder: Path, repeats: int) -> list[Measured]:
    """At the same 64 places, with interpolated actions; AGAMA's rule is adaptive, to 1e-3."""
    import agama

    galaxy = settled_galaxy(folder)
    potential = in_agama(galaxy, folder)
    finder = agama.ActionFinder(potential, interp=True)
    model = agama.GalaxyModel(potential, disc_in_agama(galaxy, potential, DISC), finder)
    places = np.stack([R, 0 * R, Z], axis=1)
    figure, _ = measure(
        TASK,
        lambda: model.moments(places, dens=True, vel=False, vel2=False),
        repeats,
        program="AGAMA",
        size=len(R),
        unit="place",
        error="asked of its rule: 1e-3",
    )
    return [figure]
