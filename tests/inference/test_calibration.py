"""Simulation-based calibration: samplers give the truth every rank equally often."""

import dataclasses

import numpy as np
import pytest
from gaussians import NAMES, SmoothGaussians, problem, survey_from

from galactions.inference.posterior import METHODS, PosteriorSettings
from galactions.inference.posterior.calibration import Calibration, calibrate, counted

SMOOTH = SmoothGaussians()
BOUNDS = {"sigma_r0_thin": (55.0, 75.0), "sigma_z0_thin": (25.0, 35.0), "R_sigma_thin": (8.0, 20.0)}
START = {"sigma_r0_thin": 64.0, "sigma_z0_thin": 30.0, "R_sigma_thin": 12.5}
MINE = problem(SMOOTH, survey_from(SMOOTH, 300), START, bounds=BOUNDS)
SETTINGS = {
    "laplace": {"draws": 250, "target_ess": 300},
    "delayed": {"draws": 150, "warmup": 10, "chains": 1},
    "nuts": {"draws": 130, "warmup": 40, "chains": 1},
    "ensemble": {"draws": 120, "warmup": 40, "chains": 1},
}
LEAST = 1e-3
"""Smallest p-value of uniform ranks that passes; three parameters are tried for each method."""


def fake(ranks, draws=63):
    return Calibration(("x",), ranks[:, None], np.zeros((len(ranks), 1)), draws, np.ones(len(ranks), bool))


def test_uniform_ranks_pass_and_others_do_not():
    rng = np.random.default_rng(0)
    uniform = rng.integers(0, 64, 400)
    narrow = np.clip(np.round(31.5 + 12 * rng.standard_normal(400)), 0, 63).astype(int)
    low = np.clip(uniform - 8, 0, 63)
    assert fake(uniform).p_values()["x"] > 0.01
    assert fake(narrow).p_values()["x"] < 1e-6
    assert fake(low).p_values()["x"] < 1e-6
    assert fake(uniform).counts().sum() == 400
    assert fake(np.arange(64)).counts()[:, 0].tolist() == [8] * 8


def test_mock_counts_are_multinomial():
    heights = MINE.layout.flatten(SMOOTH.predict(MINE.parameters).p)
    many = [
        dataclasses.replace(MINE, survey=counted(MINE, heights, np.random.default_rng(seed))).layout.data
        for seed in range(200)
    ]
    error = np.sqrt(heights * (1 - heights) / 300 / 200)
    assert np.max(np.abs(np.mean(many, axis=0) - heights) / error) < 5
    assert np.std(many, axis=0) == pytest.approx(np.sqrt(heights * (1 - heights) / 300), rel=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_ranks_of_the_truth_are_uniform(method):
    found = calibrate(MINE, PosteriorSettings(method=method, **SETTINGS[method]), range(160), draws=31)
    assert found.names == NAMES
    for name, p in found.p_values().items():
        assert p > LEAST, (name, found.counts())
