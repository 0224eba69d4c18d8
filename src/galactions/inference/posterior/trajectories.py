"""Hamiltonian trajectories on an emulator, which cost no evaluation of the model: of many walkers side by
side, because an emulator answers for a hundred points in the time of a dozen."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.convergence import bulk_ess
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.step_size import DualAveraging

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LONGEST, SHORTEST_STEP = 8, 0.3
"""Leapfrog steps of a trajectory: each has 1 to this many, and from this fraction of the step size to all of
it, both at random: none runs in circles, and narrow places are reached as well."""

ACCEPTED = 0.9
"""Share of the trajectories that is to be accepted."""

LOST = 1e5
"""A trajectory that comes to where the log density is this far below the mode is not accepted. The limit is
the same from wherever it began, so that the way back is refused as well."""

SETTLING, TUNING = 60, 30
"""Trajectories, to begin with, whose second half tells the covariance that the others move in, and those
before them and after that from which the step size is learnt."""

FEWEST_WALKERS, MOST_WALKERS = 32, 64
"""Walkers of which a walk is learnt, at least, and walkers beyond which more draws come from longer walks."""

TRAVEL, MOST = 25, 1000
"""Trajectories after which it is asked whether walkers have gone far enough, and most of them."""

FAR = 2.0
"""Independent draws of the slowest coordinate that each walker has to come across: where correlations fall
off exponentially, 0.02 of that with its beginning is left."""

APART, LONGEST_WALK = 1.5, 150
"""The same from one draw of a walk to the next: 0.05 of the correlation is left; and most trajectories of a
walk. A shorter one than that takes is right as well, but its draws are not independent."""

HALVINGS = 60
"""How often a beginning where there is no density is moved half-way to the mode."""


class Density(Protocol):
    """A log density (...,) over coordinates z (..., n) in which `start` is a unit normal, with its
    derivatives (..., n)."""

    @property
    def start(self) -> Laplace: ...

    def value_and_gradient(self, z: Vector) -> tuple[Vector, Vector]: ...


@dataclass(frozen=True, eq=False)
class Walkers:
    """Points z (k, n), with the log density (k,) and its gradient (k, n) there."""

    z: Matrix
    value: Vector
    gradient: Matrix

    @classmethod
    def at(cls, density: Density, z: Matrix) -> "Walkers":
        """Walkers at z (k, n)."""
        return cls(z, *density.value_and_gradient(z))

    @classmethod
    def near(cls, density: Density, z: Matrix) -> "Walkers":
        """Walkers at z (k, n), or, where there is no density, on the way from there to the mode. Raises
        ModelError where there is none at the mode either."""
        found = cls.at(density, z)
        for _ in range(HALVINGS):
            good = np.isfinite(found.value)
            if np.all(good):
                return found
            found = cls.at(density, np.where(good[:, None], found.z, 0.5 * found.z))
        raise ModelError("the emulator has no density at the mode: narrow fit.bounds, or give priors")

    def where(self, chosen: NDArray[np.bool_], other: "Walkers") -> "Walkers":
        """These where `chosen` (k,), and the others elsewhere."""
        each = chosen[:, None]
        return Walkers(
            np.where(each, self.z, other.z),
            np.where(chosen, self.value, other.value),
            np.where(each, self.gradient, other.gradient),
        )


@dataclass(frozen=True, eq=False)
class Walk:
    """How walkers go from one draw to the next: by `count` trajectories with this leapfrog step, in
    coordinates w with z = factor w, factor (n, n)."""

    step: float
    factor: Matrix
    count: int = 1

    def end(self, density: Density, walkers: Walkers, rng: np.random.Generator) -> Walkers:
        """Where the walk of each ends. As likely, by the density, as the way back."""
        for _ in range(self.count):
            walkers = self.trajectory(density, walkers, rng)[0]
        return walkers

    def trajectory(
        self, density: Density, walkers: Walkers, rng: np.random.Generator
    ) -> tuple[Walkers, Vector]:
        """Hamiltonian trajectories (Duane et al. 1987) of random length and steps: their ends where these are
        accepted, else where they began; and the probabilities of acceptance (k,)."""
        k, n = walkers.z.shape
        momentum = rng.standard_normal((k, n))
        length = int(rng.integers(1, LONGEST + 1))
        step = self.step * SHORTEST_STEP ** rng.uniform(size=(k, 1))
        chance = rng.uniform(size=k)
        energy = walkers.value - 0.5 * np.sum(momentum**2, axis=1)
        at, lost = walkers, np.zeros(k, dtype=bool)
        for _ in range(length):
            momentum = momentum + 0.5 * step * (at.gradient @ self.factor)
            ahead = Walkers.at(density, at.z + step * (momentum @ self.factor.T))
            lost |= ~(ahead.value > density.start.log_density - LOST)
            at = at.where(lost, ahead)
            momentum = momentum + 0.5 * step * (at.gradient @ self.factor)
        after = at.value - 0.5 * np.sum(momentum**2, axis=1)
        probability = np.where(lost, 0.0, np.exp(np.minimum(after - energy, 0.0)))
        return at.where(chance < probability, walkers), probability


@dataclass(frozen=True, eq=False)
class Travelled:
    """Walkers that have forgotten where they began, and the walk of which each end is a new draw. settled:
    whether they have gone as far as that takes."""

    walkers: Walkers
    walk: Walk
    settled: bool


def travelled(density: Density, begin: Matrix, rng: np.random.Generator) -> Travelled:
    """Walkers that began at `begin` (k, n), and have gone on until each has come across `FAR` independent
    draws along every coordinate, by the effective sample size of all of them together, or `MOST`
    trajectories."""
    n = begin.shape[1]
    walkers = Walkers.near(density, begin)
    walkers, step = _tuned(density, walkers, Walk(0.8 * n**-0.25, np.eye(n)), rng)
    first = Walk(step, np.eye(n))
    points = []
    for i in range(SETTLING):
        walkers, _ = first.trajectory(density, walkers, rng)
        if 2 * i >= SETTLING:
            points.append(walkers.z)
    factor = np.asarray(np.linalg.cholesky(_covariance(np.concatenate(points), len(begin))), dtype=float)
    walkers, step = _tuned(density, walkers, Walk(0.8 * n**-0.25, factor), rng)
    walk, points = Walk(step, factor), []
    while True:
        for _ in range(TRAVEL):
            walkers, _ = walk.trajectory(density, walkers, rng)
            points.append(walkers.z)
        sizes = [bulk_ess(series) for series in np.array(points).T]  # (n, k, trajectories)
        independent = min(sizes) / len(begin) if np.all(np.isfinite(sizes)) else 0.0  # of each walker
        if independent >= FAR or len(points) >= MOST:
            each = APART * len(points) / max(independent, 1.0)
            count = min(int(np.ceil(each)), LONGEST_WALK)
            return Travelled(walkers, replace(walk, count=count), independent >= FAR)


@dataclass(frozen=True, eq=False)
class Draws:
    """All but independent draws z (count, n) of a density, and its log there (count,), up to a constant;
    walk, settled: see `Travelled`."""

    z: Matrix
    value: Vector
    walk: Walk
    settled: bool


def drawn(density: Density, begin: Matrix, count: int, rng: np.random.Generator) -> Draws:
    """Draws by walkers that set out from points among `begin` (k, n)."""
    walkers = int(np.clip(count, FEWEST_WALKERS, MOST_WALKERS))
    found = travelled(density, begin[np.arange(walkers) % len(begin)], rng)
    made = [found.walkers]
    while walkers * len(made) < count:
        made.append(found.walk.end(density, made[-1], rng))
    z, value = np.concatenate([item.z for item in made]), np.concatenate([item.value for item in made])
    return Draws(z[:count], value[:count], found.walk, found.settled)


def _tuned(density: Density, walkers: Walkers, walk: Walk, rng: np.random.Generator) -> tuple[Walkers, float]:
    """Walkers a little further on, and the step of which `ACCEPTED` of their trajectories are accepted."""
    averaging = DualAveraging(step=walk.step, acceptance=ACCEPTED)
    for _ in range(TUNING):
        now = Walk(averaging.step, walk.factor)
        walkers, probability = now.trajectory(density, walkers, rng)
        averaging.update(float(np.mean(probability)))
    return walkers, averaging.averaged


def _covariance(points: Matrix, independent: int) -> Matrix:
    """Covariance (n, n) of points (k, n), of which so many are independent; shrunk a little to its
    diagonal."""
    found = np.cov(points, rowvar=False).reshape(points.shape[1], points.shape[1])
    share = found.shape[0] / (found.shape[0] + independent)
    return np.asarray((1.0 - share) * found + share * np.diag(np.diag(found)), dtype=float)
