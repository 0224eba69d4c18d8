"""How far trajectories of the no-U-turn sampler should go: R-hat and effective sizes for as many gradients.

    python -m benchmarks.trajectories [--gradients 1000] [--repeats 4]

Four chains on a density of 15 parameters with a long tail along one and another bent by it, in a metric whose
deviations are off by 10%, as that of a normal approximation is. Acceptance is given for each step size. Steps
are guided by nothing, by a density that is near (tail and bend a little off, and a quadratic form at random),
and by one that is farther.
"""

import argparse
from collections.abc import Callable
from itertools import product
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from galactions.inference.posterior.convergence import bulk_ess, r_hat, tail_ess
from galactions.inference.posterior.no_u_turn import Hamiltonian, Point, transition

Vector = NDArray[np.float64]

SIZE, CHAINS = 15, 4
DEGREES, BEND = 8.0, 0.3
SCALES = 1.15 * np.exp(0.25 * np.random.default_rng(0).standard_normal(SIZE))
METRIC = SCALES * np.exp(0.1 * np.random.default_rng(3).standard_normal(SIZE))
MAX_DOUBLINGS = 8, 3, 2, 1
STEPS = {"none": (0.6, 0.7, 0.8, 0.9), "near": (0.9, 1.2, 1.5, 1.8), "farther": (0.9, 1.2, 1.5, 1.8)}


def log_density(z: Vector, xp: ModuleType = np) -> float:
    """A Student t along the first coordinate, the second bent by it, the others normal; up to a constant.
    z (15,), of the array module xp."""
    y = z / SCALES
    bent = y[1] - BEND * (y[0] ** 2 - 1.0)
    tail = -0.5 * (DEGREES + 1.0) * xp.log1p(y[0] ** 2 / DEGREES)
    return tail - 0.5 * bent**2 - 0.5 * xp.sum(y[2:] ** 2)


def density(z: Vector) -> tuple[float, Vector]:
    """`log_density` and its gradient (15,)."""
    return log_density(z), gradient(z, DEGREES, BEND)


def gradient(z: Vector, degrees: float, bend: float) -> Vector:
    """That of such a density with another tail and bend (15,)."""
    y = z / SCALES
    bent = y[1] - bend * (y[0] ** 2 - 1.0)
    found = -y
    found[0] = -(degrees + 1.0) * y[0] / (degrees + y[0] ** 2) + 2.0 * bend * bent * y[0]
    found[1] = -bent
    return found / SCALES


def guide(degrees: float, bend: float, off: float) -> Callable[[Vector], Vector]:
    """Its gradient, and that of a quadratic form with eigenvalues of up to about `off`."""
    form = np.random.default_rng(9).standard_normal((SIZE, SIZE))
    form = off * (form + form.T) / np.sqrt(8.0 * SIZE)
    return lambda z: gradient(z, degrees, bend) - form @ z


guides = {
    "none": None,
    "exact": guide(DEGREES, BEND, 0.0),
    "near": guide(10.0, 0.25, 0.15),
    "farther": guide(15.0, 0.2, 0.3),
}


def chain(motion: Hamiltonian, max_doublings: int, gradients: int, seed: list[int]) -> tuple[Vector, float]:
    """Draws (k, 15) of a chain that takes so many gradients, and its mean acceptance."""
    rng = np.random.default_rng(seed)
    at = Point.at(motion.density, 0.5 * SCALES * rng.standard_normal(SIZE))
    points, acceptance, taken = [], [], 0
    while taken < gradients:
        at, moved = transition(motion, at, max_doublings, rng)
        points.append(at.z)
        acceptance.append(moved.acceptance)
        taken += moved.steps
    return np.array(points), float(np.mean(acceptance))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gradients", type=int, default=1000, help="of each chain")
    parser.add_argument("--repeats", type=int, default=4)
    asked = parser.parse_args()
    shown = Table(title=f"{CHAINS} chains of {asked.gradients} gradients")
    for heading in ("guide", "max_doublings", "step", "acceptance", "draws", "R-hat", "bulk ESS", "tail ESS"):
        shown.add_column(heading)
    for name, max_doublings in product(STEPS, MAX_DOUBLINGS):
        for step in STEPS[name]:
            motion = Hamiltonian(density, np.diag(METRIC), step, guides[name])
            rows = []
            for repeat in range(asked.repeats):
                made = [chain(motion, max_doublings, asked.gradients, [repeat, k]) for k in range(CHAINS)]
                count = min(len(points) for points, _ in made)
                series = np.array([points[:count] for points, _ in made]).transpose(2, 0, 1)
                rows.append(
                    (
                        np.mean([acceptance for _, acceptance in made]),
                        count,
                        max(r_hat(each) for each in series),
                        min(bulk_ess(each) for each in series),
                        min(tail_ess(each) for each in series),
                    )
                )
            acceptance, count, *_ = np.mean(rows, axis=0)
            spans = [(min(column), max(column)) for column in list(zip(*rows, strict=True))[2:]]
            shown.add_row(
                name,
                str(max_doublings),
                f"{step:g}",
                f"{acceptance:.2f}",
                f"{count:.0f}",
                "{:.3f}-{:.3f}".format(*spans[0]),
                *(f"{low:.0f}-{high:.0f}" for low, high in spans[1:]),
            )
    Console(width=100).print(shown)


if __name__ == "__main__":
    main()
