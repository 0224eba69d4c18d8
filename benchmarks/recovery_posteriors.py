"""Posteriors of many mock surveys of one truth, by one emulator: do their intervals hold the truth?

    python -m benchmarks.recovery_posteriors CONFIG --values FOLDER [--values FOLDER ...] [--mocks 20] [--out
    DIR]

CONFIG as of `benchmarks.recovery`. What the model predicts does not depend on the stars that were drawn, so
the predictions that a posterior of one mock has evaluated (`evaluations/*.jsonl` below each FOLDER) teach an
emulator that serves all of them: no trial for a draw. What the emulator is worth is told by the error of the
log density at points that it was not shown, and by one evaluation of the model for each mock, at the mean of
its draws.
"""

import argparse
import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.recovery import Mocks, Remembering, slopes_at_the_start
from galactions.config import load_config
from galactions.inference.files import atomic_path, write_json
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.posterior import ProblemTarget, problem_target
from galactions.inference.posterior.calibration import counted
from galactions.inference.posterior.emulated import Tempered, drawn
from galactions.inference.posterior.journal import Journal
from galactions.inference.posterior.laplace import laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.value_emulator import ValueEmulator, learnt_emulator
from galactions.inference.problem import FitProblem
from galactions.inference.slopes import Slopes

Floats = NDArray[np.float64]
TRAJECTORIES = 3
"""Between two draws, which need not be independent for means and quantiles."""

QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--values", type=Path, action="append", required=True)
    parser.add_argument("--mocks", type=int, default=20)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument(
        "--multinomial", action="store_true", help="counts drawn bin by bin, not star by star"
    )
    parser.add_argument("--out", type=Path, default=Path("recovery"))
    asked = parser.parse_args()
    config = load_config(asked.config)
    problem = problem_from_config(config)
    problem = replace(problem, predictor=Remembering(problem.predictor))
    slopes = slopes_at_the_start(problem, asked.out / "slopes.npz")
    emulator = taught(problem_target(problem), slopes, asked.values)
    print(f"{len(emulator.points)} values; error of the log density at one left out {emulator.missed:.2f}")
    mocks = Mocks(config, problem, asked.out)

    def mock(seed: int) -> FitProblem:
        if not asked.multinomial:
            return mocks(seed)[0]
        rng = np.random.default_rng([seed, 12])
        return replace(problem, survey=counted(problem, slopes.prediction, rng))

    found = [posterior(emulator, mock(seed), asked.draws, seed) for seed in range(1, asked.mocks + 1)]
    write(problem, found, emulator, asked.out)
    Console(width=140).print(table(problem, found))


def taught(target: ProblemTarget, slopes: Slopes, folders: list[Path]) -> ValueEmulator:
    """The emulator around the truth, from all evaluations in the folders."""
    u = target.problem.free.to_unbounded(slopes.values)
    features, by_u = target.features_of(slopes.prediction), target.feature_slopes_of(slopes)
    curvature = target.curvature_of(features, by_u, u)
    mode = Mode(u, target.log_density_of(features, u), curvature, True, 0, features, by_u)
    paths = [path for folder in folders for path in sorted(folder.glob("**/*.jsonl"))]
    made = [item for path in paths for item in Journal(path).read() if item.kind == "features"]
    return learnt_emulator(
        target,
        mode,
        laplace(mode, target.names),
        np.array([item.u for item in made]),
        [item.result for item in made],
    )


@dataclass(frozen=True, eq=False)
class MockPosterior:
    """Of one mock: draws (n_draws, n_free), and by how much the emulated log density is off at their mean."""

    draws: Floats
    off: float


def posterior(emulator: ValueEmulator, mock: FitProblem, draws: int, seed: int) -> MockPosterior:
    """Draws of the emulated posterior of a mock, and the check by the model."""
    target = problem_target(mock)
    mine = replace(emulator, target=target)
    z, _ = drawn(Tempered(mine, 1.0), draws, np.random.default_rng([seed, 11]), TRAJECTORIES)
    mean = z.mean(axis=0)
    off = mine.log_density(mean) - target.log_density(mine.start.u(mean))
    print(f"mock {seed}: emulated log density off by {off:+.2f} at the mean of the draws", flush=True)
    return MockPosterior(np.array([target.to_values(mine.start.u(row)) for row in z]), off)


def rows(problem: FitProblem, found: list[MockPosterior]) -> list[list[str]]:
    """A row a parameter: truth, median standard deviation, mean and standard deviation of (mean -
    truth)/deviation, and how many of the 68% and 95% intervals hold the truth."""
    truth = problem.free.start
    means = np.array([item.draws.mean(axis=0) for item in found])
    deviations = np.array([item.draws.std(axis=0, ddof=1) for item in found])
    edges = np.array([np.quantile(item.draws, QUANTILES, axis=0) for item in found])
    pulls = (means - truth) / deviations
    inner = (edges[:, 1] <= truth) & (truth <= edges[:, 3])
    outer = (edges[:, 0] <= truth) & (truth <= edges[:, 4])
    return [
        [
            name,
            f"{truth[i]:.5g}",
            f"{np.median(deviations[:, i]):.3g}",
            f"{100 * np.median(deviations[:, i]) / truth[i]:.1f}",
            f"{pulls[:, i].mean():+.2f}",
            f"{pulls[:, i].std(ddof=1):.2f}",
            f"{inner[:, i].mean():.2f}",
            f"{outer[:, i].mean():.2f}",
        ]
        for i, name in enumerate(problem.free.names)
    ]


HEADINGS = ("parameter", "truth", "deviation", "%", "bias", "scatter", "within 68%", "within 95%")


def table(problem: FitProblem, found: list[MockPosterior]) -> Table:
    shown = Table(title=f"posteriors of {len(found)} mocks")
    for heading in HEADINGS:
        shown.add_column(heading)
    for row in rows(problem, found):
        shown.add_row(*row)
    return shown


def write(problem: FitProblem, found: list[MockPosterior], emulator: ValueEmulator, folder: Path) -> None:
    """Writes posteriors.csv (the table) and posteriors.json (what the emulator is worth)."""
    with atomic_path(folder / "posteriors.csv") as part, part.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        writer.writerows(rows(problem, found))
    off = [item.off for item in found]
    told = {"values": len(emulator.points), "left_out": emulator.missed, "off_at_the_means": off}
    write_json(folder / "posteriors.json", told)


if __name__ == "__main__":
    main()
