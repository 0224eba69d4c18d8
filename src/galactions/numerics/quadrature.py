"""Fixed quadrature rules."""

from functools import cache

import numpy as np


@cache
def gauss_legendre(n: int, a: float = -1.0, b: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights, each of shape (n,), of the Gauss-Legendre rule on [a, b]."""
    x, w = np.polynomial.legendre.leggauss(n)
    half = 0.5 * (b - a)
    return a + half * (x + 1.0), half * w


@cache
def turning_point_rule(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rule for integrals over [-1, 1] whose integrand vanishes as a square root at both ends.

    With t = sin(theta) the integrand becomes smooth and periodic, so the midpoint rule in theta converges
    geometrically; the returned weights hold the factor dt/dtheta.
    """
    theta = np.pi * ((np.arange(n) + 0.5) / n - 0.5)
    return np.sin(theta), np.cos(theta) * np.pi / n
