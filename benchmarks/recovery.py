"""Mock surveys of one truth, fitted: bias, scatter and coverage of the errors, and what is degenerate.

    python -m benchmarks.recovery CONFIG [--model NAME] [--mocks 20] [--hold NAME] [--out DIR]

CONFIG is the file of a fit to a mock survey (`[survey.mock]`) that begins at the truth (no `[model.set]`),
which is the model of the file, or that of --model.
All mocks have the bins and the nodes of the first, so that they differ by their stars alone, and one set of
derivatives, at the truth, serves all of them. Folders below --out are taken up if they are there.
"""

import argparse
import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from galactions.atomic import replacing
from galactions.config import Config, load_config
from galactions.galaxy import Galaxy, build, named_model
from galactions.inference.bins import model_sigma
from galactions.inference.files import write_json
from galactions.inference.joint import joint_objective
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.predictor import Prediction, Predictor
from galactions.inference.problem import FitProblem, all_slopes, predict_heights
from galactions.inference.scale_out import Recovery, recovery_suite
from galactions.inference.slopes import Slopes
from galactions.projection import mock_survey
from galactions.survey import BinnedSurvey, ErrorModel, Stars, prepare_stars
from galactions.survey.bins import count_in
from galactions.survey.config_file import survey_regions


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--model", help="the truth, if not that of the file")
    parser.add_argument("--mocks", type=int, default=20)
    parser.add_argument("--hold", action="append", default=[], help="a free parameter to be held fixed")
    parser.add_argument("--out", type=Path, default=Path("recovery"))
    asked = parser.parse_args()
    config = load_config(asked.config)
    if asked.model is not None:
        config = config.model_copy(update={"model": config.model.model_copy(update={"name": asked.model})})
    problem = problem_from_config(config)
    free = tuple(name for name in problem.settings.free if name not in asked.hold)
    problem = replace(
        problem,
        predictor=Remembering(problem.predictor),
        settings=problem.settings.model_copy(update={"free": free}),
    )
    slopes = slopes_at_the_start(problem, asked.out / "slopes.npz")
    mocks = Mocks(config, problem, asked.out)
    begin = time.perf_counter()
    found = recovery_suite(mocks, range(1, asked.mocks + 1), folder=asked.out, slopes=slopes)
    print(f"{asked.mocks} mocks: {sum(found.trials)} trials in {time.perf_counter() - begin:.0f} s")
    write(found, asked.out)
    write_json(asked.out / "degenerate.json", degenerate(problem, slopes))
    Console(width=140).print(table(found))


@dataclass(frozen=True, eq=False)
class Remembering:
    """A predictor that predicts no model twice: all mocks begin at the same one."""

    predictor: Predictor
    known: dict[tuple[Any, ...], Prediction] = field(default_factory=dict)

    def predict(self, parameters: Mapping[str, float]) -> Prediction:
        key = tuple(parameters.items())
        if key not in self.known:
            self.known[key] = self.predictor.predict(parameters)
        return self.known[key]


@dataclass(eq=False)
class Mocks:
    """The mock survey of each seed in the bins of the `first`, kept below `folder`."""

    config: Config
    first: FitProblem
    folder: Path

    def __call__(self, seed: int) -> tuple[FitProblem, Mapping[str, float]]:
        path = self.folder / f"survey-{seed:04d}.npz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            rebinned(self.first.survey, self._stars(seed)).save(path)
        truth = {name: float(self.first.parameters[name]) for name in self.first.free.names}
        return replace(self.first, survey=BinnedSurvey.load(path)), truth

    def _stars(self, seed: int) -> Stars:
        mock = self.config.survey.mock
        if mock is None or self.config.model.overrides:
            raise SystemExit("the configuration needs [survey.mock] and no [model.set]")
        folder = self.config.source.parent if self.config.source else Path()
        errors = ErrorModel(mock.v_los, mock.pm, mock.distance_fraction)
        regions = survey_regions(self.config.survey, folder)
        stars = mock_survey(self._truth, regions, mock.counts, errors, seed)
        return prepare_stars(stars, self.config.survey)[0]

    @cached_property
    def _truth(self) -> Galaxy:
        model = self.config.model
        return build(named_model(model.name), iterations="auto" if model.warm_start else model.iterations)


def rebinned(survey: BinnedSurvey, stars: Stars) -> BinnedSurvey:
    """Counts of other stars in the bins of a survey."""
    regions = []
    for item in survey.regions:
        inside = stars.select(item.region.contains(stars.l, stars.b, stars.distance))
        histograms = {}
        for name, histogram in item.histograms.items():
            counts = count_in(np.asarray(getattr(inside, name)), histogram.edges)
            p = counts / len(inside)
            sigma = np.sqrt(p * (1.0 - p) / len(inside))
            histograms[name] = replace(histogram, p=p, sigma=sigma, counts=counts)
        regions.append(replace(item, n_stars=len(inside), histograms=histograms))
    return replace(survey, regions=tuple(regions))


def slopes_at_the_start(problem: FitProblem, path: Path) -> Slopes:
    """Derivatives of the predictions at the problem's start, by central differences; kept in a file."""
    if path.exists():
        return Slopes.load(path)
    begin = time.perf_counter()
    start = problem.free.start
    heights, slopes = predict_heights(problem, start), all_slopes(problem, start)
    if heights.array is None or slopes.array is None:
        raise SystemExit(f"no derivatives at the truth: {heights.reason or slopes.reason}")
    found = Slopes(start, heights.array, slopes.array)
    path.parent.mkdir(parents=True, exist_ok=True)
    found.save(path)
    print(f"derivatives at the truth in {time.perf_counter() - begin:.0f} s")
    return found


def degenerate(problem: FitProblem, slopes: Slopes) -> dict[str, Any]:
    """Errors expected of each parameter's logarithm, and the directions in which all of them together are
    known worst: standard deviation along each, and its parts above a tenth."""
    objective = joint_objective(problem, model_sigma(problem.layout, slopes.prediction))
    by_log = slopes.array * slopes.values
    information = np.asarray(objective.information(slopes.prediction, by_log))
    values, vectors = np.linalg.eigh(information)
    names = problem.free.names
    directions = [
        {
            "sigma": float(value**-0.5),
            "parts": {n: round(float(x), 2) for n, x in zip(names, vector, strict=True) if abs(x) > 0.1},
        }
        for value, vector in zip(values[:5], vectors.T[:5], strict=True)
    ]
    covariance = np.linalg.inv(information)
    size = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(size, size)
    pairs = [
        {"pair": [names[i], names[j]], "correlation": round(float(correlation[i, j]), 3)}
        for i in range(len(names))
        for j in range(i)
        if abs(correlation[i, j]) > 0.8
    ]
    return {
        "sigma_of_ln": dict(zip(names, size.tolist(), strict=True)),
        "directions": directions,
        "pairs": pairs,
    }


def write(found: Recovery, folder: Path) -> None:
    """Writes recovery.csv (a line a parameter) and fits.csv (a line a mock)."""
    with replacing(folder / "recovery.csv") as part, part.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*HEADINGS])
        writer.writerows(rows(found))
    with replacing(folder / "fits.csv") as part, part.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [*found.names, *(f"error_{n}" for n in found.names), "chi2_per_dof", "trials", "converged"]
        )
        for best, errors, per_dof, trials, converged in zip(
            found.best, found.errors, found.chi2_per_dof, found.trials, found.converged, strict=True
        ):
            told = [f"{value:.7g}" for value in (*best, *errors, per_dof)]
            writer.writerow([*told, trials, converged])


HEADINGS = ("parameter", "truth", "error", "bias", "scatter", "within 68%", "within 95%", "on a bound")


def rows(found: Recovery) -> list[list[str]]:
    """A row a parameter: truth, median standard error, mean and standard deviation of the pulls, coverage,
    and how many of the fits ended on a bound."""
    return [
        [
            name,
            f"{found.truth[i]:.5g}",
            f"{np.nanmedian(found.errors[:, i]):.3g}",
            f"{found.bias[name]:+.2f}",
            f"{found.scatter[name]:.2f}",
            f"{found.coverage['68%'][name]:.2f}",
            f"{found.coverage['95%'][name]:.2f}",
            str(int(found.at_bound[:, i].sum())),
        ]
        for i, name in enumerate(found.names)
    ]


def table(found: Recovery) -> Table:
    shown = Table(title=f"{len(found.best)} mocks, chi2 per dof {np.mean(found.chi2_per_dof):.3f}")
    for heading in HEADINGS:
        shown.add_column(heading)
    for row in rows(found):
        shown.add_row(*row)
    return shown


if __name__ == "__main__":
    main()
