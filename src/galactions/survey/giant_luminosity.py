"""Absolute magnitudes of giants learnt from those that have a good parallax, for users without isochrones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.progress import Share, chunks, untold
from galactions.survey.stars import FloatArray

SCALES = np.array([60.0, 0.12, 0.12])
"""K and dex: a step along each axis that counts as one; about the errors of low-resolution spectra."""

NEIGHBOURS = 32
"""Training stars that an estimate is taken from: their median is known to a fifth of their scatter."""

REACH = 3.0
"""A star whose median neighbour is further away than this is outside the training sample."""

CHUNK = 50_000
"""Stars whose neighbours are looked for at once."""

MOST = 60_000
"""Training stars kept (a random choice of them): more make the search slower and the answer no better."""

LEAST_SCATTER = 0.05
"""mag; no estimate is better than this."""


def parallax_magnitude(
    magnitude: npt.ArrayLike, parallax: npt.ArrayLike, extinction: npt.ArrayLike = 0.0
) -> FloatArray:
    """Absolute magnitude (N,) from an apparent one and an extinction (mag), and a parallax (mas; NaN where it
    is not positive): M = m - A + 5 log10(parallax / 100 mas).
    """
    m, A, p = (np.asarray(a, dtype=np.float64) for a in (magnitude, extinction, parallax))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(p > 0, m - A + 5.0 * np.log10(p / 100.0), np.nan)


@dataclass(frozen=True)
class GiantLuminosity:
    """Giants of known M_K, arranged by T_eff, log g and [Fe/H]; made by `train`.

    `scatter_of_parallaxes` (mag) is the typical error of the known M_K themselves, which is taken out of the
    scatter that `estimate` quotes.
    """

    tree: Any
    M_K: FloatArray
    scatter_of_parallaxes: float

    @classmethod
    def train(
        cls,
        teff: npt.ArrayLike,
        logg: npt.ArrayLike,
        feh: npt.ArrayLike,
        M_K: npt.ArrayLike,
        e_M_K: npt.ArrayLike,
        seed: int = 0,
    ) -> "GiantLuminosity":
        """From stars of known M_K and its error (mag), all (N,); stars with NaN are passed by.

        The seed fixes which stars are kept of more than `MOST`. Raises CatalogueError for fewer than
        4 `NEIGHBOURS` stars.
        """
        from scipy.spatial import cKDTree

        columns = [np.asarray(a, dtype=np.float64) for a in (teff, logg, feh, M_K, e_M_K)]
        good = np.flatnonzero(np.all(np.isfinite(columns), axis=0))
        if len(good) < 4 * NEIGHBOURS:
            raise CatalogueError(
                f"{len(good)} giants with a good parallax are too few to learn luminosities from: "
                f"{4 * NEIGHBOURS} are needed (use isochrones, or distance.method = 'parallax')"
            )
        if len(good) > MOST:
            good = np.random.default_rng(seed).choice(good, MOST, replace=False)
        points = np.stack([c[good] for c in columns[:3]], axis=1) / SCALES
        return cls(cKDTree(points), columns[3][good], float(np.median(columns[4][good])))

    def estimate(
        self, teff: npt.ArrayLike, logg: npt.ArrayLike, feh: npt.ArrayLike, share: Share = untold
    ) -> tuple[FloatArray, FloatArray]:
        """M_K and its error (each (N,), mag) for stars of T_eff (K), log g and [Fe/H] (dex), each (N,).

        The median of the nearest training stars and their scatter (1.4826 times the median absolute
        deviation, less the error of their parallaxes). NaN for unknown values and stars outside the sample.
        `share` is told how much is done.
        """
        points = np.stack([np.asarray(a, dtype=np.float64) for a in (teff, logg, feh)], axis=1) / SCALES
        value, error = np.full(len(points), np.nan), np.full(len(points), np.nan)
        known = np.flatnonzero(np.all(np.isfinite(points), axis=1))
        for some in chunks(len(known), CHUNK, share):
            rows = known[some]
            apart, near = self.tree.query(points[rows], k=NEIGHBOURS, workers=-1)
            M = self.M_K[near]
            middle = np.median(M, axis=1)
            scatter = 1.4826 * np.median(np.abs(M - middle[:, None]), axis=1)
            own = np.sqrt(np.clip(scatter**2 - self.scatter_of_parallaxes**2, LEAST_SCATTER**2, None))
            inside = np.median(apart, axis=1) <= REACH
            value[rows[inside]], error[rows[inside]] = middle[inside], own[inside]
        return value, error
