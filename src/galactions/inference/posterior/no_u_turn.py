"""One transition of the no-U-turn sampler (Hoffman & Gelman 2014, JMLR 15, 1593), which draws from a
trajectory by the weights of all its points, with the criterion for any metric (Betancourt 2017,
arXiv:1701.02434).

Written here, and in NumPy, because a density that is itself made of compiled JAX programs must not be
evaluated from within one: JAX does not promise that this ends, and with a large model on one core it did not.
blackjax's kernel is such a program; the tests compare with it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
LogDensity = Callable[[Vector], tuple[float, Vector]]
"""Log density at z (n,) and its gradient (n,); -inf where there is none."""
Force = Callable[[Vector], Vector]
"""Gradient of a log density at z (n,)."""

TOO_FAR = 1000.0
"""A trajectory whose energy is off by more than this has diverged."""

GUIDED = 0.15
"""Longest step on a guide: a tenth of what one is when all frequencies are one."""


@dataclass(frozen=True, eq=False)
class Point:
    """A place z (n,), with the log density and its gradient (n,) there."""

    z: Vector
    value: float
    gradient: Vector

    @classmethod
    def at(cls, density: LogDensity, z: Vector) -> "Point":
        return cls(z, *density(z))


@dataclass(frozen=True)
class Transition:
    """What to know of a trajectory. acceptance: mean probability that a Metropolis step to its points would
    be accepted; steps: leapfrog steps, each a gradient; energy: of the point drawn, with its momentum;
    doublings: how often the trajectory was doubled."""

    acceptance: float
    divergent: bool
    steps: int
    doublings: int
    energy: float


@dataclass(frozen=True, eq=False)
class Hamiltonian:
    """Motion on a log density, in momenta r (n,) that are unit normal: z moves along factor r, where
    factor factor' (n, n) is the inverse mass matrix.

    guide: gradient of a density that is near to this one and costs next to nothing. Motion on that is then
    followed in steps of its own, of at most `GUIDED`, and only the difference of both forces acts at the ends
    of each step (two time scales: Tuckerman, Berne & Martyna 1992, J. Chem. Phys. 97, 1990). These steps too
    keep volumes and can be gone back, and energies are those of the density, so that draws are right whatever
    the guide is. How long a step may be depends on how near it is.
    """

    density: LogDensity
    factor: Matrix
    step: float
    guide: Force | None = None

    def leapfrog(self, state: "State", direction: int) -> "State":
        """One step forwards (1) or backwards (-1) in time."""
        step = direction * self.step
        z, momentum = state.point.z, state.momentum
        if self.guide is None:
            momentum = momentum + 0.5 * step * (state.point.gradient @ self.factor)
            point = Point.at(self.density, z + step * (self.factor @ momentum))
            return State(point, momentum + 0.5 * step * (point.gradient @ self.factor))
        pull = self.guide(z)
        momentum = momentum + 0.5 * step * ((state.point.gradient - pull) @ self.factor)
        count = int(np.ceil(self.step / GUIDED))
        each = step / count
        with np.errstate(over="ignore", invalid="ignore"):  # where a guide leads astray
            for _ in range(count):
                momentum = momentum + 0.5 * each * (pull @ self.factor)
                z = z + each * (self.factor @ momentum)
                pull = self.guide(z)
                momentum = momentum + 0.5 * each * (pull @ self.factor)
        if not np.all(np.isfinite(z)):
            return State(Point(z, -np.inf, np.zeros_like(z)), np.zeros_like(z))
        point = Point.at(self.density, z)
        return State(point, momentum + 0.5 * step * ((point.gradient - pull) @ self.factor))


@dataclass(frozen=True, eq=False)
class State:
    """A point and the momentum (n,) there."""

    point: Point
    momentum: Vector

    @property
    def energy(self) -> float:
        return float(0.5 * self.momentum @ self.momentum - self.point.value)


@dataclass(frozen=True, eq=False)
class Stretch:
    """A stretch of a trajectory, from its earliest state to its latest. momentum (n,): the sum over its
    states; drawn: one of these, by their weights exp(-energy); log_weight: of all together, with energies
    counted from the beginning of the trajectory. ended: whether it turns back somewhere, or diverged.
    acceptance: the sum over its states."""

    earliest: State
    latest: State
    momentum: Vector
    drawn: State
    log_weight: float
    ended: bool
    divergent: bool
    acceptance: float
    steps: int

    def end(self, direction: int) -> State:
        """The last state in this direction of time."""
        return self.latest if direction > 0 else self.earliest


def transition(
    hamiltonian: Hamiltonian, start: Point, max_doublings: int, rng: np.random.Generator
) -> tuple[Point, Transition]:
    """The next point of a chain after `start`, and how it came about.

    The trajectory is doubled, forwards or backwards at random, until it turns back, has diverged, or was
    doubled `max_doublings` times.
    """
    begin = State(start, rng.standard_normal(len(start.z)))
    whole = Stretch(begin, begin, begin.momentum, begin, 0.0, False, False, 0.0, 0)
    doublings = 0
    while doublings < max_doublings and not whole.ended:
        direction = 1 if rng.uniform() < 0.5 else -1
        added = _stretch(hamiltonian, whole.end(direction), direction, doublings, begin.energy, rng)
        doublings += 1
        # The new half is preferred, which keeps the distribution (section A.3.2 of Betancourt 2017).
        preferred = not added.ended and -rng.exponential() < added.log_weight - whole.log_weight
        whole = _joined(whole, added, direction, added.drawn if preferred else whole.drawn)
    return whole.drawn.point, Transition(
        whole.acceptance / whole.steps, whole.divergent, whole.steps, doublings, whole.drawn.energy
    )


def _stretch(
    hamiltonian: Hamiltonian,
    state: State,
    direction: int,
    doublings: int,
    energy: float,
    rng: np.random.Generator,
) -> Stretch:
    """The 2^doublings states that follow after `state`, or those until the stretch ended. energy: that of the
    beginning of the trajectory."""
    if doublings == 0:
        new = hamiltonian.leapfrog(state, direction)
        gained = energy - new.energy
        gained = gained if np.isfinite(gained) else -np.inf
        divergent = not gained > -TOO_FAR
        acceptance = float(np.exp(min(gained, 0.0)))
        return Stretch(new, new, new.momentum, new, gained, divergent, divergent, acceptance, 1)
    first = _stretch(hamiltonian, state, direction, doublings - 1, energy, rng)
    if first.ended:
        return first
    second = _stretch(hamiltonian, first.end(direction), direction, doublings - 1, energy, rng)
    taken = -rng.exponential() < second.log_weight - np.logaddexp(first.log_weight, second.log_weight)
    return _joined(first, second, direction, second.drawn if taken else first.drawn)


def _joined(first: Stretch, second: Stretch, direction: int, drawn: State) -> Stretch:
    """A stretch and the one that follows after it in this direction of time."""
    early, late = (first, second) if direction > 0 else (second, first)
    momentum = first.momentum + second.momentum
    # Each half together with the state next to it as well: where a whole period is close to a power of two
    # steps, the halves' ends do not tell (Stan's criterion).
    turned = (
        _turned(early.earliest, late.latest, momentum)
        or _turned(early.earliest, late.earliest, early.momentum + late.earliest.momentum)
        or _turned(early.latest, late.latest, late.momentum + early.latest.momentum)
    )
    return Stretch(
        early.earliest,
        late.latest,
        momentum,
        drawn,
        float(np.logaddexp(first.log_weight, second.log_weight)),
        second.ended or turned,
        second.divergent,
        first.acceptance + second.acceptance,
        first.steps + second.steps,
    )


def _turned(earliest: State, latest: State, momentum: Vector) -> bool:
    """Whether states with this sum of momenta go back on either end."""
    return bool(earliest.momentum @ momentum <= 0.0 or latest.momentum @ momentum <= 0.0)
