"""The multivariate Student t: quasi-random draws in antithetic pairs, and its density."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

EDGE = 1e-9
"""Coordinates of the unit cube are kept this far from its faces, where the normal quantile is infinite."""


@dataclass(frozen=True, eq=False)
class StudentT:
    """Student's t with `dof` degrees of freedom: location (n,), and factor (n, n) lower triangular, whose
    product with its transpose is the scale matrix."""

    location: Vector
    factor: Vector
    dof: float

    def draw(self, pairs: int, seed: int | list[int]) -> Vector:
        """2 `pairs` points (2 pairs, n): scrambled Sobol' points (Owen 1998) and their mirror images about
        the location. For integrands that are smooth the error falls faster than 1/sqrt(pairs)."""
        from scipy.special import gammaincinv, ndtri
        from scipy.stats.qmc import Sobol

        n = len(self.location)
        cube = Sobol(n + 1, rng=np.random.default_rng(seed)).random_base2(int(np.ceil(np.log2(max(pairs, 1)))))
        cube = np.clip(cube[:pairs], EDGE, 1.0 - EDGE)
        spread = 2.0 * gammaincinv(0.5 * self.dof, cube[:, n]) / self.dof
        offset = ndtri(cube[:, :n]) / np.sqrt(spread)[:, None] @ self.factor.T
        return np.stack([self.location + offset, self.location - offset], axis=1).reshape(2 * pairs, n)

    def log_density(self, points: Vector) -> Vector:
        """ln density (k,) at points (k, n), normalised."""
        from scipy.linalg import solve_triangular
        from scipy.special import gammaln

        n, dof = len(self.location), self.dof
        z = solve_triangular(self.factor, (points - self.location).T, lower=True)
        norm = gammaln(0.5 * (dof + n)) - gammaln(0.5 * dof) - 0.5 * n * np.log(dof * np.pi)
        norm -= np.sum(np.log(np.diag(self.factor)))
        return np.asarray(norm - 0.5 * (dof + n) * np.log1p(np.sum(z**2, axis=0) / dof))
