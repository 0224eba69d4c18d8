"""The steps of a posterior: mode, normal approximation, and the sample of the method that was chosen."""

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.executor import Executor, SerialExecutor
from galactions.inference.posterior.chains import AfterDraw, Chain, ChainPlan
from galactions.inference.posterior.delayed import delayed_chain
from galactions.inference.posterior.emulated import emulated_sample
from galactions.inference.posterior.importance import Round, WeightedSample, importance_sample
from galactions.inference.posterior.journal import Journal, Kind, Mapper, RecordedTarget, answer
from galactions.inference.posterior.laplace import Laplace, laplace
from galactions.inference.posterior.optimum import Mode, find_mode
from galactions.inference.posterior.proposals import Proposals, proposals
from galactions.inference.posterior.settings import PosteriorSettings
from galactions.inference.posterior.target import Target
from galactions.inference.posterior.trajectories import FEWEST_WALKERS
from galactions.inference.progress import Progress, ProgressUpdate, SamplingUpdate

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ROUNDS, ROUNDS_OF_NUTS = 6, 12
"""Rounds of values that the emulator of "delayed" and that of "nuts" are learnt from: a gradient costs five
values or more, and the nearer the emulator, the longer are the steps."""

METRIC_DRAWS = 64
"""Draws of the emulator for each parameter, that "nuts" has its metric from."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What a method gave: chains, or a weighted sample, with the mode and the normal approximation there.

    evaluations: by kind, of all steps together. walkers: of each ensemble, 1 for other chains.
    """

    mode: Mode
    laplace: Laplace
    chains: tuple[Chain, ...] = ()
    weighted: WeightedSample | None = None
    evaluations: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    seconds: float = 0.0
    strayed: bool = False

    @property
    def walkers(self) -> int:
        return self.chains[0].u.shape[0] if self.chains else 1


@dataclass(frozen=True, eq=False)
class Chains:
    """What all chains have in common: what they are drawn from, and how. proposals: of an emulator, if there
    is one. folder: of the run, if there is one."""

    target: Target
    settings: PosteriorSettings
    start: Laplace
    proposals: Proposals | None
    folder: Path | None


def draw_sample(
    target: Target,
    start: Vector,
    settings: PosteriorSettings,
    *,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    slopes: Matrix | None = None,
) -> Sample:
    """The posterior sample of a target from coordinates `start` (n,) on. A deterministic function of target,
    start, slopes and settings, whatever the executor; with a folder its evaluations are kept there and used
    again. slopes: derivatives of the features that were evaluated near to the mode.

    Raises ModelError where there is no model at the start, and ConfigError for a target that lacks what the
    method needs.
    """
    executor = executor or SerialExecutor()
    clock = _Clock(progress)
    clock.stage("searching for the mode")
    first = recorded(target, folder, "mode")
    mode = find_mode(first, start, known=slopes)
    normal = laplace(mode, target.names)
    counted: list[RecordedTarget | Chain] = [first]
    chains: tuple[Chain, ...] = ()
    weighted = None
    if settings.method in ("laplace", "emulated"):
        points = recorded(target, folder, "importance")
        points.on_evaluation = lambda: clock.tell("importance", points.total, settings.draws, points.total)
        weighted = _weighted(points, mode, normal, settings, _mapper(executor), clock)
        counted.append(points)
    else:
        answers = recorded(target, folder, "emulator")
        known = _proposals(answers, mode, normal, settings, _mapper(executor), clock)
        counted.append(answers)
        chains = _drawn(Chains(target, settings, normal, known, folder), executor, clock)
        counted.extend(chains)
    evaluations: dict[str, int] = {}
    for item in counted:
        for kind, count in item.n_evaluations.items():
            evaluations[kind] = evaluations.get(kind, 0) + count
    return Sample(
        mode,
        normal,
        chains,
        weighted,
        evaluations,
        sum(item.failures for item in counted),
        sum(item.seconds for item in counted),
        any(item.strayed for item in counted),
    )


def _weighted(
    points: RecordedTarget,
    mode: Mode,
    normal: Laplace,
    settings: PosteriorSettings,
    mapper: Mapper | None,
    clock: "_Clock",
) -> WeightedSample:
    """The weighted sample of the methods "laplace" and "emulated"."""
    how: dict[str, Any] = {
        "draws": settings.draws,
        "target_ess": settings.target_ess,
        "max_rounds": settings.max_rounds,
        "seed": settings.seed,
        "mapper": mapper,
        "after_round": clock.round,
    }
    if settings.method == "laplace":
        clock.stage("re-weighting the normal approximation at the mode")
        return importance_sample(points, normal, **how)
    clock.stage("weighing draws of an emulator")
    return emulated_sample(points, mode, normal, **how)


def _proposals(
    answers: RecordedTarget,
    mode: Mode,
    normal: Laplace,
    settings: PosteriorSettings,
    mapper: Mapper | None,
    clock: "_Clock",
) -> Proposals | None:
    """What chains of this method have from an emulator. Those of "nuts" can do without."""
    if settings.method == "ensemble" or (settings.method == "nuts" and not answers.has_features):
        return None
    clock.stage("laying out the emulator")
    nuts = settings.method == "nuts"
    try:
        return proposals(
            answers,
            mode,
            normal,
            seed=settings.seed,
            rounds=ROUNDS_OF_NUTS if nuts else ROUNDS,
            count=METRIC_DRAWS * len(normal.mean) if nuts else FEWEST_WALKERS,
            mapper=mapper,
            after=lambda done, of: clock.tell("emulator", done, of, answers.total),
        )
    except ModelError:
        if nuts:
            return None
        raise


def run_chain(common: Chains, number: int, after_draw: AfterDraw | None = None) -> Chain:
    """Draws the chain of this number, from 0."""
    settings = common.settings
    at = recorded(common.target, common.folder, f"chain-{number:03d}")
    plan = ChainPlan(settings.draws, settings.warmup, settings.seed, number, after_draw)
    if settings.method == "delayed" and common.proposals is not None:
        return delayed_chain(at, common.proposals, plan)
    if settings.method == "nuts":
        from galactions.inference.posterior.nuts import nuts_chain

        return nuts_chain(
            at, common.start, plan, max_doublings=settings.max_doublings, known=common.proposals
        )
    from galactions.inference.posterior.ensemble import ensemble_chain

    return ensemble_chain(at, common.start, plan, walkers=settings.walkers)


def _drawn(common: Chains, executor: Executor, clock: "_Clock") -> tuple[Chain, ...]:
    count = common.settings.chains
    if not isinstance(executor, SerialExecutor):
        clock.stage(f"drawing {count} chains on {executor.workers} workers")
        return tuple(executor.map(run_chain, common, range(count)))
    chains = []
    for number in range(count):
        told = f"chain {number + 1} of {count}"
        clock.stage(told)
        chains.append(
            run_chain(common, number, lambda done, of, told=told: clock.tell(told, done, of))  # type: ignore[misc]
        )
    return tuple(chains)


def recorded(target: Target, folder: Path | None, name: str) -> RecordedTarget:
    """The target with a journal of its own in the folder's `evaluations`, if there is a folder."""
    return RecordedTarget(
        target, None if folder is None else Journal(folder / "evaluations" / f"{name}.jsonl")
    )


def _mapper(executor: Executor) -> Mapper | None:
    if isinstance(executor, SerialExecutor):
        return None
    return Mapper(
        lambda target, kind, points: executor.map(partial(_answer, kind=kind), target, points),
        4 * executor.workers,
    )


def _answer(target: Target, u: Vector, *, kind: Kind) -> Vector | None:
    return answer(target, kind, u)


class _Clock:
    """Tells progress, with the time that is left of a stage by what it has taken so far."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._begin = time.monotonic()

    def stage(self, message: str) -> None:
        self._begin = time.monotonic()
        if self._progress is not None:
            self._progress(ProgressUpdate.stage(message))

    def tell(self, stage: str, done: int, of: int, evaluations: int | None = None) -> None:
        if self._progress is not None:
            elapsed = time.monotonic() - self._begin
            left = elapsed * (of - done) / done if 0 < done <= of else None
            self._progress(
                SamplingUpdate(
                    stage, done, max(of, done), done if evaluations is None else evaluations, elapsed, left
                )
            )

    def round(self, made: Round) -> None:
        if self._progress is not None:
            told = f"{made.draws} points: effective sample size {made.ess:.0f}, k-hat {made.k_hat:.2f}"
            self._progress(ProgressUpdate.stage(told))
