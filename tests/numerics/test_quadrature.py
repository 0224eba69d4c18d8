"""Quadrature rules against integrals known in closed form."""

import numpy as np
import pytest

from galactions.numerics.quadrature import gauss_legendre, turning_point_rule


def test_gauss_legendre_integrates_polynomials_of_degree_2n_minus_1():
    x, w = gauss_legendre(5, 0.0, 2.0)
    assert np.sum(w * x**9) == pytest.approx(2.0**10 / 10, rel=1e-13)


def test_square_root_ends_cost_nothing():
    t, w = turning_point_rule(12)
    assert np.sum(w * np.sqrt(1 - t**2)) == pytest.approx(np.pi / 2, rel=1e-14)
    assert np.sum(w * np.sqrt(1 - t**2) * t**4) == pytest.approx(np.pi / 16, rel=1e-13)
    exact = np.pi * (1.3 - np.sqrt(1.3**2 - 1))
    assert np.sum(w * np.sqrt(1 - t**2) / (1.3 + t)) == pytest.approx(exact, rel=1e-7)
