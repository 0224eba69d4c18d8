"""What a posterior sample is worth, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

R_HAT = 1.01
K_HAT = 0.7
POOR_ACCEPTANCE = 0.2
"""Mean acceptance of the model itself below which the emulator of delayed acceptance is called poor."""

FAILED = 0.05
LEANING = 0.05
WIDE = 0.25
"""Standard deviation over width of the bounds above which a parameter is called unconstrained (0.289 where
flat)."""


class VerdictKind(Enum):
    """What deserves a word about a sample, in sentences that say what to change; {} is filled in."""

    GOOD = "The sample can be relied on: {}."
    NOT_MIXED = (
        "R-hat of {}: the chains have not come to the same distribution, and no interval is to be trusted. "
        "Raise posterior.draws and resume the run, or begin anew with more posterior.warmup."
    )
    FEW = (
        "The effective sample size of {}, fewer than the {} asked for: raise posterior.draws (or, with "
        "posterior.method = 'laplace' or 'emulated', posterior.max_rounds) and resume the run."
    )
    HEAVY_WEIGHTS = (
        "k-hat is {}, above 0.7: a few points carry the weights, so the posterior has tails that the "
        "proposals miss. Give priors or narrow fit.bounds where it is widest, or use posterior.method = "
        "'delayed' or 'nuts', which draw without weights."
    )
    UNSETTLED = (
        "In {} rounds the draws of the emulator had not yet forgotten where they began, so that their "
        "weights are off: narrow fit.bounds or give priors where the posterior is widest, and begin anew."
    )
    DIVERGENT = (
        "{} trajectories diverged: the posterior has a place too narrow for the step size, and draws near it "
        "are missing. Narrow fit.bounds or give priors there, or raise posterior.warmup and begin anew."
    )
    LONG_TRAJECTORIES = (
        "{} of the trajectories were cut off at posterior.max_doublings: the draws are right, but none went "
        "as far as it could. Where R-hat is too large for as many gradients, raise it by one or two, and "
        "begin anew."
    )
    POOR_EMULATOR = (
        "The model accepted {} of the emulator's proposals: the draws are right but few. Use "
        "posterior.method = 'nuts', or narrow fit.bounds where the posterior is widest."
    )
    MODE_NOT_FOUND = (
        "The search for the mode did not end by its own criterion, so the proposals begin off the mark. "
        "Fit the model first (`galactions fit`), whose best parameters are then the start."
    )
    FAILED_EVALUATIONS = (
        "{} evaluations made no model; they count as excluded. If they are many, narrow fit.bounds."
    )
    AT_BOUND = (
        "{} leans on a bound of the fit, which cuts the posterior off: widen fit.bounds there if it may."
    )
    UNCONSTRAINED = "The data say next to nothing about {}: its posterior is as wide as its bounds."
    STRAYED = (
        "The sampler took another path than the one on file (another version of a library, or another "
        "processor): the draws are as good, but not bit for bit those of an uninterrupted run."
    )


@dataclass(frozen=True)
class Verdict:
    """One `VerdictKind` with its particulars."""

    kind: VerdictKind
    details: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return self.kind.value.format(*self.details)


TROUBLE = frozenset(
    {
        VerdictKind.NOT_MIXED,
        VerdictKind.FEW,
        VerdictKind.HEAVY_WEIGHTS,
        VerdictKind.UNSETTLED,
        VerdictKind.DIVERGENT,
        VerdictKind.MODE_NOT_FOUND,
    }
)
"""Verdicts with which a sample is not to be relied on."""


@dataclass(frozen=True)
class Evidence:
    """The numbers that are judged. Those that a method does not have are NaN or zero.

    r_hat, ess: of each parameter (the smaller of bulk and tail). cut_off: trajectories at the longest length
    allowed, of `draws`. mean, deviation, near_bound: of each parameter, the last the fraction of draws
    next to one of its bounds. width: of the bounds (n,), infinite where open. unsettled: as of a `Round`.
    """

    names: tuple[str, ...]
    draws: int
    r_hat: NDArray[np.float64]
    ess: NDArray[np.float64]
    target_ess: float
    deviation: NDArray[np.float64]
    width: NDArray[np.float64]
    near_bound: NDArray[np.float64]
    k_hat: float = float("nan")
    unsettled: int = 0
    divergent: int = 0
    cut_off: int = 0
    emulator_acceptance: float = float("nan")
    mode_found: bool = True
    failures: int = 0
    evaluations: int = 0
    strayed: bool = False


def judge(found: Evidence) -> tuple[Verdict, ...]:
    """All that deserves a word, worst first; `GOOD` where nothing speaks against the sample."""
    told = list(_verdicts(found))
    if not any(verdict.kind in TROUBLE for verdict in told):
        worth = f"effective sample size {np.nanmin(found.ess):.0f} or more for every parameter"
        if np.any(np.isfinite(found.r_hat)):
            worth = f"R-hat at most {np.nanmax(found.r_hat):.3f}, {worth}"
        if np.isfinite(found.k_hat):
            worth = f"k-hat {found.k_hat:.2f}, {worth}"
        told.insert(0, Verdict(VerdictKind.GOOD, (worth,)))
    return tuple(told)


def _verdicts(found: Evidence) -> Iterator[Verdict]:
    if np.any(found.r_hat > R_HAT):
        worst = int(np.nanargmax(found.r_hat))
        yield Verdict(VerdictKind.NOT_MIXED, (f"{found.names[worst]} is {found.r_hat[worst]:.3f}",))
    # A NaN is a chain that never moved.
    least = int(np.argmin(np.where(np.isfinite(found.ess), found.ess, -1.0)))
    if not found.ess[least] >= found.target_ess:
        told = f"{found.names[least]} is {found.ess[least]:.0f}"
        yield Verdict(VerdictKind.FEW, (told, f"{found.target_ess:g}"))
    if found.k_hat > K_HAT:
        yield Verdict(VerdictKind.HEAVY_WEIGHTS, (f"{found.k_hat:.2f}",))
    if found.unsettled:
        yield Verdict(VerdictKind.UNSETTLED, (str(found.unsettled),))
    if found.divergent:
        yield Verdict(VerdictKind.DIVERGENT, (f"{found.divergent} of {found.draws}",))
    if not found.mode_found:
        yield Verdict(VerdictKind.MODE_NOT_FOUND, ())
    if found.cut_off > 0.05 * found.draws:
        yield Verdict(VerdictKind.LONG_TRAJECTORIES, (f"{found.cut_off} of {found.draws}",))
    if found.emulator_acceptance < POOR_ACCEPTANCE:
        yield Verdict(VerdictKind.POOR_EMULATOR, (f"{100 * found.emulator_acceptance:.0f}%",))
    if found.failures > FAILED * found.evaluations:
        yield Verdict(VerdictKind.FAILED_EVALUATIONS, (f"{found.failures} of {found.evaluations}",))
    if leaning := _listed(found.names, found.near_bound > LEANING):
        yield Verdict(VerdictKind.AT_BOUND, (leaning,))
    if wide := _listed(found.names, found.deviation > WIDE * found.width):
        yield Verdict(VerdictKind.UNCONSTRAINED, (wide,))
    if found.strayed:
        yield Verdict(VerdictKind.STRAYED, ())


def _listed(names: Sequence[str], chosen: NDArray[np.bool_]) -> str:
    return ", ".join(name for name, yes in zip(names, chosen, strict=True) if yes)
