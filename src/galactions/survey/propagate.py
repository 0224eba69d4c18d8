"""Positions and velocities in the Galaxy with their errors, by sampling what was measured.

Gaia's errors of parallax and proper motions are correlated; distance, line of sight and sky are taken as
exact or independent otherwise. Sampling keeps what a linear propagation loses: the skewness from distance
errors.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from galactions.errors import CatalogueError
from galactions.survey.correlated import correlate
from galactions.survey.frame import SightLines, galactocentric_from_basis, sight_line_basis
from galactions.survey.progress import Share, chunks, untold
from galactions.survey.stars import FloatArray, Stars
from galactions.survey.sun import PAPER_SUN, Sun

CHUNK = 200_000
"""Samples of stars held at once."""


@dataclass(frozen=True)
class PhaseSpaceErrors:
    """Phase-space points of N stars from samples of their errors, in kpc and km/s: `mean` (N, 6),
    `covariance` (N, 6, 6), and the `median` (N, 6), which skewness moves less.
    """

    mean: FloatArray
    covariance: FloatArray
    median: FloatArray

    @property
    def sigma(self) -> FloatArray:
        """Standard deviations (N, 6)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))


def sample_observables(
    stars: Stars,
    n_samples: int,
    rng: np.random.Generator,
    parallax: FloatArray | None = None,
    e_parallax: FloatArray | None = None,
    parallax_correlations: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Samples (S, N) of distance (kpc), v_los (km/s) and proper motions (mas/yr) within their errors.

    With `parallax` and `e_parallax` (mas, (N,)) distances are inverses of samples of the parallax, with its
    correlations with pm_ra and pm_dec in `parallax_correlations` (2, N); without, they are normal with
    `e_distance`. Samples that are not positive are reflected: both ends of an error bar stay in use, and no
    distance is negative. Errors that the stars lack count as zero. Raises CatalogueError for missing proper
    motions, and for impossible correlations.
    """
    if stars.pm_ra is None or stars.pm_dec is None:
        raise CatalogueError("errors are propagated to six dimensions: these stars have no proper motions")
    n = len(stars)
    correlations = np.zeros((3, n))
    if parallax_correlations is not None:
        correlations[:2] = parallax_correlations
    if stars.pm_corr is not None:
        correlations[2] = stars.pm_corr
    noise = correlate(rng.standard_normal((3, n_samples, n)), correlations)
    if parallax is not None and e_parallax is not None:
        distance = 1.0 / np.abs(parallax + e_parallax * noise[0])
    else:
        distance = np.abs(stars.distance + _or_zero(stars.e_distance, n) * noise[0])
    v_los = stars.v_los + _or_zero(stars.e_v_los, n) * rng.standard_normal((n_samples, n))
    pm_ra = stars.pm_ra + _or_zero(stars.e_pm_ra, n) * noise[1]
    pm_dec = stars.pm_dec + _or_zero(stars.e_pm_dec, n) * noise[2]
    return distance, v_los, pm_ra, pm_dec


def _or_zero(errors: FloatArray | None, n: int) -> FloatArray:
    return np.zeros(n) if errors is None else errors


def phase_space_errors(
    stars: Stars,
    sun: Sun = PAPER_SUN,
    n_samples: int = 128,
    seed: int = 0,
    parallax: FloatArray | None = None,
    e_parallax: FloatArray | None = None,
    parallax_correlations: FloatArray | None = None,
    share: Share = untold,
) -> PhaseSpaceErrors:
    """Positions and velocities of N stars with their errors, from `n_samples` samples of each; see
    `sample_observables` for what is varied. The seed fixes the result; `share` is told how much is done.
    Raises CatalogueError as it does, and for fewer than two samples.
    """
    if n_samples < 2:
        raise CatalogueError(f"errors need at least 2 samples of each star: found {n_samples}")
    rng = np.random.default_rng(seed)
    n = len(stars)
    mean, median, covariance = np.empty((n, 6)), np.empty((n, 6)), np.empty((n, 6, 6))
    for mine in chunks(n, max(1, CHUNK // n_samples), share):
        some = stars.select(mine)
        samples = sample_observables(
            some,
            n_samples,
            rng,
            None if parallax is None else parallax[mine],
            None if e_parallax is None else e_parallax[mine],
            None if parallax_correlations is None else parallax_correlations[:, mine],
        )
        basis = sight_line_basis(some.l, some.b)
        again = SightLines(*(jnp.tile(e, (n_samples, 1)) for e in basis))
        points = np.asarray(galactocentric_from_basis(again, *(s.ravel() for s in samples), sun))
        points = points.reshape(n_samples, len(some), 6)
        mean[mine], median[mine] = points.mean(axis=0), np.median(points, axis=0)
        offset = points - mean[mine]
        covariance[mine] = np.einsum("sni,snj->nij", offset, offset) / (n_samples - 1)
    return PhaseSpaceErrors(mean, covariance, median)
