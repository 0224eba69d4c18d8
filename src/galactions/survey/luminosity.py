"""Absolute magnitudes of giants from their spectra, by isochrones, in the manner of Carlin et al. (2015).

The posterior of M_K of a star is the sum over all isochrone points of prior times exp(-chi^2 / 2), where
chi^2 is the distance of the point from (T_eff, log g, [Fe/H]) in units of their errors. The points are
gathered into cells of a lattice once; the likelihood is a product of three factors, one an axis, so that the
sums over cells of all stars are three small matrix products instead of a loop over points.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.isochrones import Isochrones
from galactions.survey.stars import FloatArray

Prior = Literal["flat", "mass-function"]

STEPS = {"teff": 50.0, "logg": 0.1, "feh": 0.1}
"""Cells of the lattice: K and dex, below the errors of low-resolution spectra."""

CHUNK = 4096
"""Stars handled at once: the intermediate arrays stay in tens of megabytes."""

NO_POINTS = 1e-8
"""A star whose evidence, in units of that of a perfect match with one full cell, is below this (some six
standard errors away from everything) is off the isochrones."""


@dataclass(frozen=True)
class MagnitudeLattice:
    """Isochrones gathered into cells of T_eff, log g and [Fe/H].

    `edges`: of the three axes. `moments` (3, A, B, C): for each cell the prior weight of its points, and this
    weight times the mean of M_K and of M_K^2.
    """

    edges: tuple[FloatArray, FloatArray, FloatArray]
    moments: npt.NDArray[np.float32]

    @classmethod
    def of(
        cls, isochrones: Isochrones, prior: Prior = "flat", steps: dict[str, float] | None = None
    ) -> "MagnitudeLattice":
        """The lattice of some isochrones; `steps` are its cells (default `STEPS`).

        `prior` = "flat": every cell that isochrones reach has the same weight, as if all luminosities were
        equally common (Carlin et al. take no luminosity function from stellar evolution); "mass-function":
        each point counts by the stars it stands for. Raises CatalogueError for isochrones without points.
        """
        if len(isochrones) == 0:
            raise CatalogueError("a lattice of isochrones needs at least one point: found none")
        steps = steps or STEPS
        points = np.stack([isochrones.teff, isochrones.logg, isochrones.feh], axis=1)
        edges = tuple(
            _edges(axis, step)
            for axis, step in zip(points.T, (steps[k] for k in ("teff", "logg", "feh")), strict=True)
        )
        weight = isochrones.weight if prior == "mass-function" else np.ones(len(isochrones))
        sums = [
            np.histogramdd(points, bins=edges, weights=weight * isochrones.M_K**power)[0]
            for power in (0, 1, 2)
        ]
        if prior == "flat":
            filled = np.where(sums[0] > 0, sums[0], 1.0)
            sums = [one / filled for one in sums]
        scale = 1.0 / np.max(sums[0])
        return cls((edges[0], edges[1], edges[2]), np.stack(sums).astype(np.float32) * np.float32(scale))

    def estimate(
        self,
        teff: npt.ArrayLike,
        logg: npt.ArrayLike,
        feh: npt.ArrayLike,
        e_teff: npt.ArrayLike,
        e_logg: npt.ArrayLike,
        e_feh: npt.ArrayLike,
    ) -> tuple[FloatArray, FloatArray]:
        """Posterior mean and standard deviation of M_K (each (N,), mag) of stars with measured K and dex and
        their errors, each (N,).

        NaN for stars with an unknown value or error, and for those off the isochrones.
        """
        stars = [np.asarray(a, dtype=np.float64) for a in (teff, logg, feh, e_teff, e_logg, e_feh)]
        n = len(stars[0])
        mean, spread = np.full(n, np.nan), np.full(n, np.nan)
        known = np.flatnonzero(
            np.all(np.isfinite(stars), axis=0) & np.all([s > 0 for s in stars[3:]], axis=0)
        )
        for start in range(0, len(known), CHUNK):
            mine = known[start : start + CHUNK]
            mean[mine], spread[mine] = self._estimate(*(s[mine] for s in stars))
        return mean, spread

    def _estimate(self, *stars: FloatArray) -> tuple[FloatArray, FloatArray]:
        along = [
            _cell_likelihood(x, e, edges)
            for x, e, edges in zip(stars[:3], stars[3:], self.edges, strict=True)
        ]
        n, cells = len(stars[0]), self.moments.shape[2] * self.moments.shape[3]
        rest = (along[1][:, :, None] * along[2][:, None, :]).reshape(n, cells)
        sums = [
            np.einsum("nk,nk->n", along[0] @ moment.reshape(-1, cells), rest).astype(np.float64)
            for moment in self.moments
        ]
        evidence = sums[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums[1] / evidence
            spread = np.sqrt(np.clip(sums[2] / evidence - mean**2, 0.0, None))
        off = ~(evidence > NO_POINTS)
        mean[off] = spread[off] = np.nan
        return mean, spread


def _edges(values: FloatArray, step: float) -> FloatArray:
    """Cells of one width that are centred on multiples of it and hold all values."""
    first, last = np.floor(values.min() / step - 0.5), np.ceil(values.max() / step + 0.5)
    return step * (np.arange(first, last + 1) + 0.5)


def _cell_likelihood(x: FloatArray, e: FloatArray, edges: FloatArray) -> npt.NDArray[np.float32]:
    """(N, cells): the mean over each cell of exp(-(x - y)^2 / 2 e^2), relative to its maximum of 1."""
    from scipy.special import ndtr

    below = ndtr((edges - x[:, None]) / e[:, None])
    share = np.diff(below, axis=1) * (np.sqrt(2.0 * np.pi) * e[:, None] / np.diff(edges))
    return share.astype(np.float32)
