"""Fixed nodes in the space of observables, by which a survey's velocity distributions are computed.

A bin's height is the share of its nodes in sum w_i f_i, where f_i is the model's phase-space density at node
i and w_i a fixed weight. Nodes and bins never move, so the heights are smooth functions of the model (nothing
is drawn anew), with the same small error at every set of parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from galactions.errors import ConfigError
from galactions.projection.prediction import Prediction
from galactions.projection.proposal import (
    PositionProposal,
    VelocityProposal,
    chance_inside,
    draw,
    reference_sun,
)
from galactions.projection.view import View, density_at
from galactions.survey.regions import Region

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy, ModelSpec
    from galactions.survey import BinnedSurvey

Floats = NDArray[np.float64]

OBSERVABLES = ("v_los", "pm_ra", "pm_dec")


@dataclass(frozen=True)
class RegionErrors:
    """Normal errors of a region's stars: `v_los` (km/s), `pm_ra`, `pm_dec` (mas/yr), and of the distance as a
    fraction of it."""

    v_los: float = 0.0
    pm_ra: float = 0.0
    pm_dec: float = 0.0
    distance_fraction: float = 0.0

    def __post_init__(self) -> None:
        for name in ("v_los", "pm_ra", "pm_dec", "distance_fraction"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"error {name} of a region is {value}; it must be a number, 0 or more")


@dataclass(frozen=True)
class _Block:
    """Where the bins of an observable of region number `region` begin, and how many they are."""

    region: int
    observable: str
    start: int
    size: int


@dataclass(frozen=True, eq=False)
class SurveyNodes:
    """Nodes of a survey's regions with everything about them that a model does not change.

    seen (6, K R N): l, b (deg), true distance (kpc), v_los (km/s), mu_alpha*, mu_delta (mas/yr), of K regions
    with R replicates of N nodes. weight (K R N,): Jacobian and selection over the density the nodes were
    drawn from. bins (n_observables, K R N): number of the cell (bin of a replicate) that each node counts in;
    the last cell takes what lies outside all edges. blocks: what the bins are. numbers: of the K regions, in
    the survey.
    """

    seen: Array
    weight: Array
    bins: Array
    blocks: tuple[_Block, ...]
    numbers: tuple[int, ...]
    n_regions: int
    replicates: int

    @classmethod
    def for_regions(
        cls,
        galaxy: "Galaxy",
        regions: Sequence[Region],
        edges: Sequence[Mapping[str, Floats]],
        nodes: int = 16384,
        replicates: int = 4,
        seed: int = 0,
        errors: Sequence[RegionErrors] | None = None,
        numbers: Iterable[int] | None = None,
    ) -> "SurveyNodes":
        """Nodes for `regions` with their bin `edges`, matched to `galaxy`.

        nodes: for each region and replicate, rounded up to a power of two. replicates: independent
        randomisations, 2 or more, whose scatter is the error of a prediction. errors: of each region's stars
        (default: none), which the model is then seen through. numbers: of the regions to lay nodes in
        (default: all). Raises ConfigError for impossible numbers.
        """
        if nodes < 2 or replicates < 2:
            raise ConfigError(f"nodes = {nodes}, replicates = {replicates}: at least 2 of each are needed")
        chosen = tuple(range(len(regions)) if numbers is None else numbers)
        if not chosen:
            raise ConfigError("no regions to predict: at least one is needed")
        names = tuple(name for name in OBSERVABLES if name in edges[chosen[0]])
        sun, velocities = reference_sun(galaxy), VelocityProposal.of(galaxy)
        power = int(np.ceil(np.log2(nodes)))
        seen, weight, observed = [], [], []
        for k in chosen:
            error = errors[k] if errors is not None else RegionErrors()
            positions = PositionProposal.of(regions[k], galaxy, sun, error.distance_fraction)
            for replicate in range(replicates):
                rng = np.random.default_rng([seed, k, replicate])
                u = qmc.Sobol(10, scramble=True, seed=rng).random_base2(power).T
                at, w = draw(positions, velocities, sun, u[:7])
                seen.append(at)
                weight.append(w * chance_inside(regions[k], at[2], error.distance_fraction))
                noise = ndtri(np.clip(u[7:], 1e-12, 1 - 1e-12))
                sigma = np.array([[error.v_los], [error.pm_ra], [error.pm_dec]])
                observed.append(at[3:] + sigma * noise)
        blocks, bins = _cells(chosen, names, edges, observed, replicates)
        return cls(
            jnp.asarray(np.concatenate(seen, axis=1)),
            jnp.asarray(np.concatenate(weight)),
            jnp.asarray(bins),
            blocks,
            chosen,
            len(regions),
            replicates,
        )

    @classmethod
    def for_survey(
        cls,
        survey: "BinnedSurvey",
        nodes: int,
        replicates: int,
        seed: int,
        errors: Literal["paper", "forward"],
        spec: "ModelSpec",
    ) -> "SurveyNodes":
        """Nodes for the used regions of a survey, with its bins.

        They are matched to the model `spec` after one iteration. errors: "paper" leaves the model as it is,
        "forward" sees it through the median errors of each region's stars (a missing one is zero).
        """
        from galactions.galaxy import build

        def edges_of(k: int) -> dict[str, Floats]:
            histograms = survey.regions[k].histograms
            return {name: histograms[name].edges for name in survey.observables if name in histograms}

        found = [RegionErrors(**item.errors) for item in survey.regions] if errors == "forward" else None
        return cls.for_regions(
            build(spec, iterations=1),
            [item.region for item in survey.regions],
            [edges_of(k) for k in range(len(survey.regions))],
            nodes,
            replicates,
            seed,
            found,
            [k for k, item in enumerate(survey.regions) if item.used],
        )

    def heights(self, view: View) -> tuple[Array, Array, Array]:
        """p of all bins end to end (n_bins,), the same of each replicate (R, n_bins), and ess (K,).

        A JAX function of `view`: it can be differentiated.
        """
        mass = density_at(view, self.seen) * self.weight
        return _heights(mass, self.bins, len(self.numbers), self.replicates, self._owners)

    @property
    def _owners(self) -> NDArray[np.int64]:
        """For each bin, which of the K regions it belongs to."""
        place = {number: i for i, number in enumerate(self.numbers)}
        return np.repeat(
            [place[block.region] for block in self.blocks], [block.size for block in self.blocks]
        )

    def predict(self, galaxy: "Galaxy") -> Prediction:
        """What the survey would see of a galaxy."""
        return self.prediction(View.of(galaxy))

    def prediction(self, view: View) -> Prediction:
        """What the survey would see of a model."""
        p, each, ess = (np.asarray(a) for a in self.heights(view))
        error = each.std(axis=0, ddof=1) / np.sqrt(self.replicates)
        found = np.zeros(self.n_regions)
        found[list(self.numbers)] = ess
        return Prediction(self.split(p), self.split(error), found.tolist())

    def split(self, flat: NDArray[np.float64]) -> dict[str, list[NDArray[np.float64]]]:
        """Values of all bins end to end (n_bins, ...) as `[observable][region]`; empty for unused regions."""
        nothing = np.zeros((0, *flat.shape[1:]))
        parts: dict[str, list[NDArray[np.float64]]] = {}
        for block in self.blocks:
            row = parts.setdefault(block.observable, [nothing] * self.n_regions)
            row[block.region] = flat[block.start : block.start + block.size]
        return parts


def _cells(
    chosen: tuple[int, ...],
    names: tuple[str, ...],
    edges: Sequence[Mapping[str, Floats]],
    observed: list[Floats],
    replicates: int,
) -> tuple[tuple[_Block, ...], NDArray[np.int32]]:
    """The bins of all regions end to end, and the cell of each node for each observable."""
    blocks = []
    at = 0
    for k in chosen:
        for name in names:
            size = len(edges[k][name]) - 1
            blocks.append(_Block(k, name, at, size))
            at += size
    start = {(block.region, block.observable): block.start for block in blocks}
    outside = at * replicates
    rows = []
    for name in names:
        parts = []
        for i, values in enumerate(observed):
            k, replicate = chosen[i // replicates], i % replicates
            limits = np.asarray(edges[k][name], dtype=float)
            cell = np.searchsorted(limits, values[OBSERVABLES.index(name)], side="right") - 1
            inside = (cell >= 0) & (cell < len(limits) - 1)
            parts.append(np.where(inside, replicate * at + start[k, name] + cell, outside))
        rows.append(np.concatenate(parts))
    return tuple(blocks), np.stack(rows).astype(np.int32)


@partial(jax.jit, static_argnums=(2, 3))
def _heights(
    mass: Array, bins: Array, n_regions: int, replicates: int, owners: Array
) -> tuple[Array, Array, Array]:
    by_replicate = mass.reshape(n_regions, replicates, -1)
    totals = by_replicate.sum(axis=2)
    cells = jnp.zeros(replicates * len(owners) + 1)
    for row in bins:
        cells = cells.at[row].add(mass)
    sums = cells[:-1].reshape(replicates, len(owners))
    each = sums / totals.T[:, owners]
    p = sums.sum(axis=0) / totals.sum(axis=1)[owners]
    return p, each, totals.sum(axis=1) ** 2 / (by_replicate**2).sum(axis=(1, 2))
