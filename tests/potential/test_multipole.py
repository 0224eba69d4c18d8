"""Multipoles sampled in bands of radii."""

from dataclasses import replace

import numpy as np
import pytest

from galactions.potential.multipole import MultipoleGrid, SamplePoints

GRID = MultipoleGrid(n_r=120, n_theta=64, l_max=80, l_whole=40)


def sampled(grid, R, z):
    """The potential of a thin disc, 0.3 kpc high, within 45 kpc."""
    R_, z_ = grid.Rz
    density = 1e9 * np.exp(-R_ / 2.5 - z_ / 0.3) * (R_ < 45.0)
    return np.asarray(grid.solve(density, grid.operators).sample(SamplePoints.at(grid, R, z)))


def test_bands_hold_each_cell_once_and_orders_fade():
    cells = [cell for band in GRID.bands for cell in range(band.first, band.last + 1)]
    assert cells == list(range(GRID.n_r - 1))
    counts = [band.n_orders for band in GRID.bands]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len(GRID.orders) > 2 * counts[-1] > 0


def test_faded_orders_are_not_missed():
    r = np.geomspace(0.05, 2e3, 300)
    cos = np.random.default_rng(1).random(300)
    R, z = r * np.sqrt(1 - cos**2), r * cos
    everything = sampled(replace(GRID, r_flat=1e9), R, z)
    np.testing.assert_allclose(sampled(GRID, R, z), everything, rtol=1e-7)


def test_points_come_back_in_their_order_and_far_away_they_see_a_mass():
    R, z = np.array([900.0, 0.0, 5.0, 300.0]), np.array([0.0, 0.0, 0.1, 400.0])
    found = sampled(GRID, R, z)
    assert found[1] < found[2] < found[3] < found[0] < 0
    assert found[0] / found[3] == pytest.approx(500.0 / 900.0, rel=1e-2)
