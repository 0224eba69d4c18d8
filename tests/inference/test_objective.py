"""Objectives against formulae written out by hand, scipy's multinomial, and finite differences."""

import jax
import numpy as np
import pytest
from gaussians import NAMES, TRUTH, SmoothGaussians, survey_from
from scipy.stats import chi2 as chi2_law
from scipy.stats import multinomial

from galactions.inference import bin_layout, chi2_table, data_sigma, model_sigma
from galactions.inference.objective import GaussianObjective, MultinomialObjective, Objective

MODEL = SmoothGaussians()
OTHER = {**TRUTH, "sigma_r0_thin": 60.0}
SURVEY = survey_from(MODEL, 500)
LAYOUT = bin_layout(SURVEY)
P = LAYOUT.flatten(MODEL.predict(OTHER).p)
SLOPES = LAYOUT.flatten(MODEL.jacobian(OTHER, NAMES))
FITTED = (0, 1, 2, 3)  # region 05 is a check region
OBJECTIVES = [GaussianObjective(LAYOUT, data_sigma(LAYOUT)), MultinomialObjective(LAYOUT)]
each = pytest.mark.parametrize("objective", OBJECTIVES, ids=["gaussian", "multinomial"])


def test_gaussian_is_half_the_chi2_of_equation_5_summed():
    sigma = data_sigma(LAYOUT)
    objective = GaussianObjective(LAYOUT, sigma)
    assert objective.value(P) == pytest.approx(0.5 * chi2_table(LAYOUT, P, sigma).sum, rel=1e-12)
    assert objective.saturated == objective.value(LAYOUT.data) == 0.0


def test_multinomial_is_the_probability_of_the_counts():
    expected = 0.0
    for block in LAYOUT.blocks:
        if block.region in FITTED:
            heights = P[block.start : block.stop]
            counts = SURVEY.regions[block.region].histograms[block.observable].counts
            cells = [*counts, 500 - counts.sum()]
            expected -= multinomial.logpmf(cells, 500, [*heights, 1.0 - heights.sum()])
    assert MultinomialObjective(LAYOUT).value(P) == pytest.approx(expected, rel=1e-10)


def test_multinomial_deviance_of_the_truth_follows_its_chi2_law():
    truth = MODEL.predict(TRUTH)
    deviances = []
    for seed in range(40):
        layout = bin_layout(survey_from(MODEL, 20000, seed))
        objective = MultinomialObjective(layout)
        deviances.append(2 * (objective.value(layout.flatten(truth.p)) - objective.saturated))
    cells = 4 * 2 * 14  # free cells: 15, whose sum is given, in each of 8 histograms
    assert np.mean(deviances) == pytest.approx(cells, abs=4 * np.sqrt(2 * cells / 40))
    assert chi2_law.cdf(np.mean(deviances) * 40, 40 * cells) < 0.999


@each
def test_nothing_scores_better_than_the_data_themselves(objective):
    assert isinstance(objective, Objective)
    assert objective.value(LAYOUT.data) == pytest.approx(objective.saturated, abs=1e-8)
    assert np.max(np.abs(objective.slope(LAYOUT.data) @ SLOPES)) < 1e-6 * np.max(
        np.abs(objective.slope(P) @ SLOPES)
    )
    assert objective.value(P) > objective.saturated


@each
@pytest.mark.parametrize("at", [P, LAYOUT.data, np.where(np.arange(len(P)) % 9 == 0, 1e-7, P)])
def test_slope_against_finite_differences(objective, at):
    slope = objective.slope(at)
    for n in range(0, len(at), 3):
        step = 1e-6 * max(at[n], 1e-5)
        ends = [objective.value(at + sign * step * (np.arange(len(at)) == n)) for sign in (1, -1)]
        found = (ends[0] - ends[1]) / (2 * step)
        assert slope[n] == pytest.approx(found, rel=1e-5, abs=1e-5 * np.abs(objective.slope(P)).max())


@each
def test_jax_sees_the_same_function(objective):
    value, slope = jax.value_and_grad(objective.value)(jax.numpy.asarray(P))
    assert value == pytest.approx(objective.value(P), rel=1e-12)
    assert np.asarray(slope) == pytest.approx(objective.slope(P), rel=1e-10)


@each
def test_held_out_regions_never_enter(objective):
    held_out = LAYOUT.region == 4
    shifted = np.where(held_out, 0.5 * P, P)
    assert objective.value(shifted) == objective.value(P)
    assert np.all(objective.slope(P)[held_out] == 0)
    assert np.all(objective.curvature(P)[held_out] == 0)


def test_information_is_the_scatter_of_the_slope():
    """Over many surveys from one truth, the covariance of d value/d parameter is the expected curvature."""
    p = LAYOUT.flatten(MODEL.predict(TRUTH).p)
    slopes = LAYOUT.flatten(MODEL.jacobian(TRUTH, NAMES))
    scores = []
    for seed in range(400):
        layout = bin_layout(survey_from(MODEL, 500, seed))
        scores.append(MultinomialObjective(layout).slope(p) @ slopes)
    information = MultinomialObjective(LAYOUT).information(p, slopes)
    size = np.sqrt(np.diag(information))
    assert np.abs(np.mean(scores, axis=0) / size) == pytest.approx(np.zeros(3), abs=4 / np.sqrt(400))
    ratio = np.cov(np.array(scores).T) / np.outer(size, size)
    assert ratio == pytest.approx(information / np.outer(size, size), abs=4 * np.sqrt(2 / 400))
    gaussian = GaussianObjective(bin_layout(SURVEY, uncertainty="model"), model_sigma(LAYOUT, p))
    assert gaussian.information(p, slopes) == pytest.approx(
        slopes.T @ (gaussian.curvature(p)[:, None] * slopes)
    )


def test_a_bin_that_the_prediction_misses_is_bad_but_not_impossible():
    objective = MultinomialObjective(LAYOUT)
    full = int(np.argmax(LAYOUT.data * (LAYOUT.region == 0)))
    missed = np.where(np.arange(len(P)) == full, 0.0, P)
    assert np.isfinite(objective.value(missed))
    assert objective.value(missed) > objective.value(P) + 100
    assert objective.slope(missed)[full] < 0
