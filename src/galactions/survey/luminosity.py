"""Absolute magnitudes of giants from their spectra, by isochrones, in the manner of Carlin et al. (2015).

The posterior of M_K of a star is the sum over all isochrone points of prior times exp(-chi^2 / 2), where
chi^2 is the distance of the point from (T_eff, log g, [Fe/H]) in units of their errors. The points are
gathered into cells of a lattice once; the likelihood is a product of three factors, one an axis, so that the
sums over cells of all stars are three small matrix products instead of a loop over points.

Carlin et al. take the prior from the stars that were observed on the same LAMOST plate, which contain both
the luminosity function and the selection of targets, and neither from stellar evolution. `estimate_by_plate`
does so: the prior of a cell is the mean, over the stars of the plate, of the probability that a star
(by its errors and without that prior) lies in it.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.isochrones import Isochrones
from galactions.survey.progress import Share, chunks, part_of, untold
from galactions.survey.stars import FloatArray

Prior = Literal["flat", "mass-function"]

LEAST_ON_PLATE = 50
"""Stars that a prior of a plate's own needs; those of plates with fewer share one."""

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
        equally common; "mass-function": each point counts by the stars it stands for. Raises
        CatalogueError for isochrones without points.
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
        share: Share = untold,
    ) -> tuple[FloatArray, FloatArray]:
        """Posterior mean and standard deviation of M_K (each (N,), mag) of stars with measured K and dex and
        their errors, each (N,). `share` is told how much is done.

        NaN for stars with an unknown value or error, and for those off the isochrones.
        """
        stars, known = _known(teff, logg, feh, e_teff, e_logg, e_feh)
        mean, spread = np.full((2, len(stars[0])), np.nan)
        for some in chunks(len(known), CHUNK, share):
            mine = known[some]
            mean[mine], spread[mine] = self._estimate(*(s[mine] for s in stars))
        return mean, spread

    def estimate_by_plate(
        self,
        teff: npt.ArrayLike,
        logg: npt.ArrayLike,
        feh: npt.ArrayLike,
        e_teff: npt.ArrayLike,
        e_logg: npt.ArrayLike,
        e_feh: npt.ArrayLike,
        plate: npt.NDArray[Any],
        share: Share = untold,
    ) -> tuple[FloatArray, FloatArray]:
        """As `estimate`, with the prior that the stars on the same `plate` (N,) give by this lattice's own.

        Stars of plates with fewer than `LEAST_ON_PLATE` known ones share a prior.
        """
        stars, known = _known(teff, logg, feh, e_teff, e_logg, e_feh)
        mean, spread = np.full((2, len(stars[0])), np.nan)
        _, group, size = np.unique(plate[known], return_inverse=True, return_counts=True)
        group = np.where(size[group] < LEAST_ON_PLATE, -1, group)
        order = np.argsort(group, kind="stable")
        done = 0
        for rows in np.split(known[order], np.flatnonzero(np.diff(group[order])) + 1):
            begin, done = done, done + len(rows)
            mine, mine_of = [s[rows] for s in stars], part_of(share, begin / len(known), done / len(known))
            lattice = self._with_prior_of(*mine, share=part_of(mine_of, 0.0, 0.5))
            T, g, z, e_T, e_g, e_z = mine
            rest = part_of(mine_of, 0.5, 1.0)
            mean[rows], spread[rows] = lattice.estimate(T, g, z, e_T, e_g, e_z, rest)
        return mean, spread

    def _with_prior_of(self, *stars: FloatArray, share: Share) -> "MagnitudeLattice":
        """The lattice whose cells have the mean posterior weights of some stars."""
        cells = self.moments[0].reshape(len(self.moments[0]), -1)
        weight = np.zeros(cells.shape)
        for some in chunks(len(stars[0]), CHUNK, share):
            first, rest = self._likelihoods(*(s[some] for s in stars))
            evidence = np.einsum("nk,nk->n", first @ cells, rest)
            on = evidence > NO_POINTS
            weight += (first[on] / evidence[on, None]).T @ rest[on]
        factor = weight.reshape(self.moments[0].shape)
        return MagnitudeLattice(
            self.edges, (self.moments * factor / max(factor.max(), 1e-300)).astype(np.float32)
        )

    def _likelihoods(self, *stars: FloatArray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The likelihood of each star in the cells of T_eff (N, A), and in those of log g and [Fe/H] (N, B
        C).
        """
        along = [
            _cell_likelihood(x, e, edges)
            for x, e, edges in zip(stars[:3], stars[3:], self.edges, strict=True)
        ]
        return along[0], (along[1][:, :, None] * along[2][:, None, :]).reshape(len(stars[0]), -1)

    def _estimate(self, *stars: FloatArray) -> tuple[FloatArray, FloatArray]:
        first, rest = self._likelihoods(*stars)
        sums = [
            np.einsum("nk,nk->n", first @ moment.reshape(len(moment), -1), rest).astype(np.float64)
            for moment in self.moments
        ]
        evidence = sums[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums[1] / evidence
            spread = np.sqrt(np.clip(sums[2] / evidence - mean**2, 0.0, None))
        off = ~(evidence > NO_POINTS)
        mean[off] = spread[off] = np.nan
        return mean, spread


def _known(*columns: npt.ArrayLike) -> tuple[list[FloatArray], npt.NDArray[np.int64]]:
    """Three values and three errors of stars as arrays (N,), and the rows that have all, errors above 0."""
    stars = [np.asarray(a, dtype=np.float64) for a in columns]
    errors = np.all([s > 0 for s in stars[3:]], axis=0)
    return stars, np.flatnonzero(np.all(np.isfinite(stars), axis=0) & errors)


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
