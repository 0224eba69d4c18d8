"""How a survey's stars are distributed in distance inside a region: its selection along the line of sight."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from galactions.survey.regions import Region
from galactions.survey.stars import FloatArray

STARS_A_BIN = 50
"""Stars that a bin of distance holds in the mean: it is known to 14 %."""

MOST_BINS = 40


@dataclass(frozen=True)
class DistanceDistribution:
    """Shares `share` (B,) of a region's stars, adding up to one, in bins of observed distance with edges (B
    + 1,) in kpc, which span the region.
    """

    edges: FloatArray
    share: FloatArray

    def density(self, distance: npt.ArrayLike) -> FloatArray:
        """Probability per kpc at distances (N,) in kpc; zero outside the region."""
        d = np.asarray(distance, dtype=np.float64)
        at = np.searchsorted(self.edges, d, side="right") - 1
        inside = (at >= 0) & (at < len(self.share))
        height = self.share / np.diff(self.edges)
        return np.where(inside, height[np.clip(at, 0, len(height) - 1)], 0.0)


def observed_distances(
    distance: FloatArray, region: Region, weights: FloatArray | None = None
) -> DistanceDistribution:
    """The distribution of distances (N,) in kpc of a region's stars, N > 0, with weights (N,) if any.

    Bins of one width span the region, as many as leave `STARS_A_BIN` stars to each, 1 to `MOST_BINS`.
    """
    n_bins = int(np.clip(len(distance) // STARS_A_BIN, 1, MOST_BINS))
    edges = np.linspace(*region.distance, n_bins + 1)
    counts, _ = np.histogram(distance, bins=edges, weights=weights)
    return DistanceDistribution(edges, counts / counts.sum())
