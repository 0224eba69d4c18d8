"""The noun of this room: predicted velocity distributions."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """Predicted histograms of regions, in the order in which the regions were asked for.

    `p[observable][k]` (B_k,): fraction of *all* stars of region k that lie in each bin, so that it sums to
    one only if no star lies outside the edges; `error[observable][k]` (B_k,): its standard error, from the
    scatter of independent sets of nodes; `ess[k]`: effective sample size of region k, (sum w)^2 / sum w^2.
    Regions that were not asked for (too few stars in the survey) have empty arrays and an `ess` of zero.
    """

    p: dict[str, list[NDArray[np.float64]]]
    error: dict[str, list[NDArray[np.float64]]]
    ess: list[float] = field(default_factory=list)
