"""The distribution of observed distances inside regions."""

from pathlib import Path

import numpy as np

from galactions.survey import BinnedSurvey, Region, bin_regions, observed_distances

from .conftest import disc_stars

BOX = Region("box", (170, 190), (-20, 20), (1, 4))


def test_shares_add_up_and_follow_the_stars() -> None:
    rng = np.random.default_rng(0)
    distance = 1 + 3 * rng.beta(2, 5, 20_000)
    found = observed_distances(distance, BOX)
    assert (found.edges[0], found.edges[-1], len(found.share)) == (1.0, 4.0, 40)
    assert np.isclose(found.share.sum(), 1.0)
    from scipy.stats import beta

    centre = 0.5 * (found.edges[1:] + found.edges[:-1])
    expected = beta.pdf((centre - 1) / 3, 2, 5) / 3
    assert np.abs(found.density(centre) - expected).max() < 0.08
    assert np.all(found.density([0.99, 4.0, 9.0]) == 0)


def test_few_stars_make_few_bins_and_weights_count() -> None:
    distance = np.array([1.5] * 60 + [3.5] * 60)
    found = observed_distances(distance, BOX)
    np.testing.assert_allclose(found.share, [0.5, 0.5])
    weighted = observed_distances(distance, BOX, np.array([3.0] * 60 + [1.0] * 60))
    np.testing.assert_allclose(weighted.share, [0.75, 0.25])
    assert len(observed_distances(distance[:3], BOX).share) == 1


def test_regions_carry_and_keep_them(tmp_path: Path) -> None:
    stars = disc_stars(4000)
    empty = Region("nobody", (0, 10), (80, 90), (0, 1))
    binned = bin_regions(stars, (BOX, empty), stars.observables, method="counts")
    saved = BinnedSurvey(binned, stars.observables).save(tmp_path / "x.npz")
    again = BinnedSurvey.load(saved).regions
    assert again[1].distances is None
    ours, kept = binned[0].distances, again[0].distances
    assert ours is not None
    assert kept is not None
    np.testing.assert_array_equal(kept.edges, ours.edges)
    np.testing.assert_array_equal(kept.share, ours.share)
    assert set(again[0].histograms) == set(binned[0].histograms)
