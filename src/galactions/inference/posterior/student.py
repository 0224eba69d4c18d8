"""The multivariate Student t: quasi-random draws, and its density."""

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

    def draw(self, count: int, seed: int | list[int]) -> Vector:
        """`count` points (count, n), scrambled Sobol' points (Owen 1998): for integrands that are smooth the
        error falls faster than 1/sqrt(count)."""
        from scipy.special import gammaincinv, ndtri
        from scipy.stats.qmc import Sobol

        n = len(self.location)
        power = int(np.ceil(np.log2(max(count, 1))))
        cube = Sobol(n + 1, rng=np.random.default_rng(seed)).random_base2(power)[:count]
        cube = np.clip(cube, EDGE, 1.0 - EDGE)
        spread = 2.0 * gammaincinv(0.5 * self.dof, cube[:, n]) / self.dof
        return np.asarray(self.location + ndtri(cube[:, :n]) / np.sqrt(spread)[:, None] @ self.factor.T)

    def log_density(self, points: Vector) -> Vector:
        """ln density (k,) at points (k, n), normalised."""
        from scipy.linalg import solve_triangular
        from scipy.special import gammaln

        n, dof = len(self.location), self.dof
        z = solve_triangular(self.factor, (points - self.location).T, lower=True)
        norm = gammaln(0.5 * (dof + n)) - gammaln(0.5 * dof) - 0.5 * n * np.log(dof * np.pi)
        norm -= np.sum(np.log(np.diag(self.factor)))
        return np.asarray(norm - 0.5 * (dof + n) * np.log1p(np.sum(z**2, axis=0) / dof))
