"""Figures 1 to 3 of a sample: numbers taken back out of their axes."""

from dataclasses import replace

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.report.distance_ratio import distance_ratio_figure
from galactions.report.plan import SkyRegion
from galactions.report.sample_maps import CELLS, sample_maps, smoothed_density
from galactions.report.sky import sky_map
from galactions.survey import PAPER_SUN, DistanceRatio, Region, Stars


def stars(n: int = 5000) -> Stars:
    rng = np.random.default_rng(0)
    b = np.where(rng.uniform(size=n) < 0.5, rng.uniform(70, 90, n), rng.uniform(-20, 20, n))
    d = rng.uniform(0.3, 3, n)
    sky = Stars(rng.uniform(0, 360, n), b, d, *rng.normal(0, 5, (3, n)))
    true_ratio = np.where(b > 50, 0.97, 0.86)
    parallax = true_ratio / true_ratio / d
    return replace(sky, e_distance=0.1 * d, parallax=parallax, e_parallax=0.02 * parallax)


def test_density_adds_up_to_the_stars() -> None:
    x, y = np.random.default_rng(1).normal(0, 1, (2, 20_000))
    density = smoothed_density(x, y, ((-8, 8), (-8, 8)))
    assert density.shape == (CELLS, CELLS)
    assert density.sum() * (16 / CELLS) ** 2 == pytest.approx(20_000, rel=1e-6)
    assert density[CELLS // 2, CELLS // 2] == pytest.approx(20_000 / (2 * np.pi), rel=0.15)


def test_maps_of_a_sample() -> None:
    figure = sample_maps(stars(), PAPER_SUN)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "x (kpc)", "$V_R$ (km/s)", "x (kpc)", "$V_R$ (km/s)",
    ]  # fmt: skip
    assert figure.axes[0].lines[0].get_xdata()[0] == -8.178
    assert figure.axes[2].lines[0].get_ydata()[0] == 0.0208
    assert "5,000 stars" in figure.get_suptitle()
    few = sample_maps(stars(200), PAPER_SUN)
    assert few.get_suptitle() == "200 stars"
    assert len(few.axes[1].lines[0].get_xdata()) == 200
    bare = replace(stars(), pm_ra=None)
    with pytest.raises(CatalogueError, match="no proper motions"):
        sample_maps(bare, PAPER_SUN)


def test_distances_against_parallaxes() -> None:
    ratios = {"disc": DistanceRatio(0.86, 0.001, 900), "pole": DistanceRatio(0.97)}
    figure = distance_ratio_figure(stars(), ratios)
    for axes, ratio, text in zip(figure.axes, (0.86, 0.97), ("0.8600 ± 0.0010", "(set)"), strict=True):
        line = axes.lines[1]
        assert line.get_ydata()[1] / line.get_xdata()[1] == pytest.approx(ratio)
        assert text in axes.get_legend().get_texts()[1].get_text()
        assert axes.get_title().endswith("stars")
    with pytest.raises(CatalogueError, match="needs parallax, e_parallax and e_distance"):
        distance_ratio_figure(replace(stars(), parallax=None), ratios)


def test_regions_over_the_stars_of_a_survey() -> None:
    """Points are moved by whole turns to lie around the boxes, and do not move the limits."""
    items = [SkyRegion(Region("a", (-10, 10), (-5, 5), (0, 2)), 3, True)]
    with_points, without = sky_map(items, 8.0, stars()).axes[0], sky_map(items, 8.0).axes[0]
    assert with_points.get_xlim() == without.get_xlim()
    lon = with_points.lines[0].get_xdata()
    assert np.all(np.abs(lon - 0.0) <= 180.0 + 360.0)
    assert len(lon) == np.count_nonzero(stars().distance <= 2.0)  # the map's regions end there
    low, high = sorted(with_points.get_xlim())
    assert np.sum((lon > low) & (lon < high)) > 0
