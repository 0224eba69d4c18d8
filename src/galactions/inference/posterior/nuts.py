"""The no-U-turn sampler (Hoffman & Gelman 2014, JMLR 15, 1593) of blackjax on a target outside of JAX."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.chains import Chain, ChainPlan, chain_from, overdispersed_start
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.laplace import Laplace

Vector = NDArray[np.float64]
Function = Callable[[Vector], tuple[float, Vector]]

ACCEPTANCE = 0.8
"""Mean acceptance that the step size is adapted to."""

REACH, PULL = 1.0, 0.2
"""How step sizes are adapted (`DualAveraging`): the first one is nearly right, and steps that are far too
short, as follow those that are far too long, cost trajectories of dozens of gradients each."""

PRIOR_DRAWS = 40.0
"""The metric of the Laplace approximation counts as much as this many draws when it is corrected."""


def nuts_chain(
    target: RecordedTarget,
    start: Laplace,
    plan: ChainPlan,
    *,
    max_doublings: int,
) -> Chain:
    """The planned chain.

    It moves in coordinates in which the Laplace approximation is a unit normal, which is its dense mass
    matrix to begin with. In the warm-up the step size is adapted by dual averaging (Nesterov 2009) and the
    mass matrix from draws in windows that grow (Stan's scheme); then both stay fixed. Stats: acceptance,
    divergent, steps, doublings, energy.
    """
    import jax

    rng = plan.rng(1)
    position = start.z(overdispersed_start(target, start, rng))
    key = jax.random.key(int(rng.integers(2**63)))

    def in_whitened(z: Vector) -> tuple[float, Vector]:
        value, gradient = target.value_and_gradient(start.u(z))
        return value, gradient @ start.factor

    n = len(position)
    mass = np.eye(n)
    averaging = DualAveraging(step=1.0 * n**-0.25, reach=REACH, pull=PULL)
    windows, since = _windows(plan.warmup), []
    found: list[tuple[Vector, float, dict[str, float]]] = []
    with _compiled(n, max_doublings).on(in_whitened) as kernel:
        state = kernel.begin(position)
        for i in range(plan.total):
            step = averaging.step if i < plan.warmup else averaging.averaged
            state, stats = kernel.move(jax.random.fold_in(key, i), state, step, mass)
            z = np.array(state.position)
            if i < plan.warmup:
                averaging.update(stats["acceptance"])
                if windows[i] >= 0:
                    since.append(z)
                if i + 1 < plan.warmup and windows[i] >= 0 and windows[i + 1] != windows[i]:
                    mass, since = _corrected(np.array(since), mass), []
                    averaging.restart()
            else:
                found.append((z, float(state.logdensity), {**stats, "step_size": step}))
            plan.tell(i + 1)
    points = start.u(np.array([z for z, _, _ in found]))
    names = found[0][2]
    return chain_from(
        target,
        points[None],
        np.array([[value for _, value, _ in found]]),
        {name: np.array([[stats[name] for _, _, stats in found]]) for name in names},
    )


@dataclass
class DualAveraging:
    """The step size of a Hamiltonian sampler, drawn to a mean acceptance (section 3.2 of Hoffman & Gelman).

    step: to be used now; averaged: of the later ones, to be used when adaptation ends. acceptance: the mean
    that is asked for. reach: of the first step, what steps are drawn to as long as they are accepted; pull:
    how hard (mu and gamma there).
    """

    step: float
    averaged: float = 1.0
    acceptance: float = ACCEPTANCE
    reach: float = 10.0
    pull: float = 0.05
    _mean: float = field(init=False)
    _count: int = field(init=False, default=0)
    _gap: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.averaged = self.step
        self._mean = float(np.log(self.reach * self.step))

    def restart(self) -> None:
        """Begins anew from the averaged step size, as after a change of the mass matrix."""
        self.step = self.averaged
        self._mean, self._count, self._gap = float(np.log(self.reach * self.step)), 0, 0.0

    def update(self, acceptance: float) -> None:
        """Takes in the acceptance of a trajectory; one that is not finite counts as none."""
        self._count += 1
        accepted = acceptance if np.isfinite(acceptance) else 0.0
        share = 1.0 / (self._count + 10.0)
        self._gap = (1.0 - share) * self._gap + share * (self.acceptance - accepted)
        log_step = self._mean - np.sqrt(self._count) / self.pull * self._gap
        weight = self._count**-0.75
        before = np.log(self.averaged) if self._count > 1 else log_step
        self.averaged = float(np.exp(weight * log_step + (1.0 - weight) * before))
        self.step = float(np.exp(log_step))


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


def _corrected(points: Vector, before: Vector) -> Vector:
    """The inverse mass matrix from a window's points (k, n): their covariance, with the one before as
    `PRIOR_DRAWS` more."""
    count = len(points)
    if count < 2:
        return before
    return (count * np.cov(points.T).reshape(before.shape) + PRIOR_DRAWS * before) / (count + PRIOR_DRAWS)


class _Kernel:
    """NUTS compiled for n dimensions, on whatever function it is put to (`on`)."""

    def __init__(self, n: int, max_doublings: int) -> None:
        import blackjax
        import jax
        import jax.numpy as jnp

        self._function: Function | None = None
        scalar, vector = jax.ShapeDtypeStruct((), jnp.float64), jax.ShapeDtypeStruct((n,), jnp.float64)

        def call(z: Any) -> tuple[Any, Any]:
            if self._function is None:
                raise RuntimeError("the kernel is not on any function")
            value, gradient = self._function(np.array(z, dtype=float))
            return np.float64(value), np.asarray(gradient, dtype=float)

        @jax.custom_vjp
        def log_density(z: Any) -> Any:
            return jax.pure_callback(call, (scalar, vector), z)[0]

        log_density.defvjp(lambda z: jax.pure_callback(call, (scalar, vector), z), lambda g, bar: (bar * g,))
        build = blackjax.nuts.build_kernel()

        def move(key: Any, state: Any, step: Any, mass: Any) -> Any:
            return build(key, state, log_density, step, mass, max_doublings)

        self._move = jax.jit(move)
        self._begin = jax.jit(lambda z: blackjax.nuts.init(z, log_density))

    @contextmanager
    def on(self, function: Function) -> Iterator["_Kernel"]:
        self._function = function
        try:
            yield self
        finally:
            self._function = None

    def begin(self, z: Vector) -> Any:
        return self._begin(z)

    def move(self, key: Any, state: Any, step: float, mass: Vector) -> tuple[Any, dict[str, float]]:
        """The next state, and what to know of the trajectory that led to it."""
        state, info = self._move(key, state, step, mass)
        stats = {
            "acceptance": float(info.acceptance_rate),
            "divergent": float(info.is_divergent),
            "steps": float(info.num_integration_steps),
            "doublings": float(info.num_trajectory_expansions),
            "energy": float(info.energy),
        }
        return state, stats


@cache
def _compiled(n: int, max_doublings: int) -> _Kernel:
    return _Kernel(n, max_doublings)
