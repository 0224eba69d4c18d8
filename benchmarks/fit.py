"""The fit of all 15 parameters to a mock survey of Mc17a, begun from another model of Table 2.

    python -m benchmarks.fit [--start Mc17b] [--no-history]

The mock is that of examples/mock_paper_fifteen.toml. Minutes; the time is added to the history.
"""

import argparse
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import history
from benchmarks.history import Entry, Run
from benchmarks.machine import CHECKOUT, commit, load, machine
from benchmarks.measured import Measured, peak_memory
from benchmarks.table import shown
from galactions import __version__
from galactions.config import load_config
from galactions.inference import FitResult, fit
from galactions.inference.model_predictor import problem_from_config

CONFIG = CHECKOUT / "examples" / "mock_paper_fifteen.toml"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--start", default="Mc17b")
    parser.add_argument("--no-history", action="store_true", help="leave the history as it is")
    asked = parser.parse_args()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    run = Run(now, machine(), "cpu", load(), __version__, commit())
    set_up, result, fitted, cpu = timed_fit(CONFIG, asked.start)
    task = f"fit of {len(result.best)} parameters from {asked.start}"
    told = f"{result.status.name.lower()}, {len(result.trials)} trials, score {result.score:.4f}"
    measured = Measured(task, first=set_up + fitted, seconds=fitted, cpu=cpu, peak=peak_memory(), error=told)
    entry = Entry(run, "warm", measured)
    print(f"{task}: {shown(fitted)}, {shown(cpu)} CPU, after {shown(set_up)} of mock survey and nodes")
    print(f"{told}; {measured.peak or 0:.2f} GiB; worst parameter {worst(result):.1f} sigma from the truth")
    known = history.read()
    if (old := history.before(entry, known)) and (change := history.change(entry, old)) is not None:
        print(f"CPU time {change:+.0%} since {old.run.date} (commit {old.run.commit})")
    if not asked.no_history:
        history.append([entry])


def timed_fit(config: Path, start: str) -> tuple[float, FitResult, float, float]:
    """Seconds of setting up; the result of the fit from the named model `start`; its wall and CPU time."""
    began = time.perf_counter()
    table = load_config(config)
    settings = table.fit.model_copy(update={"starts": (start,)})
    problem = problem_from_config(table.model_copy(update={"fit": settings}))
    there = {**problem.parameters, **problem.starts[start]}
    set_up = time.perf_counter() - began
    wall, cpu = time.perf_counter(), time.process_time()
    result = fit(replace(problem, parameters=there, starts={}))
    return set_up, result, time.perf_counter() - wall, time.process_time() - cpu


def worst(result: FitResult) -> float:
    """Largest distance of a parameter from that of the mock's model, in standard errors; NaN without any."""
    from galactions.galaxy import named_model

    truth = named_model(result.model_name).parameters
    if result.standard_errors is None:
        return float("nan")
    return max(abs(value - truth[name]) / result.standard_errors[name] for name, value in result.best.items())


if __name__ == "__main__":
    main()
