"""Delayed acceptance (Christen & Fox 2005, J. Comput. Graph. Stat. 14, 795): an emulator proposes, the model
decides."""

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.chains import Chain, ChainPlan, chain_from, overdispersed_start
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.trajectories import Density, state_at, tuned_walk

Vector = NDArray[np.float64]


def delayed_chain(
    target: RecordedTarget,
    emulated: Density,
    plan: ChainPlan,
) -> Chain:
    """The planned chain; one evaluation of the target for each draw.

    A proposal y is the end of a `Walk`: Hamiltonian trajectories on the emulated density e, each accepted or
    not by e itself, so that the way from x to y is as likely under e as the way back. Accepting y with
    probability min(1, pi(y) e(x) / (pi(x) e(y))) then leaves the target pi as it is, whatever e is; how good
    e is decides only how many proposals are accepted. Walk and emulator are fixed before the chain begins.
    Stats: acceptance (probability), accepted.
    """
    start = emulated.start
    rng = plan.rng(3)
    walk = tuned_walk(emulated, np.random.default_rng([plan.seed, 4]))
    z = start.z(overdispersed_start(target, start, rng, 1.0))
    state = state_at(emulated, z)
    while not np.isfinite(state.emulated):
        state = state_at(emulated, 0.5 * state.z)  # towards the mode, where the emulator is exact
    exact = target.log_density(start.u(state.z))
    points, values, probabilities, accepted = [], [], [], []
    for i in range(plan.total):
        proposed = walk.end(emulated, state, rng)
        value = exact if proposed is state else target.log_density(start.u(proposed.z))
        log_ratio = (value - proposed.emulated) - (exact - state.emulated)
        probability = float(np.exp(min(0.0, log_ratio)))
        taken = bool(rng.uniform() < probability)
        if taken:
            state, exact = proposed, value
        if i >= plan.warmup:
            points.append(start.u(state.z))
            values.append(exact)
            probabilities.append(probability)
            accepted.append(float(taken))
        plan.tell(i + 1)
    stats = {"acceptance": np.array([probabilities]), "accepted": np.array([accepted])}
    return chain_from(target, np.array(points)[None], np.array([values]), stats)
