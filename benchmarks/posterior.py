"""What each sampler costs on a real fit: seconds, evaluations, effective sample size, R-hat.

    python -m benchmarks.posterior CONFIG [--method laplace --method delayed ...] [--grid N] [--out DIR]
        [--workers N | --scheduler tcp://...]

CONFIG is the file of a fit; its `[posterior]` table holds for every method. Folders below --out are taken up
if they are there, so that a benchmark of hours can be stopped. With --grid, predictions are interpolated
between N models along each free parameter, and the model itself tells at draws of the first method by how
much its log density differs from that.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.interpolated import interpolated, missed
from galactions.config import load_config
from galactions.inference import show_progress
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.posterior import METHODS, PosteriorResult, sample_posterior

CHECKED = 20
"""Draws at which an interpolation is compared with the model."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--method", choices=METHODS, action="append")
    parser.add_argument("--grid", type=int, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("posterior-benchmark"))
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    parser.add_argument("--scheduler", metavar="ADDRESS")
    asked = parser.parse_args()
    config = load_config(asked.config)
    model = problem_from_config(config)
    problem = model if asked.grid is None else interpolated(model, asked.grid, asked.out / "grid")
    with show_progress() as progress:
        results = [
            sample_posterior(
                problem,
                settings=config.posterior.model_copy(update={"bands": 0}),
                method=method,
                folder=asked.out / method,
                resume=True,
                progress=progress,
                workers=asked.workers,
                scheduler=asked.scheduler,
            )
            for method in asked.method or METHODS
        ]
    Console(width=150).print(table(results))
    if asked.grid is not None:
        draws = results[0].draws
        off = missed(model, problem, draws[np.linspace(0, len(draws) - 1, CHECKED).round().astype(int)])
        print(f"log density of the model itself at {CHECKED} draws: differs by {np.std(off):.1e} (rms)")


def table(results: list[PosteriorResult]) -> Table:
    """One line a method; the last column is the largest difference of any mean from the first method's, in
    standard deviations."""
    shown = Table(title=f"posterior of {', '.join(results[0].names)}")
    headings = ("method", "values", "derivatives", "seconds in them", "ESS", "ESS a minute", "R-hat", "k-hat")
    for heading in (*headings, "acceptance", "off the first"):
        shown.add_column(heading)
    first = results[0]
    for result in results:
        values = result.evaluations.get("value", 0) + result.evaluations.get("features", 0)
        derivatives = sum(result.evaluations.get(kind, 0) for kind in ("gradient", "feature_slopes"))
        off = max(
            abs(mine.mean - other.mean) / other.deviation
            for mine, other in zip(result.parameters, first.parameters, strict=True)
        )
        shown.add_row(
            result.method,
            str(values),
            str(derivatives),
            f"{result.seconds:.0f}",
            f"{result.ess:.0f}",
            f"{60 * result.ess / result.seconds:.1f}",
            f"{result.r_hat:.3f}" if np.isfinite(result.r_hat) else "-",
            "-" if result.k_hat is None else f"{result.k_hat:.2f}",
            "-" if result.acceptance is None else f"{result.acceptance:.2f}",
            f"{off:.2f}",
        )
    return shown


if __name__ == "__main__":
    main()
