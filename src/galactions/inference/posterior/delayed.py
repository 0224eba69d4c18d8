"""Delayed acceptance (Christen & Fox 2005, J. Comput. Graph. Stat. 14, 795): an emulator proposes, the model
decides."""

import numpy as np

from galactions.inference.posterior.chains import Chain, ChainPlan, chain_from, start_among
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.proposals import Proposals
from galactions.inference.posterior.trajectories import Walkers


def delayed_chain(target: RecordedTarget, proposals: Proposals, plan: ChainPlan) -> Chain:
    """The planned chain; one evaluation of the target for each draw.

    A proposal y is the end of a `Walk`: Hamiltonian trajectories on the emulated density e, each accepted or
    not by e itself, so that the way from x to y is as likely under e as the way back. Accepting y with
    probability min(1, pi(y) e(x) / (pi(x) e(y))) then leaves the target pi as it is, whatever e is; how good
    e is decides only how many proposals are accepted. Walk and emulator are fixed before the chain begins,
    at a draw of the emulator. Stats: acceptance (probability), accepted. Raises ModelError where none of
    these draws makes a model.
    """
    emulated, rng = proposals.density, plan.rng(3)
    start = emulated.start
    z = start_among(target, start, proposals.draws, plan.chain)
    at, exact = Walkers.at(emulated, z[None]), target.log_density(start.u(z))
    points, values, probabilities, accepted = [], [], [], []
    for i in range(plan.total):
        proposed = proposals.walk.end(emulated, at, rng)
        value = target.log_density(start.u(proposed.z[0]))
        log_ratio = (value - proposed.value[0]) - (exact - at.value[0])
        probability = float(np.exp(min(0.0, log_ratio)))
        taken = bool(rng.uniform() < probability)
        if taken:
            at, exact = proposed, value
        if i >= plan.warmup:
            points.append(start.u(at.z[0]))
            values.append(exact)
            probabilities.append(probability)
            accepted.append(float(taken))
        plan.tell(i + 1)
    stats = {"acceptance": np.array([probabilities]), "accepted": np.array([accepted])}
    return chain_from(target, np.array(points)[None], np.array([values]), stats)
