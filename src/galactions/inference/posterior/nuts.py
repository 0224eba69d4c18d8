"""Chains of the no-U-turn sampler, with a warm-up that learns from few draws."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.chains import (
    Chain,
    ChainPlan,
    chain_from,
    overdispersed_start,
    start_among,
)
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.no_u_turn import Force, Hamiltonian, Point, Transition, transition
from galactions.inference.posterior.proposals import Proposals
from galactions.inference.posterior.step_size import DualAveraging

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ACCEPTANCE = 0.8
"""Mean acceptance that the step size is adapted to."""

REACH, PULL = 1.0, 0.2
"""How step sizes are adapted (`DualAveraging`): the first one is nearly right, and steps that are far too
short, as follow those that are far too long, cost trajectories of dozens of gradients each."""

WORTH, WORTH_OF_EMULATOR = 40.0, 400.0
"""How many draws the metric that a chain begins with counts as when it is corrected: that of the Laplace
approximation, and that of an emulator's draws."""

TOLD_BY = 0.2
"""Share of that worth, in draws of a window, from which the metric is corrected: fewer tell little, and the
step size would begin anew with few draws left."""

LONGEST = 1.8
"""Longest step that is guided, a little more than a quarter of a period: its end has all but forgotten where
it began, along directions that are wider than the metric says as well."""


def nuts_chain(
    target: RecordedTarget,
    start: Laplace,
    plan: ChainPlan,
    *,
    max_doublings: int,
    known: Proposals | None = None,
) -> Chain:
    """The planned chain; known: what an emulator knows of the target.

    The chain moves in coordinates in which the Laplace approximation is a unit normal. The emulator guides
    its steps (`Hamiltonian`); its dense inverse mass matrix is, to begin with, the covariance of the
    emulator's draws, one of which it begins at. Without an emulator this matrix is that of the Laplace
    approximation, and the chain begins around that. In the warm-up the step size is adapted by dual averaging
    (Nesterov 2009) and the mass matrix from the chain's own draws in windows that grow (Stan's scheme); then
    both stay fixed. Stats: acceptance, divergent, steps, doublings, energy, step_size. Raises ModelError
    where a chain cannot begin.
    """
    rng = plan.rng(1)

    def in_whitened(z: Vector) -> tuple[float, Vector]:
        value, gradient = target.value_and_gradient(start.u(z))
        return value, gradient @ start.factor

    n = len(start.mean)
    if known is None:
        begin, mass, worth = start.z(overdispersed_start(target, start, rng)), np.eye(n), WORTH
        guide: Force | None = None
        longest = np.inf
    else:
        begin = start_among(target, start, known.draws, plan.chain)
        mass, worth = np.cov(known.draws.T).reshape(n, n), WORTH_OF_EMULATOR
        emulator, longest = known.emulator, LONGEST

        def guide(z: Vector) -> Vector:
            return emulator.value_and_gradient(z)[1]

    at = Point.at(in_whitened, begin)
    factor = _root(mass)
    averaging = DualAveraging(n**-0.25, acceptance=ACCEPTANCE, reach=REACH, pull=PULL, most=longest)
    windows, since = _windows(plan.warmup), []
    points: list[Point] = []
    stats: list[dict[str, float]] = []
    for i in range(plan.total):
        step = averaging.step if i < plan.warmup else averaging.averaged
        at, moved = transition(Hamiltonian(in_whitened, factor, step, guide), at, max_doublings, rng)
        if i < plan.warmup:
            averaging.update(moved.acceptance)
            if windows[i] >= 0:
                since.append(at.z)
            if i + 1 < plan.warmup and windows[i] >= 0 and windows[i + 1] != windows[i]:
                if len(since) >= TOLD_BY * worth:
                    mass = _corrected(np.array(since), mass, worth)
                    factor = _root(mass)
                    averaging.restart()
                since = []
        else:
            points.append(at)
            stats.append(_told(moved, step))
        plan.tell(i + 1)
    return chain_from(
        target,
        start.u(np.array([point.z for point in points]))[None],
        np.array([[point.value for point in points]]),
        {name: np.array([[each[name] for each in stats]]) for name in stats[0]},
    )


def _told(moved: Transition, step: float) -> dict[str, float]:
    return {**{name: float(value) for name, value in asdict(moved).items()}, "step_size": step}


def _windows(warmup: int) -> NDArray[np.int64]:
    """The window (warmup,) that each warm-up draw belongs to, from 0; -1 for the first 15% and the last 10%,
    in which only the step size is adapted. Windows double from 25 draws on."""
    first, last = int(0.15 * warmup), warmup - int(0.1 * warmup)
    windows = np.full(warmup, -1)
    at, size, number = first, 25, 0
    while at < last:
        end = last if last - at < 3 * size else at + size
        windows[at:end] = number
        at, size, number = end, 2 * size, number + 1
    return windows


def _corrected(points: Matrix, before: Matrix, worth: float) -> Matrix:
    """The inverse mass matrix from a window's points (k, n): their covariance, with the one before as `worth`
    more."""
    count = len(points)
    return (count * np.cov(points.T).reshape(before.shape) + worth * before) / (count + worth)


def _root(mass: Matrix) -> Matrix:
    """A factor with factor factor' = mass."""
    return np.asarray(np.linalg.cholesky(mass), dtype=float)
