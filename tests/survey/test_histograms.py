"""Heights and errors of velocity histograms: closed form against the paper's resampling, and limits."""

import numpy as np
import pytest
from scipy.special import ndtr

from galactions.survey import make_histogram
from galactions.survey.bins import count_in
from galactions.survey.histograms import binomial_error, exact_fractions, resampled_fractions

EDGES = np.arange(-100.0, 101.0, 10.0)


def sample(n: int = 1500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(5, 40, n), rng.uniform(2, 12, n)


def test_exact_and_resampled_agree() -> None:
    values, errors = sample()
    p = exact_fractions(values, errors, EDGES)
    sigma = binomial_error(p, len(values))
    median, scatter = resampled_fractions(values, errors, EDGES, seed=3, copies=1000, draws=4000)
    # a median of counts is off by up to one star; that of 4000 draws is known to 1.25/sqrt(4000) sigma
    assert np.all(np.abs(median - p) < 0.08 * sigma + 1 / 1500)
    assert np.max(np.abs(scatter / sigma - 1)) < 0.06


def test_resampled_is_the_paper_word_for_word() -> None:
    """Pool of perturbed values, samples drawn star by star from it: the same law as the multinomial short
    cut."""
    values, errors = sample(300)
    rng = np.random.default_rng(1)
    pool = (values + errors * rng.standard_normal((1000, 300))).ravel()
    draws = np.array([count_in(rng.choice(pool, 300), EDGES) for _ in range(1000)]) / 300
    median, scatter = resampled_fractions(values, errors, EDGES, seed=2)
    sigma = binomial_error(exact_fractions(values, errors, EDGES), 300)
    assert np.all(np.abs(np.median(draws, axis=0) - median) < 0.16 * sigma + 1 / 300)
    filled = median > 0.01
    assert np.max(np.abs(draws.std(axis=0)[filled] / scatter[filled] - 1)) < 0.12


def test_resampled_is_fixed_by_its_seed() -> None:
    values, errors = sample(200)
    one, two = (make_histogram(values, errors, EDGES, "resampled", seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.p, two.p)
    np.testing.assert_array_equal(one.sigma, two.sigma)


def test_exact_of_one_star_is_its_error_distribution() -> None:
    h = make_histogram(np.array([3.0]), np.array([20.0]), EDGES)
    np.testing.assert_allclose(h.p, np.diff(ndtr((EDGES - 3.0) / 20.0)), rtol=1e-13)


def test_without_errors_exact_is_counting() -> None:
    values, _ = sample()
    values[:3] = EDGES[[0, 5, -1]]  # on an edge: lower edge in, upper edge out
    exact, counts = (make_histogram(values, np.zeros(1500), EDGES, m) for m in ("exact", "counts"))
    np.testing.assert_allclose(exact.p, counts.p, atol=1e-15)
    np.testing.assert_array_equal(exact.counts, counts.counts)


def test_fractions_are_of_all_stars_not_of_those_within_the_edges() -> None:
    values = np.array([0.0, 1.0, 2.0, 1000.0])
    h = make_histogram(values, np.full(4, 0.01), np.array([-5.0, 5.0]))
    assert h.p[0] == pytest.approx(0.75)
    assert h.counts.tolist() == [3]


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values, errors = sample()
    whole = exact_fractions(values, errors, EDGES)
    monkeypatch.setattr("galactions.survey.histograms.CHUNK", 64)
    np.testing.assert_allclose(exact_fractions(values, errors, EDGES), whole, rtol=1e-12)


def test_error_of_an_empty_bin_is_one_star() -> None:
    np.testing.assert_allclose(binomial_error(np.array([0.0, 0.5, 1.0]), 100), [0.01, 0.05, 0.01])


@pytest.mark.parametrize(("width", "expected"), [(10.0, 0.48), (5.0, 0.26)])
def test_what_the_recipe_costs(width: float, expected: float) -> None:
    """The numbers of the module's docstring: chi2 per bin against the law that the heights follow."""
    rng = np.random.default_rng(4)
    edges = np.arange(-80.0, 81.0, width)
    exact, counts = [], []
    for _ in range(60):
        values = rng.normal(0.0, np.hypot(35.0, 5.0), 2500)
        for method, extra, chi2 in (("exact", 5.0, exact), ("counts", 0.0, counts)):
            h = make_histogram(values, np.full(2500, 5.0), edges, method)
            truth = np.diff(ndtr(edges / np.sqrt(35.0**2 + 5.0**2 + extra**2)))
            chi2.append(np.mean(((h.p - truth) / h.sigma) ** 2))
    assert np.mean(exact) == pytest.approx(expected, abs=0.06)
    assert np.mean(counts) == pytest.approx(1.0, abs=0.1)


def test_geometry() -> None:
    h = make_histogram(np.zeros(2), None, np.array([-1.0, 1.0, 5.0]), "counts")
    assert h.centres.tolist() == [0.0, 3.0]
    assert h.widths.tolist() == [2.0, 4.0]
    assert h.n_bins == 2


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="at least one star"):
        make_histogram(np.array([]), np.array([]), EDGES)
    with pytest.raises(ValueError, match="needs the error"):
        make_histogram(np.zeros(3), None, EDGES)
    with pytest.raises(ValueError, match="'median' is not known"):
        make_histogram(np.zeros(3), np.zeros(3), EDGES, "median")  # type: ignore[arg-type]


def test_weights_count_as_repeated_stars() -> None:
    rng = np.random.default_rng(7)
    values, errors = rng.normal(0, 30, 400), np.full(400, 5.0)
    weights = rng.integers(1, 4, 400).astype(float)
    edges = np.arange(-100.0, 101.0, 20.0)
    repeated = np.repeat(np.arange(400), weights.astype(int))
    for method in ("exact", "counts"):
        ours = make_histogram(values, errors, edges, method, weights=weights)
        theirs = make_histogram(values[repeated], errors[repeated], edges, method)
        np.testing.assert_allclose(ours.p, theirs.p, rtol=1e-9)
        effective = weights.sum() ** 2 / np.sum(weights**2)
        np.testing.assert_allclose(
            ours.sigma, np.maximum(np.sqrt(ours.p * (1 - ours.p) / effective), 1 / effective)
        )
        assert ours.counts.sum() <= 400  # counts are of stars
    drawn = make_histogram(values, errors, edges, "resampled", weights=weights)
    exact = make_histogram(values, errors, edges, "exact", weights=weights)
    assert np.all(np.abs(drawn.p - exact.p) < 0.15 * exact.sigma + 1 / 300)
    np.testing.assert_allclose(drawn.sigma, exact.sigma, rtol=0.12)
    with pytest.raises(ValueError, match="weights of stars must be above 0"):
        make_histogram(values, errors, edges, weights=weights - 1)
