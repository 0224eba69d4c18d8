"""Simulation-based calibration: where the truth ranks among posterior draws, over many mock surveys (Talts,
Betancourt, Simpson, Vehtari & Gelman 2018, arXiv:1804.06788)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ConfigError
from galactions.inference.executor import Executor, SerialExecutor
from galactions.inference.posterior.run import sample_posterior
from galactions.inference.posterior.settings import PosteriorSettings
from galactions.inference.problem import FitProblem, predict_heights

if TYPE_CHECKING:
    from galactions.survey import BinnedSurvey

CELLS = 8
"""Cells that ranks are counted in."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks of the truth among posterior draws.

    ranks (n_mocks, n_free): how many of `draws` draws lie below the truth, 0 to `draws`, each as likely as
    any other where a sampler is right. truths (n_mocks, n_free). reliable: whether each sample was judged so.
    """

    names: tuple[str, ...]
    ranks: NDArray[np.int64]
    truths: NDArray[np.float64]
    draws: int
    reliable: NDArray[np.bool_]

    def counts(self) -> NDArray[np.int64]:
        """Ranks counted in `CELLS` cells of equal width, (CELLS, n_free)."""
        cells = np.minimum((self.ranks + 0.5) / (self.draws + 1) * CELLS, CELLS - 1).astype(int)
        return np.stack([np.bincount(column, minlength=CELLS) for column in cells.T], axis=1)

    def p_values(self) -> dict[str, float]:
        """Probability, by Pearson's chi2 of `counts`, of a scatter as large as this if ranks are uniform."""
        from scipy.stats import chisquare

        expected = self._expected() * len(self.ranks)
        return {
            name: float(chisquare(column, expected).pvalue)
            for name, column in zip(self.names, self.counts().T, strict=True)
        }

    def _expected(self) -> NDArray[np.float64]:
        """Share of the draws + 1 ranks that falls into each cell."""
        cells = np.minimum((np.arange(self.draws + 1) + 0.5) / (self.draws + 1) * CELLS, CELLS - 1)
        return np.bincount(cells.astype(int), minlength=CELLS) / (self.draws + 1)


def calibrate(
    problem: FitProblem,
    settings: PosteriorSettings,
    seeds: Sequence[int],
    *,
    draws: int = 63,
    executor: Executor | None = None,
    after: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Ranks of truths drawn from the problem's prior, for each of `seeds`: a truth, a mock survey with the
    counts of the problem's own, the posterior of it, and the truth's rank among `draws` of its draws, thinned
    to be all but independent.

    Raises ConfigError where a prior is improper, or where more than histograms is fitted, which mock counts
    do not replace; and what `sample_posterior` raises.
    """
    if problem.is_extended:
        raise ConfigError(
            "calibration draws mock histograms alone: leave out fit.constraints and the single stars"
        )
    executor = executor or SerialExecutor()
    function = partial(_rank, settings=settings, draws=draws)
    rows: list[tuple[NDArray[np.int64], NDArray[np.float64], bool]] = []
    step = max(1, executor.workers)
    for begin in range(0, len(seeds), step):
        rows += executor.map(function, problem, list(seeds[begin : begin + step]))
        if after is not None:
            after(len(rows), len(seeds))
    return Calibration(
        problem.free.names,
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        draws,
        np.array([row[2] for row in rows]),
    )


def _rank(
    problem: FitProblem, seed: int, *, settings: PosteriorSettings, draws: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], bool]:
    rng = np.random.default_rng([seed, 6])
    while True:
        truth = problem.free.from_prior(rng.uniform(size=len(problem.free.names)))
        outcome = predict_heights(problem, truth)
        if outcome.array is not None:
            break
    survey = counted(problem, outcome.array, rng)
    mock = replace(problem, survey=survey)
    chosen = settings.model_copy(update={"seed": seed, "bands": 0})
    result = sample_posterior(mock, settings=chosen, start=problem.free.named(truth))
    thinned = result.draws[np.linspace(0, len(result.draws) - 1, draws).round().astype(int)]
    return np.sum(thinned < truth, axis=0), truth, result.reliable


def counted(problem: FitProblem, p: NDArray[np.float64], rng: np.random.Generator) -> "BinnedSurvey":
    """The problem's survey with counts drawn anew from heights `p` (n_bins,): multinomial, with the stars
    that lie outside all bins as a cell of their own."""
    survey = problem.survey
    regions = list(survey.regions)
    for block in problem.layout.blocks:
        item = regions[block.region]
        heights = np.clip(p[block.start : block.stop], 0.0, 1.0)
        cells = np.append(heights, max(0.0, 1.0 - heights.sum()))
        counts = rng.multinomial(item.n_stars, cells / cells.sum())[:-1]
        seen = counts / item.n_stars
        histogram = replace(
            item.histograms[block.observable],
            p=seen,
            sigma=np.sqrt(seen * (1.0 - seen) / item.n_stars),
            counts=counts,
        )
        regions[block.region] = replace(item, histograms={**item.histograms, block.observable: histogram})
    return replace(survey, regions=tuple(regions))
