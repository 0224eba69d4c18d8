"""What an emulator knows of a posterior before chains begin: where they may, and how far they should step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.emulated import WIDTH, Tempered, trained_emulator
from galactions.inference.posterior.emulator import Emulator, emulator
from galactions.inference.posterior.journal import Mapper, RecordedTarget
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.trajectories import FEWEST_WALKERS, Density, Walk, drawn

Matrix = NDArray[np.float64]

VALUES_FOR_EACH = 4
"""Values for each parameter in a round of those that an emulator without derivatives is learnt from."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """An emulator, a density of it that is at least as wide, the walk by which draws of that are all but
    independent, and some of these draws (k, n), in coordinates in which the Laplace approximation is a unit
    normal."""

    emulator: Emulator
    density: Density
    walk: Walk
    draws: Matrix

    @classmethod
    def of(cls, emulator: Emulator, width: float, seed: int, count: int) -> "Proposals":
        """With `count` draws of the emulator's density to the power 1/`width`, by walkers that begin at draws
        of the Laplace approximation."""
        density = Tempered(emulator, width)
        rng = np.random.default_rng([seed, 4])
        begin = rng.standard_normal((FEWEST_WALKERS, len(emulator.start.mean)))
        found = drawn(density, begin, count, rng)
        return cls(emulator, density, found.walk, found.z)


def proposals(
    answers: RecordedTarget,
    mode: Mode,
    start: Laplace,
    *,
    seed: int,
    rounds: int,
    count: int = FEWEST_WALKERS,
    mapper: Mapper | None = None,
    after: Callable[[int, int], None] | None = None,
) -> Proposals:
    """Those of an emulator by derivatives where they are cheap, else by so many `rounds` of values, and then
    a little wider, because such an emulator knows least where there are fewest of these. after: called with
    what is done and to do. Raises ModelError where too few points make a model."""
    if answers.emulable.differentiable:
        return Proposals.of(emulator(answers, start, after), 1.0, seed, count)
    learnt = trained_emulator(
        answers,
        mode,
        start,
        draws=VALUES_FOR_EACH * len(start.mean),
        rounds=rounds,
        seed=seed,
        mapper=mapper,
        after_round=after,
    )
    return Proposals.of(learnt, WIDTH, seed, count)
