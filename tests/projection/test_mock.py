"""Mock surveys."""

import numpy as np
import pytest

import galactions as ga
from galactions.errors import ConfigError
from galactions.projection import RegionErrors, SurveyNodes, mock
from galactions.survey import ErrorModel, bin_regions
from galactions.survey.config import Bins
from galactions.survey.stars import Stars

ERRORS = ErrorModel(v_los=10.0, pm=0.3, distance_fraction=0.2)
COUNT = 3000


def reduced_chi2(stars: Stars, galaxy: ga.Galaxy, boxes, observables) -> float:
    """Of the stars' histograms against the prediction of the model seen through their errors."""
    binned = bin_regions(stars, boxes, tuple(observables), Bins(), "counts")
    assert [item.n_stars for item in binned] == [COUNT] * len(boxes)
    edges = [{name: h.edges for name, h in item.histograms.items()} for item in binned]
    errors = [RegionErrors(10.0, 0.3, 0.3, 0.2)] * len(boxes)
    found = SurveyNodes.for_regions(galaxy, boxes, edges, errors=errors, reference=32768).predict(galaxy)
    terms = []
    for name in observables:
        for k, item in enumerate(binned):
            p = found.p[name][k]
            variance = p / COUNT + found.error[name][k] ** 2
            terms.append((item.histograms[name].p - p) ** 2 / variance)
    return float(np.mean(np.concatenate(terms)))


def test_a_mock_survey_follows_the_prediction_seen_through_its_errors(galaxy, boxes, edges):
    stars = ga.mock_survey(galaxy, boxes, counts=COUNT, errors=ERRORS, seed=3)
    assert 0.7 < reduced_chi2(stars, galaxy, boxes, edges) < 1.3


def test_the_seed_fixes_a_mock_survey(galaxy, boxes):
    one, same, other = (ga.mock_survey(galaxy, boxes, 50, ERRORS, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.v_los, same.v_los)
    assert not np.array_equal(one.v_los, other.v_los)


def test_no_bound_on_the_mass_is_needed(galaxy, boxes, edges, monkeypatch):
    """With a unit far below the largest mass, where rejection with that bound would be wrong."""
    exact = mock.repeats
    monkeypatch.setattr(mock, "repeats", lambda mass, unit, rng: exact(mass, 0.3 * unit, rng))
    stars = ga.mock_survey(galaxy, boxes, counts=COUNT, errors=ERRORS, seed=5)
    assert 0.7 < reduced_chi2(stars, galaxy, boxes, edges) < 1.3


def test_repeats_are_in_proportion_to_the_mass():
    rng = np.random.default_rng(0)
    mass = np.array([0.0, 0.2, 1.0, 1.7, 12.3])
    found = np.mean([mock.repeats(mass, 1.0, rng) for _ in range(20_000)], axis=0)
    np.testing.assert_allclose(found, mass, atol=0.015)


def test_bad_counts(galaxy, boxes):
    with pytest.raises(ConfigError, match="have no count: wide"):
        ga.mock_survey(galaxy, boxes)
    with pytest.raises(ConfigError, match="one for each of 3"):
        ga.mock_survey(galaxy, boxes, counts=[1, 2])
