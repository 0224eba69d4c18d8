"""Simulation-based calibration of a posterior of many parameters, about that of one survey: ranks as CSV and
as a figure.

    python -m benchmarks.calibration_about CONFIG --posterior FOLDER [--mocks 40] [--out DIR]

The prior of 15 parameters is too wide to draw truths from: most are no galaxies, and each would need an
emulator of its own. The posterior of one survey serves as prior (Säilynoja, Schmitt, Bürkner & Vehtari
2025, arXiv:2502.03279): truths are its draws, each makes a mock survey, and among draws of the posterior of
both surveys together its truth has every rank alike, if draws are right, those of the first included.

FOLDER is that of a posterior of CONFIG, drawn by chains that an emulator of values has served (`nuts`,
`delayed`). What the model has predicted there teaches the emulator of all mocks, and so do a few of each
mock's draws, at which the model tells by how much the emulated log density is off. Mocks that are there
below --out are taken up.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import write
from benchmarks.recovery import slopes_at_the_start
from benchmarks.recovery_posteriors import Pupil
from galactions.atomic import replacing
from galactions.config import load_config
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.posterior import load_posterior, problem_target
from galactions.inference.posterior.calibration import Calibration, counted
from galactions.inference.posterior.trajectories import drawn
from galactions.inference.problem import FitProblem, predict_heights
from galactions.survey import BinnedSurvey

Floats = NDArray[np.float64]
DRAWS, SHOWN = 63, 6
"""Draws of a mock's posterior among which its truth ranks, and how many of them the model is evaluated at."""
GOOD = 0.7
"""Scatter of the error of the emulated log density up to which draws are taken to be right."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--posterior", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--mocks", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("calibration-about"))
    asked = parser.parse_args()
    config = load_config(asked.config)
    by_differences = config.fit.model_copy(update={"derivatives": "differences"})
    problem = problem_from_config(config.model_copy(update={"fit": by_differences}))
    slopes = slopes_at_the_start(problem, asked.out / "slopes.npz")
    first = problem_target(problem)
    learnt = Pupil.of(first, slopes, [asked.posterior])
    print(f"{len(learnt.u)} evaluations to learn from", flush=True)
    twice = problem_target(replace(problem, survey=together(problem.survey, problem.survey)))
    pupil = Pupil.of(twice, slopes, [])
    pupil.u = learnt.u
    predicted = [None if f is None else first.prediction_of(f) for f in learnt.features]
    pupil.features = [None if y is None else twice.features_of(y) for y in predicted]
    draws = load_posterior(asked.posterior).draws
    truths = draws[np.linspace(0, len(draws) - 1, asked.mocks).round().astype(int)]
    found = [kept_rank(pupil, problem, truth, i, asked.out) for i, truth in enumerate(truths)]
    calibration = Calibration(
        problem.free.names,
        np.array([item.rank for item in found]),
        truths,
        DRAWS,
        np.array([item.reliable for item in found]),
    )
    write(calibration, asked.out, "emulated")
    for name, p in calibration.p_values().items():
        print(f"{name:<16} p = {p:.3f}")


def together(survey: BinnedSurvey, other: BinnedSurvey) -> BinnedSurvey:
    """Both surveys' counts in the same bins."""
    regions = []
    for mine, theirs in zip(survey.regions, other.regions, strict=True):
        n = mine.n_stars + theirs.n_stars
        histograms = {}
        for name, histogram in mine.histograms.items():
            counts = histogram.counts + theirs.histograms[name].counts
            p = counts / n
            histograms[name] = replace(histogram, p=p, sigma=np.sqrt(p * (1.0 - p) / n), counts=counts)
        regions.append(replace(mine, n_stars=n, histograms=histograms))
    return replace(survey, regions=tuple(regions))


@dataclass(frozen=True, eq=False)
class Ranked:
    """A truth's rank (n_free,) among draws, and by how much the emulated log density of some of these is off
    (`SHOWN`,); whether the draws had settled."""

    rank: NDArray[np.int64]
    off: Floats
    settled: bool

    @property
    def reliable(self) -> bool:
        return self.settled and bool(np.std(self.off) < GOOD)


def kept_rank(pupil: Pupil, problem: FitProblem, truth: Floats, seed: int, folder: Path) -> Ranked:
    """`ranked`, kept in a file of the folder with what was learnt from it, or read from there."""
    path, known = folder / f"rank-{seed:04d}.npz", len(pupil.u)
    if path.exists():
        with np.load(path) as arrays:
            pupil.u += list(arrays["u"])
            pupil.features += list(arrays["features"])
            return Ranked(arrays["rank"], arrays["off"], bool(arrays["settled"]))
    found = ranked(pupil, problem, truth, seed)
    spread = f"scatter of the emulated log density's error {np.std(found.off):.2f}"
    print(f"mock {seed}: {spread}; draws {'' if found.settled else 'not '}settled", flush=True)
    new = {"u": np.array(pupil.u[known:]), "features": np.array(pupil.features[known:])}
    with replacing(path) as part, part.open("wb") as stream:
        np.savez(stream, rank=found.rank, off=found.off, settled=found.settled, **new)
    return found


def ranked(pupil: Pupil, problem: FitProblem, truth: Floats, seed: int) -> Ranked:
    """The rank of a truth among draws of the emulated posterior of the problem's survey and a mock of that
    truth, together. The emulator learns from the draws that the model is evaluated at."""
    outcome = predict_heights(problem, truth)
    if outcome.array is None:
        raise SystemExit(f"no model at a draw of the posterior: {outcome.reason}")
    rng = np.random.default_rng([seed, 13])
    target = problem_target(
        replace(problem, survey=together(problem.survey, counted(problem, outcome.array, rng)))
    )
    emulator = pupil.emulator(target)
    found = drawn(emulator, rng.standard_normal((DRAWS, len(truth))), DRAWS, rng)
    values = np.array([target.to_values(emulator.start.u(row)) for row in found.z])
    off = []
    for row in found.z[np.linspace(0, DRAWS - 1, SHOWN).round().astype(int)]:
        u = emulator.start.u(row)
        features = target.features(u)
        if features is None:
            raise SystemExit(f"no model at a draw of the emulated posterior: {target.note}")
        off.append(float(emulator.log_density(row)) - float(target.log_density_of(features, u)))
        pupil.u.append(u)
        pupil.features.append(features)
    return Ranked(np.sum(values < truth, axis=0), np.array(off), found.settled)


if __name__ == "__main__":
    main()
