"""Choosing a few of many points, and their calibration."""

import numpy as np
import pytest

from galactions.projection.thinning import LEAST_IN_CELL, calibration, choose

N, FEW, CELLS = 20_000, 500, 30


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray, np.ndarray]:
    """Masses (N,) and cells (N,): a normal distribution drawn from one twice as wide."""
    x = 2.0 * np.random.default_rng(3).standard_normal(N)
    mass = 2.0 * np.exp(-0.5 * x**2 * (1 - 0.25))
    return mass, np.clip(((x + 6.0) / 12.0 * CELLS).astype(int), 0, CELLS - 1)


def test_the_few_have_the_sums_of_the_many_on_average(points):
    mass, cell = points
    found = []
    for seed in range(200):
        index, inverse = choose(mass, [cell], [CELLS], FEW, np.random.default_rng(seed))
        found.append(np.bincount(cell[index], mass[index] * inverse, CELLS))
    error = np.std(found, axis=0) / np.sqrt(len(found))
    wanted = np.bincount(cell, mass, CELLS)
    assert np.all(np.abs(np.mean(found, axis=0) - wanted) < 4.5 * error + 1e-9 * wanted.max())


def test_thinly_filled_cells_get_nodes_too(points):
    mass, cell = points
    index, _ = choose(mass, [cell], [CELLS], FEW, np.random.default_rng(0))
    share = np.bincount(cell, mass, CELLS) / mass.sum()
    rare = (share * FEW < 0.3 * LEAST_IN_CELL) & (np.bincount(cell, minlength=CELLS) > 100)
    assert rare.sum() >= 5
    assert np.bincount(cell[index], minlength=CELLS)[rare].min() >= 0.25 * LEAST_IN_CELL


def test_calibrated_sums_are_those_wanted(points):
    mass, cell = points
    index, inverse = choose(mass, [cell], [CELLS], FEW, np.random.default_rng(0))
    few, wanted = mass[index] * inverse, np.bincount(cell, mass, CELLS)
    factor = calibration(few, cell[index], wanted)
    np.testing.assert_allclose(np.bincount(cell[index], few * factor, CELLS), wanted, rtol=1e-12)
    assert np.abs(factor - 1).max() > 1e-3


def test_cells_with_next_to_nothing_in_them_are_not_trusted():
    mass, cell = np.array([1.0, 1.0, 1e-9, 0.0]), np.array([0, 0, 1, 2])
    factor = calibration(mass, cell, np.array([2.2, 1.0, 1.0, 1.0]))
    np.testing.assert_allclose(factor, [1.1, 1.1, 4.0, 1.0])
