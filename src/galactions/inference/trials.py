"""The trials of a fit: each evaluated once, counted, kept, and found again when a run is taken up."""

import math
import time
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.bins import data_sigma
from galactions.inference.chi2 import region_chi2
from galactions.inference.joint import JointObjective, joint_objective
from galactions.inference.problem import FitProblem, all_slopes, predict_all
from galactions.inference.progress import Progress, ProgressUpdate
from galactions.inference.slopes import Slopes

Key = tuple[Hashable, ...]


def trial_key(kind: str, round_number: int, parameters: Mapping[str, float]) -> Key:
    """What makes two evaluations the same: kind and parameters; for chi2 alone also the round, whose
    sigma_n it has."""
    return (kind, round_number if kind == "chi2" else 0, *parameters.items())


@dataclass(frozen=True)
class Trial:
    """One evaluation of the model, a line of `trials.jsonl`.

    number: from 1. round: in which sigma_n was held fixed. kind: "chi2", "heights" (chi2, and the joint
    prediction kept) or "slopes" (derivatives at a point evaluated before). parameters: the free ones. chi2:
    the mean reduced chi2 over the fitted regions; None for derivatives and failures. regions: reduced chi2
    of each used region. failed, note: whether the parameters made no model, and why. score: what is
    minimised (`JointObjective.score`), None where that is chi2 itself.
    """

    number: int
    round: int
    kind: str
    parameters: Mapping[str, float]
    chi2: float | None
    regions: Mapping[str, float]
    seconds: float
    failed: bool = False
    note: str = ""
    score: float | None = None

    @property
    def minimised(self) -> float | None:
        """What the search minimises; None for derivatives and failures."""
        return self.chi2 if self.score is None else self.score

    @property
    def key(self) -> Key:
        """What makes two evaluations the same."""
        return trial_key(self.kind, self.round, self.parameters)


class TrialStore(Protocol):
    """Where trials are kept durably (a run folder)."""

    def logged_trials(self) -> list[Trial]: ...

    def append(self, trial: Trial, array: NDArray[np.float64] | None) -> None: ...

    def array_of(self, trial: Trial) -> NDArray[np.float64] | None: ...


class BudgetSpentError(Exception):
    """The allowed number of trials is used up."""


class DerivativesFailedError(Exception):
    """No derivatives could be had at a point where the model itself could be built."""


@dataclass(frozen=True, eq=False)
class Best:
    """The lowest score of a round and the free values (n_free,) where it was found."""

    values: NDArray[np.float64]
    score: float


@dataclass(eq=False)
class TrialRecorder:
    """Evaluates trials of a problem for an optimiser, within a budget, and remembers the best of the round.

    `sigma` (n_bins,) holds during a round. Evaluations that the store has already, at exactly the same
    parameters, are returned from it: the optimisers are deterministic, so an interrupted search runs
    through its old trials in no time and goes on as if it had never stopped. `strayed_at`: the trial at
    which it did not, None where all is well. `known_slopes`: the derivatives that were evaluated last, or
    handed in as evaluated near to the optimum.
    """

    problem: FitProblem
    store: TrialStore | None = None
    progress: Progress | None = None
    round: int = 1
    sigma: NDArray[np.float64] = field(init=False)
    objective: JointObjective = field(init=False)
    trials: list[Trial] = field(default_factory=list)
    best: Best | None = None
    failures: Counter[str] = field(default_factory=Counter)
    strayed_at: int | None = None
    known_slopes: Slopes | None = None

    def __post_init__(self) -> None:
        self.sigma = data_sigma(self.problem.layout)
        self.objective = joint_objective(self.problem, self.sigma)
        self._logged = {trial.key: trial for trial in (self.store.logged_trials() if self.store else [])}
        self._last_number = max((trial.number for trial in self._logged.values()), default=0)
        self._done: dict[Key, tuple[Trial, NDArray[np.float64] | None]] = {}
        self._started = time.monotonic()
        self._fresh_seconds: list[float] = []

    def start_round(self, number: int, sigma: NDArray[np.float64]) -> None:
        """Begins a round with errors `sigma` (n_bins,); what was best before is no longer compared with."""
        self.round, self.sigma, self.best = number, sigma, None
        self.objective = joint_objective(self.problem, sigma)

    def score(self, values: NDArray[np.float64]) -> float:
        """What is minimised, at free values (n_free,); +inf for parameters that make no model."""
        trial, _ = self._evaluate("chi2", values)
        return math.inf if trial.minimised is None else trial.minimised

    def prediction(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The joint prediction at free values; None for parameters that make no model."""
        _, y = self._evaluate("heights", values)
        if y is not None:
            self._consider(values, float(self.objective.score(y)))
        return y

    def found(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The joint prediction at free values, if it was evaluated in this run; makes no trial."""
        done = self._done.get(trial_key("heights", self.round, self.problem.free.named(values)))
        return None if done is None else done[1]

    def slopes(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives of the joint prediction by the free parameters. Raises DerivativesFailedError where
        there are none."""
        y = self.prediction(values)
        trial, array = self._evaluate("slopes", values)
        if array is None:
            raise DerivativesFailedError(trial.note)
        if y is not None:
            self.known_slopes = Slopes(values.copy(), y, array)
        return array

    def check_start(self, values: NDArray[np.float64], kind: str) -> None:
        """Raises ModelError, with the reason, when no model can be built at the start `values`."""
        trial, _ = self._evaluate(kind, values)
        if trial.failed:
            start = ", ".join(f"{name} = {value:g}" for name, value in trial.parameters.items())
            raise ModelError(f"the fit cannot begin: the model at its start ({start}) failed: {trial.note}")

    def _evaluate(self, kind: str, values: NDArray[np.float64]) -> tuple[Trial, NDArray[np.float64] | None]:
        """The trial of this kind at these values: done before, found in the store, or made now.

        Raises BudgetSpentError when one more trial would be too many.
        """
        named = self.problem.free.named(values)
        key = trial_key(kind, self.round, named)
        if key in self._done:
            return self._done[key]
        if len(self.trials) >= self.problem.settings.max_trials:
            raise BudgetSpentError
        logged = self._logged.get(key)
        array = self._kept_array(logged)
        if logged is not None and (array is not None or kind == "chi2" or logged.failed):
            trial = logged
        else:
            if logged is None and self.strayed_at is None and len(self.trials) < len(self._logged):
                self.strayed_at = len(self.trials) + 1
            trial, array = self._make(kind, values, named, logged)
        self._done[key] = trial, array
        self._remember(trial, values)
        return trial, array

    def _make(
        self, kind: str, values: NDArray[np.float64], named: dict[str, float], logged: Trial | None
    ) -> tuple[Trial, NDArray[np.float64] | None]:
        begin = time.perf_counter()
        if kind == "slopes":
            outcome = all_slopes(self.problem, values, self.prediction(values))
        else:
            outcome = predict_all(self.problem, values)
        seconds = time.perf_counter() - begin
        chi2: float | None = None
        score: float | None = None
        by_region: dict[str, float] = {}
        if kind != "slopes" and outcome.array is not None:
            heights = outcome.array[: len(self.problem.layout.data)]
            chi2, by_region = region_chi2(self.problem.layout, heights, self.sigma)
            if self.problem.is_extended or self.problem.settings.objective != "chi2":
                score = float(self.objective.score(outcome.array))
        if logged is None:
            self._last_number += 1
        number = logged.number if logged else self._last_number
        failed = outcome.array is None
        trial = Trial(
            number, self.round, kind, named, chi2, by_region, seconds, failed, outcome.reason, score
        )
        array = None if kind == "chi2" else outcome.array
        if self.store is not None:
            self.store.append(trial, array)
        self._fresh_seconds.append(seconds)
        return trial, array

    def _kept_array(self, logged: Trial | None) -> NDArray[np.float64] | None:
        if logged is None or logged.kind == "chi2" or logged.failed or self.store is None:
            return None
        return self.store.array_of(logged)

    def _remember(self, trial: Trial, values: NDArray[np.float64]) -> None:
        self.trials.append(trial)
        if trial.failed:
            self.failures[trial.note] += 1
        if trial.minimised is not None:
            self._consider(values, trial.minimised)
        self._report(trial)

    def _consider(self, values: NDArray[np.float64], score: float) -> None:
        if self.best is None or score < self.best.score:
            self.best = Best(values.copy(), score)

    def _report(self, trial: Trial) -> None:
        if self.progress is None:
            return
        recent = self._fresh_seconds[-20:]
        allowed = self.problem.settings.max_trials
        self.progress(
            ProgressUpdate(
                trial=len(self.trials),
                max_trials=allowed,
                round=trial.round,
                chi2=trial.minimised,
                best_chi2=self.best.score if self.best else None,
                failures=sum(self.failures.values()),
                elapsed=time.monotonic() - self._started,
                at_most_left=(allowed - len(self.trials)) * sum(recent) / len(recent) if recent else None,
                message=trial.note if trial.failed else "",
            )
        )
