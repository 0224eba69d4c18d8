"""Simulation-based calibration of a posterior sampler on a real fit: ranks as CSV and as a figure.

    python -m benchmarks.calibration CONFIG --method laplace --mocks 100 [--grid N] --out calibration

CONFIG is the file of a fit (with `[survey.mock]` or a catalogue, whose counts the mocks take over) whose
priors or bounds are narrow enough to be drawn from. A hundred mocks of a model that needs a second a trial
take a day; --workers and --scheduler spread them (see `galactions posterior --help`). With --grid,
predictions are interpolated between N models along each free parameter (`benchmarks.posterior` tells how
well), which takes minutes for a few parameters.
"""

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.interpolated import interpolated
from galactions.atomic import replacing
from galactions.config import load_config
from galactions.inference.executor import open_executor
from galactions.inference.files import write_json
from galactions.inference.model_predictor import problem_from_config
from galactions.inference.posterior import METHODS
from galactions.inference.posterior.calibration import CELLS, Calibration, calibrate
from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--method", choices=METHODS, default="laplace")
    parser.add_argument("--mocks", type=int, default=100)
    parser.add_argument("--draws", type=int, default=63)
    parser.add_argument("--grid", type=int, metavar="N")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--scheduler")
    parser.add_argument("--out", type=Path, default=Path("calibration"))
    asked = parser.parse_args()
    config = load_config(asked.config)
    settings = config.posterior.model_copy(update={"method": asked.method})
    problem = problem_from_config(config)
    if asked.grid is not None:
        problem = interpolated(problem, asked.grid, asked.out / "grid")
    with open_executor(asked.scheduler, asked.workers) as executor:
        found = calibrate(
            problem,
            settings,
            range(asked.mocks),
            draws=asked.draws,
            executor=executor,
            after=lambda done, of: print(f"{done} of {of} mocks", flush=True),
        )
    asked.out.mkdir(parents=True, exist_ok=True)
    write(found, asked.out, asked.method)
    for name, p in found.p_values().items():
        print(f"{name:<16} p = {p:.3f}")


def write(found: Calibration, folder: Path, method: str) -> None:
    """Writes ranks_<method>.csv (a line a mock), ranks_<method>.json (p-values) and ranks_<method>.png."""
    with replacing(folder / f"ranks_{method}.csv") as part, part.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*found.names, *(f"truth_{name}" for name in found.names), "reliable"])
        for ranks, truths, good in zip(found.ranks, found.truths, found.reliable, strict=True):
            writer.writerow([*ranks.tolist(), *truths.tolist(), bool(good)])
    told = {"draws": found.draws, "mocks": len(found.ranks), "p_values": found.p_values()}
    write_json(folder / f"ranks_{method}.json", told)
    with replacing(folder / f"ranks_{method}.png") as part:
        part.write_bytes(style.render(figure(found), "png"))


def figure(found: Calibration) -> "Figure":
    """Histograms of the ranks, with the central 95% of the counts that uniform ranks have (grey)."""
    from scipy.stats import binom

    names, columns = found.names, 5
    rows = -(-len(names) // columns)
    drawn = style.new_figure(0.5 + 1.9 * rows)
    counts, p_values = found.counts(), found.p_values()
    low, high = binom.ppf([0.025, 0.975], len(found.ranks), 1.0 / CELLS)
    for i, name in enumerate(names):
        row, column = divmod(i, columns)
        axes = drawn.add_axes((0.04 + 0.194 * column, 1.0 - (row + 0.78) / rows, 0.16, 0.58 / rows))
        style.dress(axes, grid=False)
        axes.axhspan(low, high, color=style.GRID, zorder=0)
        axes.stairs(counts[:, i], np.linspace(0, 1, CELLS + 1), color=style.MODEL, linewidth=1.5)
        axes.set_ylim(0, 1.3 * max(high, float(counts.max())))
        axes.set_title(f"{name}, p = {p_values[name]:.2f}", fontsize=style.TICK_SIZE, parse_math=False)
    return drawn


if __name__ == "__main__":
    main()
