"""The normal approximation of a target at its mode, and the coordinates in which it is a unit normal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ModelError
from galactions.inference.posterior.optimum import Mode

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Laplace:
    """The normal density with the mode's place and inverse curvature (Tierney & Kadane 1986, JASA 81, 82).

    mean (n,), covariance (n, n), factor (n, n): lower triangular, with factor factor' = covariance.
    log_density: of the target at the mode.
    """

    mean: Vector
    covariance: Matrix
    factor: Matrix
    log_density: float

    @property
    def log_evidence(self) -> float:
        """ln of the target's integral, exact for a normal target: ln pi(mode) + ln sqrt((2 pi)^n det C)."""
        n = len(self.mean)
        return float(self.log_density + 0.5 * n * np.log(2.0 * np.pi) + np.sum(np.log(np.diag(self.factor))))

    def u(self, z: Vector) -> Vector:
        """Coordinates u (..., n) of whitened ones z (..., n)."""
        return self.mean + z @ self.factor.T

    def z(self, u: Vector) -> Vector:
        """The inverse of `u`."""
        from scipy.linalg import solve_triangular

        return solve_triangular(self.factor, (u - self.mean).T, lower=True).T


def laplace(mode: Mode, names: tuple[str, ...]) -> Laplace:
    """The normal approximation at a mode. Raises ModelError where a direction is not constrained at all."""
    size = np.sqrt(np.diag(mode.curvature))
    if np.any(size <= 0) or not np.all(np.isfinite(size)):
        raise ModelError(
            "the posterior is flat, to the data and the prior, along "
            f"{', '.join(name for name, s in zip(names, size, strict=True) if not s > 0)}: "
            "take it out of fit.free, or give it bounds or a prior"
        )
    values, vectors = np.linalg.eigh(mode.curvature / np.outer(size, size))
    # Directions that the data leave free (rounding makes them negative) are given the widest spread that
    # floating point can resolve; the prior's volume bounds them in the sampling itself.
    values = np.maximum(values, 1e-12)
    covariance = (vectors / values) @ vectors.T / np.outer(size, size)
    covariance = 0.5 * (covariance + covariance.T)
    return Laplace(mode.u, covariance, np.linalg.cholesky(covariance), mode.log_density)
