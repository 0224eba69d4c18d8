"""A survey's distribution of distances, and the selection of its plates, from files to the nodes of a fit."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import galactions as ga
from galactions.config import parse_config
from galactions.projection import SurveyNodes
from galactions.projection.distance_selection import DistanceSelection, chance_inside, observed_selection
from galactions.projection.positions import selection_like
from galactions.projection.proposal import reference_sun
from galactions.projection.view import View, density_at
from galactions.survey import ErrorModel, MockRecipe, mock_catalogues
from galactions.survey.distance_selection import DistanceDistribution
from galactions.survey.write_table import write_columns


def test_a_region_without_selection_counts_all_its_stars(boxes) -> None:
    everything = DistanceSelection.of_region(boxes[0])
    d = np.linspace(0.1, 5.0, 200)
    for fraction in (0.0, 0.2):
        expected = chance_inside(boxes[0].distance, d, fraction)
        np.testing.assert_allclose(everything.chance(d, fraction), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_stars_get_the_distances_that_are_wanted(fraction: float) -> None:
    """Stars drawn by the selection's own chances and observed with errors."""
    wanted = DistanceDistribution(np.array([1.0, 1.5, 2.0, 3.0]), np.array([0.5, 0.3, 0.2]))
    d = np.linspace(0.5, 5.0, 200)
    selection = observed_selection(wanted, d, np.exp(-d / 2), fraction)
    rng = np.random.default_rng(0)
    true = rng.choice(d, 400_000, p=d**2 * np.exp(-d / 2) / np.sum(d**2 * np.exp(-d / 2)))
    true += rng.uniform(-0.5, 0.5, len(true)) * (d[1] - d[0])
    seen = true * (1 + fraction * rng.standard_normal(len(true)))
    weight = np.zeros(len(true))
    for low, high, factor in zip(selection.edges, selection.edges[1:], selection.factor, strict=False):
        weight[(seen >= low) & (seen < high)] = factor
    share, _ = np.histogram(seen, selection.edges, weights=weight)
    np.testing.assert_allclose(share / share.sum(), wanted.share, atol=0.005)
    # the chance of a true distance is the mean of the factors that its stars get
    near = np.abs(true - 1.6) < 0.02
    assert float(selection.chance(1.6, fraction)) == pytest.approx(weight[near].mean(), rel=0.03)


def test_heights_are_those_of_the_parts_of_the_region_in_their_shares(galaxy, boxes, edges) -> None:
    """Without errors the prediction is the mean over bins of distance, weighted by the observed shares."""
    wide = boxes[2]
    limits, share = np.array([1.0, 1.5, 2.0, 3.0]), np.array([0.6, 0.3, 0.1])
    wanted = DistanceDistribution(limits, share)
    found = SurveyNodes.for_regions(
        galaxy, [wide], [edges], nodes=1024, reference=8192, distances=[wanted]
    ).predict(galaxy)
    plain = SurveyNodes.for_regions(galaxy, [wide], [edges], nodes=1024, reference=8192).predict(galaxy)
    parts = [replace(wide, distance=(a, b)) for a, b in pairwise(limits)]
    each = ga.predict(galaxy, parts, edges, nodes=4096)
    for name in edges:
        expected = share @ np.stack(each.p[name])
        off = 0.5 * np.abs(found.p[name][0] - expected).sum()
        assert off < 0.02
        # proper motions of near stars are larger: without the selection they are far off
        if name != "v_los":
            assert 0.5 * np.abs(plain.p[name][0] - expected).sum() > 4 * off


def test_from_a_fit_config_to_nodes(galaxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's stars in files of spectra, astrometry and plates, and one TOML file: the nodes have the
    survey's distances, the histograms the weights of the plates, and the model predicts its own survey.
    """
    from galactions.inference.model_predictor import problem_from_config

    around = ga.Region("around", (160, 200), (-14, 14), (0.3, 4.0))
    stars = ga.mock_survey(galaxy, [around], 9000, ErrorModel(0.0, 0.0, 0.0), seed=1)
    mock = mock_catalogues(stars, MockRecipe(zero_point=False, without_spectrum=0.0))
    plans = np.array(["HD01", "GAC07"])
    write_columns(
        dict(mock.spectra) | {"planid": plans[mock.spectra["obsid"] % 2]}, tmp_path / "spectra.fits"
    )
    write_columns({"planid": plans, "pid": np.array([1, 2])}, tmp_path / "plan.fits")
    write_columns(mock.astrometry, tmp_path / "astrometry.parquet")
    grid = np.full((2, 1 + 46 * 61), 2.0)
    grid[1] = 6.0
    grid[:, 0] = 1, 2
    np.savetxt(tmp_path / "plates.csv", grid, fmt="%g", delimiter=",")
    (tmp_path / "fit.toml").write_text(FIT)
    monkeypatch.setattr("galactions.galaxy.build", lambda spec, iterations: galaxy)
    problem = problem_from_config(parse_config(FIT, tmp_path / "fit.toml"))
    survey = problem.survey
    assert problem.identity["projection"]["selection"] == "observed-distances"
    region = survey.regions[0]
    # half of the stars count three times: the effective number is (1 + 3)^2 / (2 (1 + 9)) of all
    p = region.histograms["v_los"].p
    effective = p * (1 - p) / region.histograms["v_los"].sigma ** 2
    typical = np.median(effective[p > 0.05])
    assert typical == pytest.approx(0.8 * region.n_stars, rel=0.02)
    nodes = problem.predictor.nodes.nodes
    f = np.asarray(density_at(View.of(galaxy), nodes.placed)) * np.asarray(nodes.weight)
    assert region.distances is not None
    fraction = region.errors["distance_fraction"]
    selection = selection_like(region.distances, region.region, galaxy, reference_sun(galaxy), fraction)
    inside = [
        factor * np.asarray(chance_inside(limits, nodes.seen[2], fraction))
        for limits, factor in zip(pairwise(selection.edges), selection.factor, strict=True)
    ]
    share = np.array([np.sum(f * c / np.sum(inside, axis=0)) for c in inside])
    np.testing.assert_allclose(share / share.sum(), region.distances.share, atol=0.02)
    found = problem.predictor.nodes.predict(galaxy)
    h = region.histograms["v_los"]
    chi2 = (h.p - found.p["v_los"][0]) ** 2 / (h.sigma**2 + found.error["v_los"][0] ** 2)
    assert np.mean(chi2) < 2.0


FIT = """
[survey]
v_los_offset = 5.7
observables = ["v_los"]
min_stars = 100
histogram = "counts"
[survey.spectra]
file = "spectra.fits"
preset = "lamost_dr8_v2"
[survey.astrometry]
file = "astrometry.parquet"
preset = "gaia_edr3"
[survey.distance]
zero_point = false
[survey.plates]
file = "plates.csv"
information = "plan.fits"
[[survey.regions]]
name = "anticentre"
l = [165, 195]
b = [-10, 10]
distance = [0.6, 2.5]
[projection]
errors = "forward"
selection = "observed-distances"
nodes = 1024
reference = 16384
"""
