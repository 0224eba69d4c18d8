"""The paper's road against ours: chi2 of eq. (5) from stars drawn from the whole model against the
projection, trial for trial; and Nelder-Mead against least squares, on one mock survey.

    python -m benchmarks.roads [--stars 1000000 --stars 10000000 ...] [--fits] [--out DIR]

The mock has the paper's regions and numbers of stars, without errors of measurement, which drawn stars have
not either. The paper draws 3e8 stars a trial; the noise of chi2 falls with their number. --fits runs both
searches as well, some hundreds of trials; their folders below --out are taken up if they are there.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from galactions.config import parse_config
from galactions.galaxy import build, named_model
from galactions.inference import fit, show_progress
from galactions.inference.bins import data_sigma
from galactions.inference.chi2 import region_chi2
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress
from galactions.projection import predict_by_sampling

EDGES = {
    "v_los": np.linspace(-250.0, 250.0, 51),
    "pm_ra": np.linspace(-20.0, 20.0, 81),
    "pm_dec": np.linspace(-20.0, 20.0, 81),
}

CONFIG = """
[model]
name = "Mc17a"
iterations = 3
final_iterations = 3
[survey]
regions = "paper"
observables = ["v_los", "pm_ra", "pm_dec"]
histogram = "counts"
[survey.cuts]
disc_velocities = false
[survey.mock]
counts = "table"
v_los = 0.0
pm = 0.0
distance_fraction = 0.0
seed = 1
[survey.bins]
v_los = { range = [-250, 250], width = 10, min_count = 0 }
pm_ra = { range = [-20, 20], width = 0.5, min_count = 0 }
pm_dec = { range = [-20, 20], width = 0.5, min_count = 0 }
[fit]
max_trials = 1000
"""

MODELS = {"the truth": {}, "sigma_r0_thin + 5%": {"sigma_r0_thin": 67.19}, "h_z thin + 10%": {"h_thin": 0.33}}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=int, action="append")
    parser.add_argument("--fits", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("roads"))
    asked = parser.parse_args()
    problem = problem_from_config(parse_config(CONFIG))
    problem.predictor.predict(problem.parameters)  # compiles
    Console(width=140).print(trials(problem, asked.stars or [10**6, 10**7]))
    if asked.fits:
        with show_progress() as progress:
            Console(width=140).print(searches(problem, asked.out, progress))


def trials(problem: FitProblem, stars: list[int]) -> Table:
    """chi2 of each of `MODELS`, by the projection and by so many stars, with seconds of wall and CPU."""
    shown = Table(title="chi2 of eq. (5), one trial of three iterations")
    for heading in ("model", "road", "chi2", "wall, s", "CPU, s"):
        shown.add_column(heading)
    layout = problem.layout
    sigma = data_sigma(layout)
    regions = [item.region for item in problem.survey.regions]
    for name, changes in MODELS.items():
        parameters = {**problem.parameters, **changes}

        def projected(parameters: dict[str, float] = parameters) -> float:
            heights = layout.flatten(problem.predictor.predict(parameters).p)
            return region_chi2(layout, heights, sigma)[0]

        def drawn(n: int, parameters: dict[str, float] = parameters) -> float:
            galaxy = build(named_model(problem.model_name).replace(**parameters), iterations=3)
            heights = layout.flatten(predict_by_sampling(galaxy, regions, EDGES, n).p)
            return region_chi2(layout, np.nan_to_num(heights), sigma)[0]

        roads = {"projection": projected} | {f"{n:.0e} stars": (lambda n=n: drawn(n)) for n in stars}
        for road, chi2 in roads.items():
            found, wall, cpu = _timed(chi2)
            shown.add_row(name, road, f"{found:.3f}", f"{wall:.1f}", f"{cpu:.1f}")
    return shown


def searches(problem: FitProblem, folder: Path, progress: Progress) -> Table:
    """Both searches for the six parameters of the discs' DFs, from 10% away."""
    shown = Table(title="six parameters of the DFs, from 10% away")
    for heading in ("method", "chi2", "trials", "of them derivatives", "seconds in them"):
        shown.add_column(heading)
    away = {n: (1.1, 0.9)[i % 2] * problem.parameters[n] for i, n in enumerate(problem.free.names)}
    for method in ("least-squares", "nelder-mead"):
        settings = problem.settings.model_copy(update={"method": method})
        one = replace(problem, parameters={**problem.parameters, **away}, settings=settings)
        result = fit(one, folder=folder / method, resume=True, progress=progress)
        slopes = sum(trial.kind == "slopes" for trial in result.trials)
        told = (f"{result.score:.4f}", str(len(result.trials)), str(slopes), f"{result.seconds:.0f}")
        shown.add_row(method, *told)
    return shown


def _timed(function: Callable[[], float]) -> tuple[float, float, float]:
    """What a function gives, and the seconds of wall and CPU time it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = function()
    return found, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
