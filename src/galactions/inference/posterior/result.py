"""What a posterior run found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galactions.inference.posterior.bands import Bands
from galactions.inference.posterior.coordinates import Coordinates
from galactions.inference.posterior.diagnostics import TROUBLE, Evidence, Verdict, judge
from galactions.inference.posterior.settings import PosteriorSettings
from galactions.inference.posterior.summary import (
    ParameterSummary,
    summarise_chains,
    summarise_weighted,
)
from galactions.inference.posterior.work import Sample

Vector = NDArray[np.float64]

MOST_RESAMPLED = 20000


@dataclass(frozen=True, eq=False)
class PosteriorResult:
    """A posterior sample of a model's free parameters, and what it is worth.

    names: of the n parameters. values (chains, draws, n): draws of equal weight (those of "laplace" are
    resampled). log_density (chains, draws): of posterior and `Coordinates` together, up to a
    constant. stats: further numbers of each draw. points (k, n), weights (k,): the weighted sample of
    "laplace", else None. parameters: the table. verdicts: what it is worth, in words. log_evidence and its
    error: ln of the integral of likelihood times prior, None where the method has none. k_hat: of the
    weights. evaluations: of the model, by kind; failures among them; seconds spent in them.
    """

    model_name: str
    method: str
    names: tuple[str, ...]
    values: Vector
    log_density: Vector
    stats: Mapping[str, Vector]
    points: Vector | None
    weights: Vector | None
    parameters: tuple[ParameterSummary, ...]
    verdicts: tuple[Verdict, ...]
    log_evidence: float | None
    log_evidence_error: float | None
    log_evidence_laplace: float
    k_hat: float | None
    acceptance: float | None
    evaluations: Mapping[str, int]
    failures: int
    seconds: float
    walkers: int
    bands: Bands | None
    folder: Path | None

    @property
    def ess(self) -> float:
        """The smallest effective sample size of any parameter, bulk or tail."""
        return float(np.min([row.ess for row in self.parameters]))

    @property
    def r_hat(self) -> float:
        """The largest R-hat; NaN for a weighted sample."""
        return float(np.max([row.r_hat for row in self.parameters]))

    @property
    def reliable(self) -> bool:
        """Whether nothing speaks against the sample."""
        return not any(verdict.kind in TROUBLE for verdict in self.verdicts)

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(verdict.sentence for verdict in self.verdicts)

    @property
    def draws(self) -> Vector:
        """All draws in one row, (chains x draws, n)."""
        return self.values.reshape(-1, len(self.names))

    def thinned(self, count: int) -> Vector:
        """At most `count` draws (count, n), evenly spaced over all chains."""
        chosen = np.unique(
            np.linspace(0, len(self.draws) - 1, min(count, len(self.draws))).round().astype(int)
        )
        return self.draws[chosen]

    def summary(self) -> str:
        """A few lines of text: the table, the evidence, what the sample is worth."""
        lines = [
            f"Posterior of {self.model_name} by {self.method}:",
            f"  {'':<16} {'median':>11} {'68%':>25} {'95%':>25} {'R-hat':>7} {'ESS':>7}",
        ]
        for row in self.parameters:
            r_hat = f"{row.r_hat:.3f}" if np.isfinite(row.r_hat) else "-"
            inner, outer = (
                f"{low:.5g} to {high:.5g}"
                for low, high in ((row.low_68, row.high_68), (row.low_95, row.high_95))
            )
            lines.append(
                f"  {row.name:<16} {row.median:>11.5g} {inner:>25} {outer:>25} {r_hat:>7} {row.ess:>7.0f}"
            )
        if self.log_evidence is not None:
            lines.append(f"  ln evidence {self.log_evidence:.3f} +- {self.log_evidence_error:.3f}")
        made = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in self.evaluations.items())
        lines.append(f"  evaluations: {made}; {self.failures} failed; {self.seconds:.0f} s in them")
        return "\n".join([*lines, *self.sentences])


NEAR = 0.2
"""Standard deviations from a bound within which a draw is near it: of a posterior that ends there at its
mode, a tenth is; of one that ends a deviation below its mode, a twentieth."""


def result_from(
    sample: Sample,
    coordinates: Coordinates,
    settings: PosteriorSettings,
    model_name: str = "",
    folder: Path | None = None,
) -> PosteriorResult:
    """The result of a sample in these coordinates; without bands."""
    free, mode = coordinates.free, coordinates.values(sample.mode.u)
    if sample.weighted is not None:
        weighted = sample.weighted
        points = _values(coordinates, weighted.u)
        count = min(len(points), MOST_RESAMPLED)
        chosen = weighted.resampled(count, settings.seed)
        values, log_density = points[chosen][None], weighted.log_density[chosen][None]
        rows = summarise_weighted(free.names, points, weighted.weights, mode)
        stats: dict[str, Vector] = {}
    else:
        points = None
        values = _values(coordinates, np.concatenate([chain.u for chain in sample.chains]))
        log_density = np.concatenate([chain.log_density for chain in sample.chains])
        stats = {
            name: np.concatenate([chain.stats[name] for chain in sample.chains])
            for name in sample.chains[0].stats
        }
        rows = summarise_chains(free.names, values, mode, sample.walkers)
    draws = values.reshape(-1, len(free.names))
    acceptance = float(np.mean(stats["acceptance"])) if "acceptance" in stats else None
    deviation = np.array([row.deviation for row in rows])
    width = free.upper - free.lower
    near = np.minimum(draws - free.lower, free.upper - draws) < NEAR * deviation
    found = Evidence(
        names=free.names,
        draws=len(draws),
        r_hat=np.array([row.r_hat for row in rows]),
        ess=np.array([row.ess for row in rows]),
        target_ess=settings.target_ess,
        deviation=deviation,
        width=width,
        near_bound=np.mean(near, axis=0),
        k_hat=float("nan") if sample.weighted is None else sample.weighted.k_hat,
        unsettled=0 if sample.weighted is None else sample.weighted.rounds[-1].unsettled,
        divergent=int(np.sum(stats.get("divergent", 0.0))),
        cut_off=int(np.sum(stats["doublings"] >= settings.max_doublings)) if "doublings" in stats else 0,
        emulator_acceptance=acceptance if settings.method == "delayed" and acceptance is not None else np.nan,
        mode_found=sample.mode.converged,
        failures=sample.failures,
        evaluations=sum(sample.evaluations.values()),
        strayed=sample.strayed,
    )
    return PosteriorResult(
        model_name=model_name,
        method=settings.method,
        names=free.names,
        values=values,
        log_density=log_density,
        stats=stats,
        points=points,
        weights=None if sample.weighted is None else sample.weighted.weights,
        parameters=rows,
        verdicts=judge(found),
        log_evidence=None if sample.weighted is None else sample.weighted.log_evidence,
        log_evidence_error=None if sample.weighted is None else sample.weighted.log_evidence_error,
        log_evidence_laplace=sample.laplace.log_evidence,
        k_hat=None if sample.weighted is None else sample.weighted.k_hat,
        acceptance=acceptance,
        evaluations=sample.evaluations,
        failures=sample.failures,
        seconds=sample.seconds,
        walkers=sample.walkers,
        bands=None,
        folder=folder,
    )


def _values(coordinates: Coordinates, u: Vector) -> Vector:
    """Values (..., n) of coordinates (..., n)."""
    flat = u.reshape(-1, u.shape[-1])
    return np.array([coordinates.values(row) for row in flat]).reshape(u.shape)
