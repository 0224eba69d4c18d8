"""`predict`: the velocity distributions of regions of the sky in a galaxy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from galactions.errors import ConfigError
from galactions.projection.nodes import OBSERVABLES, SurveyNodes
from galactions.projection.prediction import Prediction
from galactions.survey.regions import Region

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy


def predict(
    galaxy: "Galaxy",
    regions: Sequence[Region],
    edges: Mapping[str, ArrayLike],
    nodes: int = 16384,
    replicates: int = 4,
    seed: int = 0,
) -> Prediction:
    """Fractions of each region's disc stars (thin and thick) in bins of observed velocities, without errors.

    regions: boxes of l, b (deg) and distance (kpc). edges: bin edges (B + 1,), the same in all regions, of
    any of "v_los" (km/s), "pm_ra" (mu_alpha*) and "pm_dec" (mas/yr). nodes: fixed quasi-random nodes of each
    region and replicate; replicates: independent sets of them, whose scatter gives each bin's error; the seed
    fixes them. The Sun is the model's: at d_sun, with v0 = v_circ(d_sun), 20.8 pc above the plane, and the
    peculiar motion (11.10, 12.24, 7.25) km/s. Raises ConfigError for unknown observables or edges that do not
    increase.
    """
    limits = {name: np.asarray(values, dtype=float) for name, values in edges.items()}
    for name, values in limits.items():
        if name not in OBSERVABLES:
            raise ConfigError(f"edges of {name!r}: no such observable; allowed are {', '.join(OBSERVABLES)}")
        if values.ndim != 1 or len(values) < 2 or not np.all(np.diff(values) > 0):
            raise ConfigError(f"edges of {name}: found {values}; allowed: two or more numbers that increase")
    if not limits:
        raise ConfigError(f"no edges: give bins of at least one of {', '.join(OBSERVABLES)}")
    chosen = SurveyNodes.for_regions(galaxy, regions, [limits] * len(regions), nodes, replicates, seed)
    return chosen.predict(galaxy)
