"""chi2 of eq. (5) against sums written out by hand, and who takes part in it."""

import dataclasses

import numpy as np
import pytest
from gaussians import OBSERVABLES, TRUTH, SmoothGaussians, survey_from

from galactions.errors import ConfigError
from galactions.inference import bin_layout, chi2_table, data_sigma, model_sigma, region_chi2, residuals
from galactions.inference.chi2 import Chi2Table

MODEL = SmoothGaussians()
OTHER = {**TRUTH, "sigma_r0_thin": 60.0}


def by_hand(survey, prediction, k):
    """Reduced chi2 of region k over all of its bins."""
    total, bins = 0.0, 0
    for name in OBSERVABLES:
        histogram = survey.regions[k].histograms[name]
        for data, model, sigma in zip(histogram.p, prediction.p[name][k], histogram.sigma, strict=True):
            total += (data - model) ** 2 / sigma**2
            bins += 1
    return total / bins


def test_bins_end_to_end_and_back_to_histograms():
    survey = survey_from(MODEL)
    layout = bin_layout(survey)
    p = layout.flatten(MODEL.predict(OTHER).p)
    np.testing.assert_array_equal(layout.flatten(layout.unflatten(p)), p)


def test_table_is_equation_5_written_out():
    survey = survey_from(MODEL)
    layout = bin_layout(survey)
    prediction = MODEL.predict(OTHER)
    p = layout.flatten(prediction.p)
    table = chi2_table(layout, p, data_sigma(layout))
    expected = [by_hand(survey, prediction, k) for k in range(5)]
    assert [row.reduced for row in table.rows] == pytest.approx(expected, rel=1e-12)
    assert table.total == pytest.approx(np.mean(expected[:4]), rel=1e-12)  # region 05 is a check region
    assert table.groups == pytest.approx(
        {"in": np.mean(expected[:2]), "mid": expected[2], "out": expected[3], "check": expected[4]}
    )
    assert table.sum == pytest.approx(28 * sum(expected[:4]))
    assert table.n_bins == 4 * 28
    assert table.per_dof(12) == pytest.approx(table.sum / 100)
    assert [row.fitted for row in table.rows] == [True] * 4 + [False]


def test_residuals_square_to_the_same_number_as_the_trial_sum():
    layout = bin_layout(survey_from(MODEL))
    p = layout.flatten(MODEL.predict(OTHER).p)
    for sigma in (data_sigma(layout), model_sigma(layout, p)):
        total, by_region = region_chi2(layout, p, sigma)
        table = chi2_table(layout, p, sigma)
        assert np.sum(residuals(layout, p, sigma) ** 2) == pytest.approx(total, rel=1e-12)
        assert total == pytest.approx(table.total, rel=1e-12)
        assert by_region == pytest.approx({row.region: row.reduced for row in table.rows})


def test_expected_chi2_per_bin_is_one():
    layout = bin_layout(survey_from(MODEL), uncertainty="model")
    truth = layout.flatten(MODEL.predict(TRUTH).p)
    values = []
    for seed in range(200):
        there = bin_layout(survey_from(MODEL, 400, seed), uncertainty="model")
        values.append(region_chi2(there, truth, model_sigma(there, truth))[0])
    assert np.mean(values) == pytest.approx(1.0, abs=3 * np.std(values) / np.sqrt(200))


def test_unused_regions_are_reported_with_their_reason_and_never_read():
    survey = survey_from(MODEL)
    empty = dataclasses.replace(
        survey.regions[1], used=False, reason="12 stars, fewer than 200", histograms={}
    )
    survey = dataclasses.replace(survey, regions=(survey.regions[0], empty, *survey.regions[2:]))
    layout = bin_layout(survey)
    p = layout.flatten(MODEL.predict(TRUTH).p)
    row = chi2_table(layout, p, data_sigma(layout)).rows[1]
    assert (row.used, row.fitted, row.total_bins, row.reason) == (False, False, 0, "12 stars, fewer than 200")
    assert np.isnan(row.reduced)
    assert len(p) == 4 * 28


@pytest.mark.parametrize("held_out", [("03", "check"), ("mid", "check")])
def test_regions_are_held_out_by_name_or_group(held_out):
    layout = bin_layout(survey_from(MODEL), held_out=held_out)
    assert layout.fitted_regions == {0, 1, 3}
    assert layout.weight.sum() == pytest.approx(1.0)


def test_no_region_left_to_fit_says_why():
    survey = survey_from(MODEL)
    unused = tuple(dataclasses.replace(item, used=False, reason="no stars") for item in survey.regions[:4])
    with pytest.raises(ConfigError, match=r"no region is left to fit: 01: no stars;.*05: held out"):
        bin_layout(dataclasses.replace(survey, regions=(*unused, survey.regions[4])))
    with pytest.raises(ConfigError, match="the survey has no regions"):
        bin_layout(dataclasses.replace(survey, regions=()))


def test_empty_bins_count_only_with_errors_of_the_model():
    survey = survey_from(MODEL)
    first = survey.regions[0].histograms["v_los"]
    p, sigma = first.p.copy(), first.sigma.copy()
    p[0], sigma[0] = 0.0, 0.0
    emptied = dataclasses.replace(first, p=p, sigma=sigma)
    region = dataclasses.replace(
        survey.regions[0], histograms={**survey.regions[0].histograms, "v_los": emptied}
    )
    survey = dataclasses.replace(survey, regions=(region, *survey.regions[1:]))
    by_data, by_model = bin_layout(survey), bin_layout(survey, uncertainty="model")
    assert not by_data.included[0]
    assert by_data.included[1:].all()
    assert by_model.included.all()
    heights = by_data.flatten(MODEL.predict(TRUTH).p)
    for layout in (by_data, by_model):
        assert np.isfinite(chi2_table(layout, heights, data_sigma(layout)).total)
        assert np.isfinite(chi2_table(layout, heights, model_sigma(layout, np.zeros_like(heights))).total)


def test_a_prediction_of_another_shape_is_named():
    layout = bin_layout(survey_from(MODEL))
    with pytest.raises(ValueError, match="v_los in region 01 has shape"):
        layout.flatten(SmoothGaussians(n_bins=3).predict(TRUTH).p)
    with pytest.raises(ValueError, match="lacks v_los of region 04"):
        layout.flatten(SmoothGaussians(n_regions=3).predict(TRUTH).p)


def test_table_comes_back_from_its_file(tmp_path):
    survey = survey_from(MODEL)
    empty = dataclasses.replace(survey.regions[1], used=False, reason='few stars, "by rule"', histograms={})
    layout = bin_layout(dataclasses.replace(survey, regions=(survey.regions[0], empty, *survey.regions[2:])))
    table = chi2_table(layout, layout.flatten(MODEL.predict(OTHER).p), data_sigma(layout))
    table.write_csv(tmp_path / "chi2.csv")
    again = Chi2Table.read_csv(tmp_path / "chi2.csv")
    assert again.rows[0] == table.rows[0]
    assert again.rows[1].reason == table.rows[1].reason
    assert again.total == table.total
    assert list(tmp_path.iterdir()) == [tmp_path / "chi2.csv"]
