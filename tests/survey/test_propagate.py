"""Errors of positions and velocities: against first-order propagation, and with Gaia's covariances."""

from dataclasses import replace

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import PAPER_SUN, Stars, phase_space_errors
from galactions.survey.correlated import correlate, correlated_normals
from galactions.survey.propagate import sample_observables

from .conftest import disc_stars


def with_errors(n: int, fraction: float = 0.02) -> Stars:
    stars = disc_stars(n)
    ones = np.ones(n)
    return replace(
        stars,
        e_distance=fraction * stars.distance,
        e_v_los=5 * ones,
        e_pm_ra=0.05 * ones,
        e_pm_dec=0.08 * ones,
        pm_corr=0.6 * ones,
    )


def by_first_order(stars: Stars) -> np.ndarray:
    """Covariances (N, 6, 6) from numerical derivatives."""
    names = ("distance", "v_los", "pm_ra", "pm_dec")
    columns = []
    for name in names:
        step = 1e-4
        up = replace(stars, **{name: getattr(stars, name) + step}).phase_space(PAPER_SUN)
        down = replace(stars, **{name: getattr(stars, name) - step}).phase_space(PAPER_SUN)
        columns.append((up - down) / (2 * step) * getattr(stars, f"e_{name}")[:, None])
    jacobian = np.stack(columns, axis=2)
    correlation = np.eye(4)
    correlation[2, 3] = correlation[3, 2] = 0.6
    return np.einsum("nik,kl,njl->nij", jacobian, correlation, jacobian)


def test_small_errors_propagate_linearly() -> None:
    stars = with_errors(20)
    ours = phase_space_errors(stars, n_samples=20_000, seed=1)
    expected = by_first_order(stars)
    sigma = np.sqrt(np.diagonal(expected, axis1=1, axis2=2))
    np.testing.assert_allclose(ours.sigma, sigma, rtol=0.04)
    scaled = (ours.covariance - expected) / (sigma[:, :, None] * sigma[:, None, :])
    assert np.abs(scaled).max() < 0.05
    exact = stars.phase_space(PAPER_SUN)
    assert np.all(np.abs(ours.median - exact) < 0.05 * sigma)


def test_correlations_of_gaia_matter() -> None:
    stars = with_errors(5)
    with_them = phase_space_errors(stars, n_samples=5000)
    without = phase_space_errors(replace(stars, pm_corr=np.zeros(5)), n_samples=5000)
    assert np.abs(with_them.sigma / without.sigma - 1)[:, 3:].max() > 0.1


def test_chunks_and_seeds() -> None:
    stars = with_errors(3000)
    one = phase_space_errors(stars, n_samples=128, seed=2)
    two = phase_space_errors(stars, n_samples=128, seed=2)
    np.testing.assert_array_equal(one.covariance, two.covariance)
    assert one.mean.shape == (3000, 6)
    assert np.isfinite(one.covariance).all()


def test_distances_from_parallaxes_are_skewed_to_large_ones() -> None:
    n = 400
    stars = disc_stars(n)
    parallax = 1 / stars.distance
    d, *_ = sample_observables(
        stars, 4000, np.random.default_rng(0), parallax, 0.1 * parallax, np.full((2, n), 0.4)
    )
    mean = d.mean(axis=0) / stars.distance
    assert np.mean(mean) == pytest.approx(1 + 0.1**2, abs=0.003)  # <1/p> = (1/p)(1 + sigma^2/p^2 + ...)
    assert np.median(d / stars.distance) == pytest.approx(1.0, abs=0.002)


def test_drawn_correlations_are_the_asked_ones() -> None:
    r = np.array([[0.5], [-0.3], [0.4]])
    noise = correlated_normals(np.repeat(r, 200_000, axis=1), np.random.default_rng(0))
    np.testing.assert_allclose(np.corrcoef(noise)[np.triu_indices(3, 1)], r[:, 0], atol=0.01)
    np.testing.assert_allclose(noise.std(axis=1), 1.0, atol=0.01)


@pytest.mark.parametrize("r", [(0.9, 0.9, -0.9), (1.5, 0.0, 0.0), (np.nan, 0.0, 0.0)])
def test_impossible_correlations(r: tuple[float, ...]) -> None:
    with pytest.raises(CatalogueError, match="1 stars have correlations that are not possible"):
        correlate(np.zeros((3, 1)), np.array(r)[:, None])


def test_what_is_missing() -> None:
    stars = disc_stars(3)
    exact = phase_space_errors(stars, n_samples=2)
    np.testing.assert_allclose(exact.sigma, 0.0, atol=1e-9)
    with pytest.raises(CatalogueError, match="no proper motions"):
        phase_space_errors(Stars(stars.l, stars.b, stars.distance, stars.v_los))
    with pytest.raises(CatalogueError, match="at least 2 samples"):
        phase_space_errors(stars, n_samples=1)
