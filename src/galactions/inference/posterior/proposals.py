"""What an emulator knows of a posterior before chains begin: where they may, and how far they should step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.emulated import WIDTH, Tempered, trained_emulator
from galactions.inference.posterior.emulator import emulator
from galactions.inference.posterior.journal import Mapper, RecordedTarget
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.trajectories import FEWEST_WALKERS, Density, Walk, drawn

Matrix = NDArray[np.float64]

ROUNDS, VALUES_FOR_EACH = 6, 4
"""Rounds of this many values for each parameter, that an emulator without derivatives is learnt from."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """The density of an emulator, the walk by which its draws are all but independent, and some of these
    draws (k, n), in coordinates in which the Laplace approximation is a unit normal."""

    density: Density
    walk: Walk
    draws: Matrix

    @classmethod
    def of(cls, density: Density, seed: int, count: int = FEWEST_WALKERS) -> "Proposals":
        """With `count` draws, by walkers that begin at draws of the Laplace approximation."""
        rng = np.random.default_rng([seed, 4])
        begin = rng.standard_normal((FEWEST_WALKERS, len(density.start.mean)))
        found = drawn(density, begin, count, rng)
        return cls(density, found.walk, found.z)


def proposals(
    answers: RecordedTarget,
    mode: Mode,
    start: Laplace,
    *,
    seed: int,
    count: int = FEWEST_WALKERS,
    mapper: Mapper | None = None,
    after: Callable[[int, int], None] | None = None,
) -> Proposals:
    """Those of an emulator by derivatives where they are cheap, else by values, and then a little wider,
    because such an emulator knows least where there are fewest of these. after: called with what is done and
    to do. Raises ModelError where too few points make a model."""
    if answers.emulable.differentiable:
        return Proposals.of(emulator(answers, start, after), seed, count)
    learnt = trained_emulator(
        answers,
        mode,
        start,
        draws=VALUES_FOR_EACH * len(start.mean),
        rounds=ROUNDS,
        seed=seed,
        mapper=mapper,
        after_round=after,
    )
    return Proposals.of(Tempered(learnt, WIDTH), seed, count)
