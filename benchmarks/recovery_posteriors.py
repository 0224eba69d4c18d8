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
from galactions.atomic import replacing
from galactions.config import load_config
from galactions.inference.files import write_json
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.posterior import ProblemTarget, problem_target
from galactions.inference.posterior.calibration import counted
from galactions.inference.posterior.journal import Journal
from galactions.inference.posterior.laplace import Laplace, laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.trajectories import drawn
from galactions.inference.posterior.value_emulator import ValueEmulator, learnt_emulator
from galactions.inference.problem import FitProblem
from galactions.inference.slopes import Slopes

Floats = NDArray[np.float64]
GOOD, MOST = 0.7, 3
"""Error of the emulated log density with which draws are taken, and how often they are drawn."""

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
    pupil = Pupil.of(problem_target(problem), slopes, asked.values)
    print(f"{len(pupil.u)} evaluations to learn from", flush=True)
    mocks = Mocks(config, problem, asked.out)

    def mock(seed: int) -> FitProblem:
        if not asked.multinomial:
            return mocks(seed)[0]
        rng = np.random.default_rng([seed, 12])
        return replace(problem, survey=counted(problem, slopes.prediction, rng))

    seeds = range(1, asked.mocks + 1)
    found = [kept_posterior(pupil, mock(seed), asked.draws, seed, asked.out) for seed in seeds]
    write(problem, found, pupil, asked.out)
    Console(width=140).print(table(problem, found))


@dataclass(eq=False)
class Pupil:
    """What an emulator learns from: the mode (here the truth) with its derivatives, and features at u."""

    mode: Mode
    start: Laplace
    u: list[Floats]
    features: list[Floats | None]

    @classmethod
    def of(cls, target: ProblemTarget, slopes: Slopes, folders: list[Path]) -> "Pupil":
        """Of all evaluations in the folders."""
        u = target.from_values(slopes.values)
        features, by_u = target.features_of(slopes.prediction), target.feature_slopes_of(slopes)
        curvature = target.curvature_of(features, by_u, u)
        mode = Mode(u, target.log_density_of(features, u), curvature, True, 0, features, by_u)
        paths = [path for folder in folders for path in sorted(folder.glob("**/*.jsonl"))]
        made = [item for path in paths for item in Journal(path).read() if item.kind == "features"]
        return cls(mode, laplace(mode, target.names), [m.u for m in made], [m.result for m in made])

    def emulator(self, target: ProblemTarget) -> ValueEmulator:
        """What it has learnt so far, for a mock."""
        return learnt_emulator(target, self.mode, self.start, np.array(self.u), self.features)


@dataclass(frozen=True, eq=False)
class MockPosterior:
    """Of one mock: draws (n_draws, n_free), and by how much the emulated log density was off at the mean of
    each set of draws; the last one is that of the draws."""

    draws: Floats
    off: tuple[float, ...]


def kept_posterior(pupil: Pupil, problem: FitProblem, draws: int, seed: int, folder: Path) -> MockPosterior:
    """`posterior`, kept in a file of the folder with what was learnt from it, or read from there."""
    path, known = folder / f"draws-{seed:04d}.npz", len(pupil.u)
    if not path.exists():
        made = posterior(pupil, problem_target(problem), draws, seed)
        good = [i for i in range(known, len(pupil.u)) if pupil.features[i] is not None]
        u = np.array([pupil.u[i] for i in good])
        features = np.array([pupil.features[i] for i in good])
        with replacing(path) as part, part.open("wb") as stream:
            np.savez(stream, draws=made.draws, off=made.off, u=u, features=features)
        return made
    with np.load(path) as arrays:
        pupil.u += list(arrays["u"])
        pupil.features += list(arrays["features"])
        return MockPosterior(arrays["draws"], tuple(arrays["off"].tolist()))


def posterior(pupil: Pupil, target: ProblemTarget, draws: int, seed: int) -> MockPosterior:
    """Draws of the emulated posterior of a mock. The model is evaluated at their mean; where the emulator is
    off there by more than `GOOD`, it learns from that, and draws anew, at most `MOST` times."""
    off: list[float] = []
    while True:
        emulator = pupil.emulator(target)
        rng = np.random.default_rng([seed, len(off), 11])
        found = drawn(emulator, rng.standard_normal((draws, len(target.names))), draws, rng)
        z, mean = found.z, found.z.mean(axis=0)
        features = target.features(emulator.start.u(mean))
        pupil.u.append(emulator.start.u(mean))
        pupil.features.append(features)
        true = -np.inf if features is None else target.log_density_of(features, pupil.u[-1])
        off.append(emulator.log_density(mean) - true)
        worth = f"off by {off[-1]:+.2f} at the mean, {emulator.missed:.2f} at others"
        print(f"mock {seed}: {worth}; draws {'' if found.settled else 'not '}settled", flush=True)
        if abs(off[-1]) < GOOD or len(off) == MOST:
            values = np.array([target.to_values(emulator.start.u(row)) for row in z])
            return MockPosterior(values, tuple(off))


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


def write(problem: FitProblem, found: list[MockPosterior], pupil: Pupil, folder: Path) -> None:
    """Writes posteriors.csv (the table) and posteriors.json (what the emulator was worth)."""
    with replacing(folder / "posteriors.csv") as part, part.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        writer.writerows(rows(problem, found))
    told = {"evaluations": len(pupil.u), "off_at_the_means": [item.off for item in found]}
    write_json(folder / "posteriors.json", told)


if __name__ == "__main__":
    main()
