"""The rules by which bins come about."""

from itertools import pairwise

import numpy as np
import pytest

from galactions.survey import BinRule, make_edges
from galactions.survey.bins import count_in, merge_thin

RNG = np.random.default_rng(0)
VALUES = RNG.normal(10, 35, 2500)


def test_counting_is_lower_inclusive() -> None:
    assert count_in(np.array([0.0, 0.5, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0])).tolist() == [2, 1]


def test_given_edges_are_kept_without_merging() -> None:
    rule = BinRule(edges=(-500.0, -400.0, 0.0, 7.0), min_count=0)
    assert make_edges(VALUES, rule).tolist() == [-500, -400, 0, 7]


def test_range_and_width() -> None:
    edges = make_edges(VALUES, BinRule(range=(-100.0, 100.0), width=10.0, min_count=0))
    np.testing.assert_allclose(edges, np.arange(-100, 101, 10))
    uneven = make_edges(VALUES, BinRule(range=(0.0, 2.5), width=1.0, min_count=0))
    assert uneven.tolist() == [0, 1, 2, 2.5]


@pytest.mark.parametrize("n", [200, 2500, 50_000])
@pytest.mark.parametrize("scale", [0.02, 1.0, 35.0])
def test_automatic_bins(n: int, scale: float) -> None:
    values = RNG.normal(3 * scale, scale, n)
    edges = make_edges(values, BinRule(min_count=0))
    width = np.diff(edges)
    np.testing.assert_allclose(width, width[0], rtol=1e-9)
    leading = width[0] / 10 ** np.floor(np.log10(width[0]) + 1e-9)
    assert np.min(np.abs(leading - np.array([1, 2, 2.5, 5]))) < 1e-6
    np.testing.assert_allclose(edges / width[0], np.round(edges / width[0]), atol=1e-6)
    assert 0.9 < width[0] / (1.349 * scale * n ** (-1 / 3)) < 2.3
    assert count_in(values, edges).sum() > 0.998 * n


def test_automatic_bins_are_no_finer_than_the_error() -> None:
    assert np.diff(make_edges(VALUES, BinRule(min_count=0), error=30.0))[0] == 50.0


def test_automatic_bins_of_equal_values() -> None:
    edges = make_edges(np.full(300, 12.0), BinRule())
    assert count_in(np.full(300, 12.0), edges).sum() == 300


def test_merging_leaves_no_thin_bin_and_the_same_ends() -> None:
    edges = make_edges(VALUES, BinRule(min_count=0))
    for least in (1, 5, 20, 100, 1000):
        merged = merge_thin(edges, count_in(VALUES, edges), least)
        assert set(merged) <= set(edges)
        assert (merged[0], merged[-1]) == (edges[0], edges[-1])
        assert count_in(VALUES, merged).min() >= least
    few = merge_thin(edges, count_in(VALUES, edges), 10_000)
    assert few.tolist() == [edges[0], edges[-1]]


def test_merging_keeps_bins_that_are_full() -> None:
    edges, counts = np.arange(8.0), np.array([1, 2, 30, 40, 30, 3, 0])
    assert merge_thin(edges, counts, 20).tolist() == [0, 3, 4, 7]
    assert merge_thin(edges, counts, 3).tolist() == [0, 2, 3, 4, 5, 7]


@pytest.mark.parametrize("counts", [[50, 1, 1], [1, 1, 50], [0, 0, 0], [5], [30, 1, 30], [1, 50, 1]])
def test_merging_at_the_ends(counts: list[int]) -> None:
    edges = np.arange(len(counts) + 1.0)
    merged = merge_thin(edges, np.array(counts), 20)
    assert (merged[0], merged[-1]) == (edges[0], edges[-1])
    totals = [sum(counts[int(a) : int(b)]) for a, b in pairwise(merged)]
    assert min(totals) >= 20 or len(totals) == 1
