"""The affine-invariant ensemble sampler (Goodman & Weare 2010) of emcee: the check without derivatives."""

import numpy as np

from galactions.inference.posterior.chains import Chain, ChainPlan, chain_from, overdispersed_start
from galactions.inference.posterior.journal import Mapper, RecordedTarget
from galactions.inference.posterior.laplace import Laplace


def ensemble_chain(
    target: RecordedTarget,
    start: Laplace,
    plan: ChainPlan,
    *,
    walkers: int = 0,
    mapper: Mapper | None = None,
) -> Chain:
    """The planned ensemble, of which a draw is a step of all its walkers.

    walkers: 0 for 2 n + 2. Moves: stretches, a fifth of them along differences of two walkers (ter Braak
    2006), which are as little in need of derivatives and mix better in many dimensions.
    """
    import emcee

    n = len(start.mean)
    count = walkers or 2 * n + 2
    count += count % 2  # the walkers move in two halves
    rng = plan.rng(2)
    begin = np.array([overdispersed_start(target, start, rng, 1.0) for _ in range(count)])
    moves = [(emcee.moves.StretchMove(), 0.8), (emcee.moves.DEMove(), 0.2)]
    sampler = emcee.EnsembleSampler(
        count, n, lambda points: target.log_densities(points, mapper), vectorize=True, moves=moves
    )
    state = emcee.State(begin, random_state=np.random.RandomState(rng.integers(2**32)).get_state())
    for i, _ in enumerate(sampler.sample(state, iterations=plan.total)):
        plan.tell(i + 1)
    u = np.swapaxes(sampler.get_chain(discard=plan.warmup), 0, 1)
    acceptance = np.broadcast_to(sampler.acceptance_fraction[:, None], u.shape[:2])
    return chain_from(
        target, u, sampler.get_log_prob(discard=plan.warmup).T, {"acceptance": np.array(acceptance)}
    )
