"""Markov chains: what one is, where it begins, and what it reports while it goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.laplace import Laplace

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

AfterDraw = Callable[[int, int], None]
"""Called with the draws done and to do of a chain, those of its warm-up included."""

START_TRIES = 200


@dataclass(frozen=True)
class ChainPlan:
    """Which chain is to be drawn: `draws` after `warmup` that are not kept, number `chain` of those with this
    `seed`. after_draw: told of each."""

    draws: int
    warmup: int
    seed: int
    chain: int
    after_draw: AfterDraw | None = None

    @property
    def total(self) -> int:
        return self.warmup + self.draws

    def rng(self, stream: int) -> np.random.Generator:
        """Random numbers of this chain; each sampler has a `stream` of its own."""
        return np.random.default_rng([self.seed, self.chain, stream])

    def tell(self, done: int) -> None:
        """Tells that so many draws are done, those of the warm-up included."""
        if self.after_draw is not None:
            self.after_draw(done, self.total)


@dataclass(frozen=True, eq=False)
class Chain:
    """What one sampler run gave. u (walkers, draws, n): one walker but for ensembles; log_density (walkers,
    draws). stats: further numbers of each draw (walkers, draws). n_evaluations: by kind, warm-up and start
    included. strayed: see `RecordedTarget`.
    """

    u: Vector
    log_density: Vector
    stats: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    n_evaluations: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0
    seconds: float = 0.0
    strayed: bool = False


def chain_from(
    target: RecordedTarget, u: Vector, log_density: Vector, stats: Mapping[str, Vector] | None = None
) -> Chain:
    """A chain with the counts of the target that it was drawn from."""
    return Chain(
        u,
        log_density,
        stats or {},
        dict(target.n_evaluations),
        target.failures,
        target.seconds,
        target.strayed,
    )


def start_among(target: RecordedTarget, start: Laplace, draws: Matrix, chain: int) -> Vector:
    """The first of `draws` (k, n), in whitened coordinates z, that has a finite density, from number `chain`
    on. Raises ModelError where none has."""
    for z in np.roll(draws, -chain, axis=0):
        if np.isfinite(target.log_density(start.u(z))):
            return np.asarray(z)
    raise ModelError(
        f"none of {len(draws)} draws of the emulator makes a model, so that no chain can begin: "
        "narrow fit.bounds, or give priors"
    )


def overdispersed_start(
    target: RecordedTarget, start: Laplace, rng: np.random.Generator, spread: float = 1.5
) -> Vector:
    """A point (n,) with a finite density, `spread` times as far from the mode as draws of the Laplace
    approximation are. Raises ModelError where no such point is found."""
    for tried in range(START_TRIES):
        wide = spread if tried < START_TRIES // 2 else 0.3 * spread
        u = start.u(wide * rng.standard_normal(len(start.mean)))
        if np.isfinite(target.log_density(u)):
            return u
    raise ModelError(
        f"none of {START_TRIES} points around the mode makes a model, so that no chain can begin: "
        "narrow fit.bounds, or give priors"
    )
