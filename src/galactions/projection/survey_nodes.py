"""The nodes of a survey: a few for each region, calibrated to a reference galaxy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ConfigError
from galactions.numerics.together import together
from galactions.projection.bins import Bins
from galactions.projection.distance_selection import DistanceSelection
from galactions.projection.errors import RegionErrors
from galactions.projection.laying import RegionNodes, joined, lay
from galactions.projection.nodes import Heights, Nodes, heights
from galactions.projection.positions import PositionProposal, selection_like
from galactions.projection.prediction import Prediction
from galactions.projection.proposal import Proposal, reference_sun
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import View, density_at
from galactions.survey.distance_selection import DistanceDistribution
from galactions.survey.regions import Region

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy, ModelSpec
    from galactions.survey import BinnedSurvey

Floats = NDArray[np.float64]

NODES = 2048
REFERENCE = 131072
REPLICATES = 4
"""Nodes, and points of the reference, of a region on average and of each replicate; and replicates."""
_LEAST_SHARE, _MOST_SHARE = 0.25, 8.0


@dataclass(frozen=True, eq=False)
class SurveyNodes:
    """The nodes of a survey's regions, and what its bins are."""

    nodes: Nodes
    bins: Bins

    @classmethod
    def for_regions(
        cls,
        galaxy: "Galaxy",
        regions: Sequence[Region],
        edges: Sequence[Mapping[str, Floats]],
        nodes: int = NODES,
        replicates: int = REPLICATES,
        seed: int = 0,
        errors: Sequence[RegionErrors] | None = None,
        numbers: Sequence[int] | None = None,
        reference: int = REFERENCE,
        stars: Sequence[int] | None = None,
        distances: Sequence[DistanceDistribution | None] | None = None,
    ) -> "SurveyNodes":
        """Nodes for `regions` with their bin `edges`, calibrated to `galaxy`.

        nodes, reference: numbers of nodes, and of the points that they are chosen from, for each replicate of
        a region on average; the latter are rounded up to powers of two. replicates: independent
        randomisations, 2 or more, whose scatter is the error of a prediction. errors: of each region's stars
        (default: none), which the model is then seen through. numbers: of the regions to lay nodes in
        (default: all). stars: observed in each region; regions with more of them, whose errors are smaller,
        get more nodes and points in proportion (default: all get the same). distances: observed in each
        region, which the model is given too (default: all its stars count; see `DistanceSelection`). Of two
        regions at a time one replicate of the points is in memory, 0.2 GiB each. Raises ConfigError for
        impossible numbers.
        """
        if nodes < 2 or replicates < 2 or reference < nodes:
            raise ConfigError(
                f"nodes = {nodes}, replicates = {replicates}, reference = {reference}: allowed are 2 or more "
                "nodes and replicates, and a reference of no fewer points than nodes"
            )
        chosen = tuple(range(len(regions)) if numbers is None else numbers)
        if not chosen:
            raise ConfigError("no regions to predict: at least one is needed")
        bins = Bins.of(edges, chosen, len(regions))
        view, sun, velocities = View.of(galaxy), reference_sun(galaxy), VelocityProposal.of(galaxy)

        def laid(k: int, share: float) -> RegionNodes:
            error = errors[k] if errors is not None else RegionErrors()
            seen, fraction = distances[k] if distances is not None else None, error.distance_fraction
            selection = (
                DistanceSelection.of_region(regions[k])
                if seen is None
                else selection_like(seen, regions[k], galaxy, sun, fraction)
            )
            positions = PositionProposal.of(regions[k], galaxy, sun, fraction, selection)
            proposal = Proposal(positions, velocities, sun)
            n, n_fine = (int(np.ceil(share * number)) for number in (nodes, reference))
            n_fine = 2 ** int(np.ceil(np.log2(n_fine)))
            blocks = bins.of_region(k)
            seeds = [[seed, k, replicate] for replicate in range(replicates)]
            return lay(view, proposal, selection, error, blocks, n, n_fine, seeds)

        # The first one compiles what all of them share.
        first, *others = zip(chosen, _shares(chosen, stars), strict=True)
        return cls(joined([laid(*first), *together(laid, others)], bins), bins)

    @classmethod
    def for_survey(
        cls,
        survey: "BinnedSurvey",
        nodes: int,
        replicates: int,
        seed: int,
        errors: Literal["paper", "forward"],
        spec: "ModelSpec",
        reference: int = REFERENCE,
        selection: Literal["none", "observed-distances"] = "none",
    ) -> "SurveyNodes":
        """Nodes for the used regions of a survey, with its bins.

        They are calibrated to the model `spec` after one iteration. errors: "paper" leaves the model as it
        is, "forward" sees it through the median errors of each region's stars (a missing one is zero).
        selection: "none" counts all stars of the model in a region, "observed-distances" gives them the
        distribution of observed distances of the survey's.
        """
        from galactions.galaxy import build

        def edges_of(k: int) -> dict[str, Floats]:
            histograms = survey.regions[k].histograms
            return {name: histograms[name].edges for name in survey.observables if name in histograms}

        return cls.for_regions(
            build(spec, iterations=1),
            [item.region for item in survey.regions],
            [edges_of(k) for k in range(len(survey.regions))],
            nodes,
            replicates,
            seed,
            [RegionErrors(**item.errors) for item in survey.regions] if errors == "forward" else None,
            [k for k, item in enumerate(survey.regions) if item.used],
            reference,
            [item.n_stars for item in survey.regions],
            [item.distances for item in survey.regions] if selection == "observed-distances" else None,
        )

    def heights(self, view: View) -> Heights:
        """The heights of all cells: a JAX function of `view`, which can be differentiated."""
        return heights(self.nodes, density_at(view, self.nodes.placed), len(self.bins.numbers))

    def predict(self, galaxy: "Galaxy") -> Prediction:
        """What the survey would see of a galaxy."""
        return self.prediction(View.of(galaxy))

    def prediction(self, view: View) -> Prediction:
        """What the survey would see of a model."""
        return self.told(self.heights(view))

    def told(self, found: Heights) -> Prediction:
        """The histograms of these heights."""
        p, error = (self.bins.split(np.asarray(a)) for a in (found.p, found.error))
        ess = np.zeros(self.bins.n_regions)
        ess[list(self.bins.numbers)] = found.ess
        return Prediction(p, error, ess.tolist())


def _shares(chosen: Sequence[int], stars: Sequence[int] | None) -> Floats:
    """Nodes of each chosen region relative to their mean: in proportion to its stars, within limits."""
    if stars is None:
        return np.ones(len(chosen))
    counts = np.array([stars[k] for k in chosen], dtype=float)
    return np.clip(counts / counts.mean(), _LEAST_SHARE, _MOST_SHARE)
