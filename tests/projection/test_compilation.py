"""A trial with other parameters runs the programs that the first one compiled."""

import logging

import jax
import numpy as np
import pytest

import galactions as ga
from galactions.inference.model_predictor import ModelPredictor
from galactions.projection import SurveyNodes


@pytest.mark.parametrize("iterations", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_second_trial_compiles_nothing(galaxy, boxes, edges, caplog, iterations):
    nodes = SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, 128, reference=1024)
    predictor = ModelPredictor(ga.named_model("Mc17a"), nodes, iterations, final_iterations=1)
    start = predictor.predict({"sigma_r0_thin": 60.0})
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):
        other = predictor.predict({"sigma_r0_thin": 61.0, "d_sun": 8.2, "R_d_thin": 2.4, "r0_halo": 19.0})
        assert not [record.getMessage() for record in caplog.records if "ompil" in record.getMessage()]
        jax.jit(lambda x: x + 1)(np.ones(7))
        assert any("ompil" in record.getMessage() for record in caplog.records)
    assert np.abs(other.p["v_los"][0] - start.p["v_los"][0]).max() > 1e-4
