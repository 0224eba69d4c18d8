"""Stars drawn by AGAMA from both discs of the same model."""

from pathlib import Path

from benchmarks.measured import Measured, measure
from benchmarks.parts.agama_potential import disc_in_agama, in_agama
from benchmarks.parts.model import settled_galaxy
from benchmarks.sampling import TASK

N = 50_000


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Drawn, but not written."""
    import agama

    galaxy = settled_galaxy(folder)
    potential = in_agama(galaxy, folder)
    discs = [disc_in_agama(galaxy, potential, disc) for disc in galaxy.spec.stellar_disks]
    finder = agama.ActionFinder(potential, interp=True)
    model = agama.GalaxyModel(potential, agama.DistributionFunction(*discs), finder)
    figure, _ = measure(TASK, lambda: model.sample(N)[0], repeats, program="AGAMA", size=N, unit="star")
    return [figure]
