"""Actions by AGAMA's Staeckel fudge, direct and interpolated, in the same potential."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.actions import DIRECT, N_DIRECT, N_TABLE, TABULATED
from benchmarks.parts.agama_potential import in_agama
from benchmarks.parts.model import settled_galaxy
from benchmarks.parts.stars import difference, disc_stars, orbits, scatter


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Both of AGAMA's finders, on as many threads as there are cores."""
    import agama

    galaxy = settled_galaxy(folder)
    potential = in_agama(galaxy, folder)
    sample, along = disc_stars(N_TABLE), orbits(galaxy)
    result, direct = [], None
    for task, n, interpolated in ((DIRECT, N_DIRECT, False), (TABULATED, N_TABLE, True)):
        finder = agama.ActionFinder(potential, interp=interpolated)
        figure, J = measure(
            task, lambda finder=finder, n=n: finder(sample[:n]), repeats, program="AGAMA", size=n, unit="star"
        )
        told = scatter(np.reshape(finder(along.reshape(-1, 6)), (*along.shape[:2], 3)))
        if direct is not None:
            told += f"; off direct ones {difference(J[:N_DIRECT], direct)}"
        direct = J
        result.append(replace(figure, error=told))
    return result
