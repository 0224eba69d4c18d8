"""Which stars of a region a survey has seen, by their distance.

The paper compares all of a model's stars inside a region with the observed ones. A survey with a magnitude
limit has more of the near ones; where velocities change along the line of sight this shifts the histograms.
`selection = "observed-distances"` weights the model's stars by the ratio of the observed distribution of
distances to that of the reference model (of which the nodes are laid). The weights are the survey's
selection function, as far as the reference is right about the density along the line of sight, and stay as
they are when the model changes.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, ArrayLike
from numpy.typing import NDArray
from scipy import special

from galactions.survey.distance_selection import DistanceDistribution
from galactions.survey.regions import Region

Floats = NDArray[np.float64]

_FINE = 4096
"""Points by which the reference model's distances are divided into bins."""


@dataclass(frozen=True, eq=False)
class DistanceSelection:
    """The chance (to a constant) of a star to be in the survey: `factor` (B,) in bins of *observed* distance
    with `edges` (B + 1,) in kpc, zero outside.
    """

    edges: Floats
    factor: Floats

    @classmethod
    def of_region(cls, region: Region) -> "DistanceSelection":
        """All stars whose observed distance lies in the region."""
        return cls(np.array(region.distance, dtype=float), np.ones(1))

    def chance(self, distance: ArrayLike, distance_fraction: float) -> Floats:
        """Mean factor (n,) of stars at true `distance` (n,), kpc, whose observed ones scatter (see
        `chance_inside`).
        """
        d = np.asarray(distance, dtype=np.float64)
        # the factor is a sum of steps at the edges
        steps = np.diff(self.factor, prepend=0.0, append=0.0)
        total = np.zeros(d.shape)
        for edge, step in zip(self.edges, steps, strict=True):
            if distance_fraction > 0:
                total += step * special.ndtr((1.0 - edge / d) / distance_fraction)
            else:
                total += step * (d >= edge)
        return total / special.ndtr(1.0 / distance_fraction) if distance_fraction > 0 else total


def observed_selection(
    wanted: DistanceDistribution, distance: Floats, density: Floats, distance_fraction: float
) -> DistanceSelection:
    """The selection that gives a model the `wanted` distribution of observed distances.

    density (m,): the model's number of stars per solid angle and kpc^3 at true `distance` (m,), rising, kpc,
    interpolated between them.
    """
    fine = np.linspace(distance[0], distance[-1], _FINE + 1)
    middle = 0.5 * (fine[1:] + fine[:-1])
    mass = middle**2 * np.exp(np.interp(middle, distance, np.log(np.maximum(density, 1e-300))))
    expected = np.array(
        [
            np.sum(mass * np.asarray(chance_inside((low, high), middle, distance_fraction)))
            for low, high in zip(wanted.edges, wanted.edges[1:], strict=False)
        ]
    )
    expected /= expected.sum()
    return DistanceSelection(wanted.edges, wanted.share / np.maximum(expected, 1e-300))


def chance_inside(limits: tuple[float, float], distance: ArrayLike, distance_fraction: ArrayLike) -> Array:
    """Probability (n,) that stars at true `distance` (n,), kpc, are observed between the two `limits`, kpc.

    The law of `galactions.survey.observe`: d_obs = d (1 + f eps), eps standard normal, d_obs > 0.
    """
    low, high = limits
    d, f = jnp.asarray(distance), jnp.asarray(distance_fraction, float)
    exact = ((d >= low) & (d < high)).astype(float)
    f_safe = jnp.where(f > 0, f, 1.0)
    inside = ndtr((high / d - 1) / f_safe) - ndtr((low / d - 1) / f_safe)
    return jnp.where(f > 0, inside / ndtr(1 / f_safe), exact)
