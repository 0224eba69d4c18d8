"""Hamiltonian trajectories on an emulator, which cost no evaluation of the model."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.convergence import bulk_ess
from galactions.inference.posterior.laplace import Laplace

Vector = NDArray[np.float64]

LONGEST, SHORTEST_STEP = 8, 0.1
"""Leapfrog steps of a trajectory: each has 1 to this many, and from this fraction of the step size to all of
it, both at random: none runs in circles, and narrow places are reached as well."""

LOST = 1e5
"""A trajectory that comes to where the emulated log density is this far below the mode is not accepted. The
limit is the same from wherever it began, so that the way back is refused as well."""

TUNING = 200
"""Trajectories on the emulator from which the step size is learnt; they cost no evaluation of the model."""

PROBED, ENOUGH = (200, 3000), 20
"""Least and most trajectories by which it is learnt how many make a draw: as many as hold `ENOUGH`
independent draws."""

APART = 1.5
"""Trajectories from one draw to the next, over those that an independent draw of the slowest coordinate
takes: where its correlation falls off exponentially, 0.05 of it is left."""

FEWEST, MOST = 8, 150
"""Trajectories between two draws are at least, and at most, so many."""


class Density(Protocol):
    """A log density over coordinates z (n,) in which `start` is a unit normal, with its derivative (n,)."""

    @property
    def start(self) -> Laplace: ...

    def value_and_gradient(self, z: Vector) -> tuple[float, Vector]: ...


@dataclass(frozen=True, eq=False)
class State:
    """A point z (n,), with the log density and its gradient (n,) there."""

    z: Vector
    emulated: float
    gradient: Vector


def state_at(density: Density, z: Vector) -> State:
    """The state at z."""
    value, gradient = density.value_and_gradient(z)
    return State(z, value, gradient)


@dataclass(frozen=True)
class Walk:
    """How to go from one draw to the next: `count` trajectories with this leapfrog step."""

    step: float
    count: int

    def end(self, density: Density, state: State, rng: np.random.Generator) -> State:
        """Where the walk from `state` ends. As likely, by the density, as the way back."""
        for _ in range(self.count):
            state = _trajectory(density, state, self.step, rng)[0]
        return state


def tuned_walk(density: Density, rng: np.random.Generator) -> Walk:
    """The walk of which about 0.9 of the trajectories are accepted, and whose ends are all but independent of
    where it began, along every coordinate, unless that takes more than `MOST` of them."""
    from galactions.inference.posterior.nuts import DualAveraging

    n = len(density.start.mean)
    state = state_at(density, np.zeros(n))
    averaging = DualAveraging(step=0.8 * n**-0.25, acceptance=0.9)
    for _ in range(TUNING):
        state, probability = _trajectory(density, state, averaging.step, rng)
        averaging.update(probability)
    points: list[Vector] = []
    slowest = np.inf
    while len(points) < min(ENOUGH * slowest, PROBED[1]):
        for _ in range(PROBED[0]):
            state = _trajectory(density, state, averaging.averaged, rng)[0]
            points.append(state.z)
        sizes = [bulk_ess(column[None]) for column in np.array(points).T]
        slowest = len(points) / min(sizes) if np.all(np.isfinite(sizes)) else np.inf
    return Walk(averaging.averaged, int(np.clip(np.ceil(APART * min(slowest, MOST)), FEWEST, MOST)))


def _trajectory(density: Density, state: State, step: float, rng: np.random.Generator) -> tuple[State, float]:
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
        at = state_at(density, at.z + step * momentum)
        if not at.emulated > density.start.log_density - LOST:
            return state, 0.0
        momentum = momentum + 0.5 * step * at.gradient
    after = at.emulated - 0.5 * float(momentum @ momentum)
    probability = float(np.exp(min(0.0, after - before)))
    return (at, probability) if chance < probability else (state, probability)
