"""Delayed acceptance (Christen & Fox 2005, J. Comput. Graph. Stat. 14, 795): an emulator proposes, the model
decides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.chains import AfterDraw, Chain, chain_from, overdispersed_start
from galactions.inference.posterior.emulator import Emulator
from galactions.inference.posterior.journal import RecordedTarget

Vector = NDArray[np.float64]

TRAJECTORIES = 8
"""Hamiltonian trajectories on the emulator for one proposal: its end is all but independent of its start."""

LONGEST, SHORTEST_STEP = 8, 0.1
"""Leapfrog steps of a trajectory: each has 1 to this many, and from this fraction of the step size to all of
it, both at random: none runs in circles, and narrow places are reached as well."""

LOST = 1e5
"""A trajectory that comes to where the emulated log density is this far below the mode is not accepted. The
limit is the same from wherever it began, so that the way back is refused as well."""

TUNING = 200
"""Trajectories on the emulator from which the step size is learnt; they cost no evaluation of the model."""


@dataclass(frozen=True, eq=False)
class _State:
    z: Vector
    emulated: float
    gradient: Vector


def delayed_chain(
    target: RecordedTarget,
    emulator: Emulator,
    *,
    draws: int,
    warmup: int,
    seed: int,
    chain: int,
    after_draw: AfterDraw | None = None,
) -> Chain:
    """Chain number `chain` of `draws` draws, after `warmup` that are not kept; one evaluation of the target
    for each.

    A proposal y is the end of `TRAJECTORIES` Hamiltonian trajectories on the emulator's density e, each
    accepted or not by e itself, so that the way from x to y is as likely under e as the way back. Accepting y
    with probability min(1, pi(y) e(x) / (pi(x) e(y))) then leaves the target pi as it is, whatever e is; how
    good e is decides only how many proposals are accepted. Step size and emulator are fixed before the chain
    begins. Stats: acceptance (probability), accepted.
    """
    start = emulator.start
    rng = np.random.default_rng([seed, chain, 3])
    step = tuned_step(emulator, np.random.default_rng([seed, 4]))
    z = start.z(overdispersed_start(target, start, rng, 1.0))
    while not np.isfinite(emulator.log_density(z)):
        z = 0.5 * z  # towards the mode, where the emulator is exact
    state = _state(emulator, z)
    exact = target.log_density(start.u(state.z))
    points, values, probabilities, accepted = [], [], [], []
    for i in range(warmup + draws):
        proposed = state
        for _ in range(TRAJECTORIES):
            proposed = _trajectory(emulator, proposed, step, rng)[0]
        log_ratio = -np.inf
        if proposed is not state:
            value = target.log_density(start.u(proposed.z))
            log_ratio = (value - proposed.emulated) - (exact - state.emulated)
        else:
            value, log_ratio = exact, 0.0
        probability = float(np.exp(min(0.0, log_ratio)))
        taken = bool(rng.uniform() < probability)
        if taken:
            state, exact = proposed, value
        if i >= warmup:
            points.append(start.u(state.z))
            values.append(exact)
            probabilities.append(probability)
            accepted.append(float(taken))
        if after_draw is not None:
            after_draw(i + 1, warmup + draws)
    stats = {"acceptance": np.array([probabilities]), "accepted": np.array([accepted])}
    return chain_from(target, np.array(points)[None], np.array([values]), stats)


def tuned_step(emulator: Emulator, rng: np.random.Generator) -> float:
    """The leapfrog step with which about 0.9 of the trajectories on the emulator are accepted."""
    from galactions.inference.posterior.nuts import DualAveraging

    n = len(emulator.start.mean)
    state = _state(emulator, np.zeros(n))
    averaging = DualAveraging(step=0.8 * n**-0.25, acceptance=0.9)
    for _ in range(TUNING):
        state, probability = _trajectory(emulator, state, averaging.step, rng)
        averaging.update(probability)
    return averaging.averaged


def _state(emulator: Emulator, z: Vector) -> _State:
    value, gradient = emulator.value_and_gradient(z)
    return _State(z, value, gradient)


def _trajectory(
    emulator: Emulator, state: _State, step: float, rng: np.random.Generator
) -> tuple[_State, float]:
    """A Hamiltonian trajectory (Duane et al. 1987) of random length and step on the emulator: its end if that
    is accepted, else `state` itself; and the probability of acceptance."""
    momentum = rng.standard_normal(len(state.z))
    length = int(rng.integers(1, LONGEST + 1))
    step = step * SHORTEST_STEP ** rng.uniform()
    chance = rng.uniform()
    before = state.emulated - 0.5 * float(momentum @ momentum)
    at = state
    for _ in range(length):
        momentum = momentum + 0.5 * step * at.gradient
        at = _state(emulator, at.z + step * momentum)
        if not at.emulated > emulator.start.log_density - LOST:
            return state, 0.0
        momentum = momentum + 0.5 * step * at.gradient
    after = at.emulated - 0.5 * float(momentum @ momentum)
    probability = float(np.exp(min(0.0, after - before)))
    return (at, probability) if chance < probability else (state, probability)
