"""Errors of measurement on stars handed in."""

import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm

from galactions.errors import CatalogueError, ConfigError
from galactions.survey import ErrorModel, Region, Stars, observe, thin_to_counts

from .conftest import disc_stars


def test_error_laws() -> None:
    n = 20_000
    true = disc_stars(n)
    seen = observe(true, ErrorModel(), seed=3)
    for name, sigma in (("v_los", 5.0), ("pm_ra", 0.05), ("pm_dec", 0.05)):
        offset = (getattr(seen, name) - getattr(true, name)) / sigma
        assert kstest(offset, norm.cdf).pvalue > 0.01, name
        assert np.all(getattr(seen, f"e_{name}") == sigma)
    assert kstest((seen.distance / true.distance - 1) / 0.15, norm.cdf).pvalue > 0.01
    np.testing.assert_allclose(seen.e_distance, 0.15 * seen.distance)
    np.testing.assert_array_equal(seen.l, true.l)


def test_distances_stay_positive_by_truncation() -> None:
    n = 20_000
    true = disc_stars(n)
    seen = observe(true, ErrorModel(distance_fraction=0.8), seed=1)
    eps = (seen.distance / true.distance - 1) / 0.8
    assert seen.distance.min() > 0
    assert kstest(eps, truncnorm(-1 / 0.8, np.inf).cdf).pvalue > 0.01


def test_seed_fixes_the_result() -> None:
    one, two, other = (observe(disc_stars(10), ErrorModel(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.v_los, two.v_los)
    assert not np.any(one.v_los == other.v_los)


def test_without_errors_or_proper_motions() -> None:
    true = disc_stars(100)
    seen = observe(true, ErrorModel(0.0, 0.0, 0.0), seed=0)
    for name, column in true.columns():
        np.testing.assert_array_equal(getattr(seen, name), column)
    four_d = observe(Stars(true.l, true.b, true.distance, true.v_los), ErrorModel(), seed=0)
    assert four_d.observables == ("v_los",)


def test_impossible_errors_and_stars() -> None:
    for bad in ({"v_los": -1.0}, {"pm": float("nan")}, {"distance_fraction": 1.0}):
        with pytest.raises(ConfigError, match=f"error {next(iter(bad))} is"):
            ErrorModel(**bad)
    with pytest.raises(CatalogueError, match="above 0"):
        observe(Stars(*np.zeros((4, 2))), ErrorModel(), seed=0)


def test_exact_counts_in_regions() -> None:
    stars = disc_stars(5000)
    regions = (Region("a", (160, 180), (-20, 0), (0, 3)), Region("b", (180, 200), (0, 20), (1, 4)))
    thin = thin_to_counts(stars, regions, (100, 7), seed=0)
    assert [int(r.contains(thin.l, thin.b, thin.distance).sum()) for r in regions] == [100, 7]
    assert len(thin) == 107
    with pytest.raises(CatalogueError, match="'b': 99999 stars are wanted"):
        thin_to_counts(stars, regions, (1, 99_999), seed=0)
    with pytest.raises(ConfigError, match="shares stars"):
        thin_to_counts(stars, (regions[0], Region("c", (160, 180), (-20, 0), (0, 1))), (1, 1), seed=0)
    with pytest.raises(ConfigError, match="2 regions but 1 counts"):
        thin_to_counts(stars, regions, (1,), seed=0)
