"""Suites of fits: several starts, mock surveys whose truth is known, grids of models; serial, or by Dask.

Each piece is a fit (or an evaluation) of its own, in a folder of its own, so that a suite that was
interrupted is taken up where it stopped, and what comes out does not depend on who did the work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galactions.inference.executor import Executor, SerialExecutor
from galactions.inference.fit import fit
from galactions.inference.problem import FitProblem, predict_heights
from galactions.inference.result import FitResult
from galactions.inference.slopes import Slopes

Vector = NDArray[np.float64]

SIGMAS = {"68%": 1.0, "95%": 1.96}
"""Half-widths of the intervals whose coverage is counted, in standard errors."""


@dataclass(frozen=True)
class Start:
    """A name and parameters that a fit starts from, over those of the problem."""

    name: str
    parameters: Mapping[str, float]


def multi_start(
    problem: FitProblem,
    starts: Sequence[Start],
    *,
    folder: str | Path | None = None,
    executor: Executor | None = None,
) -> list[FitResult]:
    """The problem fitted from each of several starts, in their order. folder: holds a run folder for each, by
    its name; runs that are there are taken up.

    Raises what `fit` raises.
    """
    tasks = [(start, None if folder is None else Path(folder) / start.name) for start in starts]
    return (executor or SerialExecutor()).map(_fit_from, problem, tasks)


def _fit_from(problem: FitProblem, task: tuple[Start, Path | None]) -> FitResult:
    start, folder = task
    begun = replace(problem, parameters={**problem.parameters, **start.parameters})
    return fit(begun, folder=folder, resume=True, command=f"multi_start, {start.name}")


@dataclass(frozen=True)
class Recovery:
    """What fits of mock surveys made of their truth, parameter by parameter.

    truth (n_free,): by `names`. best, errors (n_mocks, n_free): of each fit, errors NaN where it gave none.
    at_bound (n_mocks, n_free): whether the best value lies on a bound, where an error says nothing.
    converged, chi2_per_dof, trials (n_mocks,): of each fit.
    """

    names: tuple[str, ...]
    truth: Vector
    best: Vector
    errors: Vector
    at_bound: NDArray[np.bool_]
    converged: tuple[bool, ...]
    chi2_per_dof: tuple[float, ...]
    trials: tuple[int, ...]

    @property
    def pulls(self) -> Vector:
        """(best - truth)/standard error, (n_mocks, n_free)."""
        return (self.best - self.truth) / self.errors

    @property
    def bias(self) -> dict[str, float]:
        """Mean pull: 0 +- 1/sqrt(n_mocks) where a fit is unbiased."""
        return dict(zip(self.names, np.nanmean(self.pulls, axis=0).tolist(), strict=True))

    @property
    def scatter(self) -> dict[str, float]:
        """Standard deviation of the pulls: 1 where the errors are right."""
        return dict(zip(self.names, np.nanstd(self.pulls, axis=0, ddof=1).tolist(), strict=True))

    @property
    def coverage(self) -> dict[str, dict[str, float]]:
        """How many of the mocks have the truth within the 68% and the 95% interval, as fractions."""
        good = np.isfinite(self.pulls)
        return {
            level: {
                name: float(np.mean(np.abs(self.pulls[good[:, i], i]) < width))
                if good[:, i].any()
                else np.nan
                for i, name in enumerate(self.names)
            }
            for level, width in SIGMAS.items()
        }


def recovery_suite(
    mock: Callable[[int], tuple[FitProblem, Mapping[str, float]]],
    seeds: Sequence[int],
    *,
    folder: str | Path | None = None,
    executor: Executor | None = None,
    slopes: Slopes | None = None,
) -> Recovery:
    """Mock surveys fitted: mock(seed) gives a problem and the true values of its free parameters by name.

    folder: holds a run folder for each mock, `mock-<seed>`; those that are there are taken up. With an
    executor of several processes, `mock` has to be a function that can be sent to them. slopes: derivatives
    of the predictions at the truth, where all mocks have the same bins: they differ by noise alone, so these
    serve all of them (see `fit`), and none are evaluated for each.
    """
    tasks = [(seed, None if folder is None else Path(folder) / f"mock-{seed:04d}") for seed in seeds]
    rows = (executor or SerialExecutor()).map(partial(_recover, slopes=slopes), mock, tasks)
    results = [row[2] for row in rows]
    best = np.array([[result.best[name] for name in rows[0][0]] for result in results])
    return Recovery(
        names=rows[0][0],
        truth=rows[0][1],
        best=best,
        errors=np.array(
            [
                [np.nan if r.standard_errors is None else r.standard_errors[name] for name in rows[0][0]]
                for r in results
            ]
        ),
        at_bound=np.array([row[3] for row in rows]),
        converged=tuple(result.converged for result in results),
        chi2_per_dof=tuple(result.chi2_per_dof for result in results),
        trials=tuple(len(result.trials) for result in results),
    )


def _recover(
    mock: Callable[[int], tuple[FitProblem, Mapping[str, float]]],
    task: tuple[int, Path | None],
    *,
    slopes: Slopes | None,
) -> tuple[tuple[str, ...], Vector, FitResult, list[bool]]:
    seed, folder = task
    problem, truth = mock(seed)
    result = fit(problem, folder=folder, resume=True, command=f"recovery_suite, mock {seed}", slopes=slopes)
    names = problem.free.names
    touching = problem.free.at_bounds(np.array([result.best[name] for name in names]))
    return names, np.array([truth[name] for name in names]), result, [name in touching for name in names]


def model_grid(
    problem: FitProblem, points: Sequence[Mapping[str, float]], *, executor: Executor | None = None
) -> list[Vector | None]:
    """Predicted heights (n_bins,) of the model at each of `points` (parameters by name, over those of the
    problem); None where they make no model."""
    return (executor or SerialExecutor()).map(_heights_at, problem, list(points))


def _heights_at(problem: FitProblem, point: Mapping[str, float]) -> Vector | None:
    there = replace(problem, parameters={**problem.parameters, **point})
    values = np.array([float(there.parameters[name]) for name in problem.free.names])
    return predict_heights(there, values).array
