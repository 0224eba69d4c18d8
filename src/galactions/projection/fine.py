"""Many quasi-random points in one region, and the model's density at them: a reference for few nodes."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri
from jaxtyping import Array, Float
from numpy.typing import NDArray
from scipy.stats import qmc

from galactions.numerics.program import program
from galactions.projection.distance_selection import DistanceSelection
from galactions.projection.errors import RegionErrors
from galactions.projection.proposal import Proposal
from galactions.projection.view import CHUNK, View

Floats = NDArray[np.float64]


class FinePoints(NamedTuple):
    """seen (6, n): l, b (deg), true distance (kpc), v_los (km/s), mu_alpha*, mu_delta (mas/yr). observed (3,
    n): the last three with errors of measurement. weight (n,): Jacobian and selection over the density they
    were drawn from. f (n,): phase-space density of the model there, Msun/(kpc km/s)^3.
    """

    seen: Floats
    observed: Floats
    weight: Floats
    f: Floats

    @property
    def mass(self) -> Floats:
        """(n,): their mean is the mass of the region's stars, Msun."""
        return self.f * self.weight


def fine_points(
    view: View,
    proposal: Proposal,
    selection: DistanceSelection,
    errors: RegionErrors,
    n: int,
    seed: list[int],
) -> FinePoints:
    """`n` scrambled Sobol points (and mirror images: see `Pairs`), n a power of two of at least 2."""
    u = qmc.Sobol(10, scramble=True, seed=np.random.default_rng(seed)).random(n // 2).T
    sigma = jnp.array([errors.v_los, errors.pm_ra, errors.pm_dec])
    parts = []
    for at in range(0, u.shape[1], CHUNK):
        some = u[:, at : at + CHUNK]
        filled = jnp.asarray(np.pad(some, ((0, 0), (0, CHUNK - some.shape[1])), "edge"))
        parts.append([np.asarray(a)[..., : some.shape[1]] for a in _evaluate(view, proposal, sigma, filled)])
    seen, mirrored, observed, observed_mirrored, weight, f = (
        np.concatenate(columns, axis=-1) for columns in zip(*parts, strict=True)
    )
    weight = weight * selection.chance(seen[2], errors.distance_fraction)
    return FinePoints(
        np.concatenate([seen, mirrored], axis=1),
        np.concatenate([observed, observed_mirrored], axis=1),
        np.tile(weight, 2),
        np.tile(f, 2),
    )


@program()
def _evaluate(
    view: View, proposal: Proposal, sigma: Float[Array, "3"], u: Float[Array, "10 n"]
) -> tuple[Array, ...]:
    """Both halves of the pairs as seen and as observed, their weight, and f, at points of the unit cube."""
    seen, mirrored, weight = proposal.draw(u[:7])
    noise = sigma[:, None] * ndtri(jnp.clip(u[7:], 1e-12, 1 - 1e-12))
    f = view.phase_space_density(seen)
    return seen, mirrored, seen[3:] + noise, mirrored[3:] - noise, weight, f
