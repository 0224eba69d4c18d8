"""Importance sampling from the posterior of an emulator that learns from all points so far."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.emulator import Emulator
from galactions.inference.posterior.importance import DOF, TRUSTED, Round, WeightedSample
from galactions.inference.posterior.journal import Mapper, RecordedTarget
from galactions.inference.posterior.laplace import Laplace
from galactions.inference.posterior.optimum import Mode
from galactions.inference.posterior.psis import smooth_weights
from galactions.inference.posterior.student import StudentT
from galactions.inference.posterior.trajectories import drawn
from galactions.inference.posterior.value_emulator import ValueEmulator, learnt_emulator

Vector = NDArray[np.float64]

WIDTH = 1.1
"""Temperature of the emulator's posterior that points are drawn from: a tenth wider in variance, so that what
the emulator makes too narrow is reached as well; costs 6% of the sample in 15 dimensions."""

TEACHING = 4
"""One round in this many, the earliest, only teaches the emulator: what was drawn when it knew least carries
few effective draws and the largest weights. Which rounds those are does not depend on what they found."""


@dataclass(frozen=True, eq=False)
class Tempered:
    """The density of an emulator to the power 1/`width`."""

    emulator: Emulator
    width: float

    @property
    def start(self) -> Laplace:
        return self.emulator.start

    def value_and_gradient(self, z: Vector) -> tuple[Vector, Vector]:
        value, gradient = self.emulator.value_and_gradient(z)
        return value / self.width, gradient / self.width


@dataclass(frozen=True, eq=False)
class Points:
    """The points of a round: u (k, n), their features, log_density (k,), and ln weights (k,), known up to a
    constant of the round. settled: whether they are independent draws of what they were drawn from."""

    u: Vector
    features: list[Vector | None]
    log_density: Vector
    log_weights: Vector
    settled: bool


def emulated_sample(
    target: RecordedTarget,
    mode: Mode,
    start: Laplace,
    *,
    draws: int,
    target_ess: float,
    max_rounds: int,
    seed: int,
    mapper: Mapper | None = None,
    after_round: Callable[[Round], None] | None = None,
) -> WeightedSample:
    """Rounds of `draws` points each, until the effective sample size is `target_ess` and k-hat is at most
    0.7, or `max_rounds` are done.

    The points of the first round are drawn from a Student t at the mode. From all points so far an emulator
    of the features is learnt; those of the next round are drawn from its posterior, by Hamiltonian
    trajectories that cost no evaluation of the model, and the model itself weighs them. Each round's
    emulator has not seen the points that are drawn from it, so the weights of a round are right up to a
    factor; the rounds are put together in proportion to their effective sample sizes, without the first of
    `TEACHING`.

    Raises ModelError where too few points make a model.
    """
    told: list[Round] = []
    for rounds in _rounds(target, mode, start, draws, seed, mapper):
        counting = rounds[len(rounds) // TEACHING :]
        found = _together(counting)
        unsettled = sum(not made.settled for made in counting)
        told.append(Round(draws * len(rounds), found.ess, found.k_hat, unsettled))
        if after_round is not None:
            after_round(told[-1])
        if (found.ess >= target_ess and not found.k_hat > TRUSTED) or len(told) == max_rounds:
            break
    return WeightedSample(found.u, found.log_density, found.log_weights, found.k_hat, None, None, tuple(told))


def trained_emulator(
    target: RecordedTarget,
    mode: Mode,
    start: Laplace,
    *,
    draws: int,
    rounds: int,
    seed: int,
    mapper: Mapper | None = None,
    after_round: Callable[[int, int], None] | None = None,
) -> ValueEmulator:
    """An emulator that so many `rounds` of `draws` points each have taught, see `emulated_sample`, to be used
    as it is. after_round: called with the rounds done and to do."""
    made: list[Points] = []
    for made in islice(_rounds(target, mode, start, draws, seed, mapper), rounds):
        if after_round is not None:
            after_round(len(made), rounds)
    return learnt(target, mode, start, made)


def _rounds(
    target: RecordedTarget, mode: Mode, start: Laplace, draws: int, seed: int, mapper: Mapper | None
) -> Iterator[list[Points]]:
    """All rounds so far, after each of them, without end."""
    proposal = StudentT(start.mean, start.factor, DOF)
    u = proposal.draw(draws, [seed, 0, 7])
    rounds = [_weighed(target, u, proposal.log_density(u), True, mapper)]
    while True:
        yield rounds
        emulator = learnt(target, mode, start, rounds)
        known = _together(rounds)
        begin = start.z(known.u[known.resampled(draws, seed)])
        found = drawn(Tempered(emulator, WIDTH), begin, draws, np.random.default_rng([seed, len(rounds), 8]))
        rounds.append(_weighed(target, start.u(found.z), found.value, found.settled, mapper))


def learnt(target: RecordedTarget, mode: Mode, start: Laplace, rounds: list[Points]) -> ValueEmulator:
    """The emulator that all rounds so far teach."""
    features = [found for made in rounds for found in made.features]
    return learnt_emulator(
        target.emulable, mode, start, np.concatenate([made.u for made in rounds]), features
    )


def _weighed(
    target: RecordedTarget, u: Vector, proposed: Vector, settled: bool, mapper: Mapper | None
) -> Points:
    features = target.all_features(u, mapper)
    values = target.log_densities(u)
    return Points(u, features, values, values - proposed, settled)


def _together(rounds: list[Points]) -> WeightedSample:
    """The rounds as one weighted sample, without evidence and rounds."""
    from scipy.special import logsumexp

    parts = []
    for made in rounds:
        log_sum = logsumexp(made.log_weights)
        if np.isfinite(log_sum):
            ess = 2.0 * log_sum - logsumexp(2.0 * made.log_weights)
            parts.append(made.log_weights - log_sum + ess)
        else:
            parts.append(made.log_weights)
    raw = np.concatenate(parts)
    if not np.any(np.isfinite(raw)):
        raise ModelError(
            f"none of {len(raw)} points around the mode makes a model: narrow fit.bounds, or give priors"
        )
    smoothed, k_hat = smooth_weights(raw)
    u, values = (np.concatenate([getattr(made, key) for made in rounds]) for key in ("u", "log_density"))
    return WeightedSample(u, values, smoothed, k_hat, None, None, ())
