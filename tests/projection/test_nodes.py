"""The nodes of a survey, and what they predict."""

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy.stats import qmc

import galactions as ga
from galactions.errors import ConfigError
from galactions.projection import RegionErrors, SurveyNodes
from galactions.projection.bins import Bins
from galactions.projection.view import View, density_at
from galactions.survey.frame import galactocentric

N_STARS = 2500
"""Of a survey that errors are compared with: about as many as a region of Table 1 has."""


@pytest.fixture(scope="module")
def nodes(galaxy, boxes, edges) -> SurveyNodes:
    return SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, nodes=1024, reference=16384)


def test_heights_are_fractions_of_all_stars(nodes, galaxy, edges):
    found = nodes.predict(galaxy)
    for name in edges:
        for p, error in zip(found.p[name], found.error[name], strict=True):
            assert np.all(p >= 0)
            assert p.sum() == pytest.approx(1.0, abs=0.01)
            assert error.shape == p.shape == (len(edges[name]) - 1,)
    assert min(found.ess) > 0.6 * 4 * 1024


def test_heights_of_the_reference_are_those_of_all_its_points(nodes, galaxy):
    found = nodes.heights(View.of(galaxy))
    all_points = nodes.nodes.reference_p
    well_filled = np.asarray(all_points) > 5e-3
    assert well_filled.sum() > 50
    np.testing.assert_allclose(found.p[well_filled], all_points[well_filled], rtol=1e-4)
    np.testing.assert_allclose(found.error[well_filled], nodes.nodes.reference_error[well_filled], rtol=1e-3)


def test_another_model_is_predicted_with_less_noise_than_so_many_stars_have(nodes, hotter, boxes, edges):
    found = nodes.predict(hotter)
    true = ga.predict(hotter, boxes, edges, nodes=16384, seed=11)
    for name in edges:
        for k in range(3):
            p = true.p[name][k]
            filled = p * N_STARS > 1
            sigma = np.sqrt(p * (1 - p) / N_STARS)[filled]
            off = (found.p[name][k] - p)[filled] / sigma
            told = np.hypot(found.error[name][k], true.error[name][k])[filled] / sigma
            assert np.sqrt(np.mean(off**2)) < 0.35
            assert 0.4 < np.sqrt(np.mean(off**2) / np.mean(told**2)) < 2.5


def test_errors_fall_with_the_number_of_nodes(nodes, hotter, galaxy, boxes, edges):
    few = SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, nodes=128, reference=2048)
    few_error, error = (
        np.concatenate([e for rows in n.predict(hotter).error.values() for e in rows]) for n in (few, nodes)
    )
    assert np.sqrt(np.mean(error**2)) < 0.6 * np.sqrt(np.mean(few_error**2))


def test_the_mass_of_a_region_is_the_integral_of_its_density(nodes, galaxy, boxes):
    view = View.of(galaxy)
    f = np.asarray(density_at(view, nodes.nodes.placed))
    mass = np.bincount(nodes.nodes.region, f * np.asarray(nodes.nodes.weight))
    u = qmc.Sobol(3, seed=5).random(512).T
    for region, found in zip(boxes, mass, strict=True):
        s = np.sin(np.radians(region.b))
        lon, lat = np.interp(u[0], [0, 1], region.l), np.degrees(np.arcsin(np.interp(u[1], [0, 1], s)))
        distance = np.cbrt(np.interp(u[2], [0, 1], np.power(region.distance, 3)))
        still = np.zeros_like(lon)
        x, y, z, *_ = np.asarray(galactocentric(lon, lat, distance, still, still, still, view.sun)).T
        moments = [
            galaxy.velocity_moments(name, np.hypot(x, y), z).density for name in ("thin_disk", "thick_disk")
        ]
        density = np.asarray(sum(moments))
        parts = density.reshape(8, 64).mean(axis=1)  # each a net of its own
        noise = parts.std() / density.mean() / np.sqrt(8)
        assert noise < 0.01
        assert found == pytest.approx(density.mean() * region.volume, rel=5 * noise + 0.02)


def test_heights_move_smoothly_with_a_parameter(nodes):
    spec = ga.named_model("Mc17a")

    def p(sigma: float) -> np.ndarray:
        return nodes.predict(ga.build(spec.replace(sigma_r0_thin=sigma), iterations=0)).p["v_los"][0]

    low, middle, high = p(63.9), p(64.0), p(64.1)
    first, second = high - low, high - 2 * middle + low
    assert np.abs(first).max() > 1e-5
    assert np.abs(second).max() < 0.02 * np.abs(first).max()


def test_heights_can_be_differentiated_by_the_view(nodes, galaxy):
    view = View.of(galaxy)

    def p(v0: jax.Array) -> jax.Array:
        return nodes.heights(eqx.tree_at(lambda v: v.sun.v0, view, v0)).p

    step = 0.05
    v0 = view.sun.v0
    _, slope = jax.jvp(p, (v0,), (jax.numpy.ones_like(v0),))
    difference = np.asarray(p(v0 + step) - p(v0 - step)) / (2 * step)
    assert np.abs(difference).max() > 1e-4
    np.testing.assert_allclose(slope, difference, atol=2e-4 * np.abs(difference).max())


def test_other_seeds_agree_within_the_error(nodes, hotter, galaxy, boxes, edges):
    one = nodes.predict(hotter)
    other = SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, 1024, seed=7, reference=16384).predict(hotter)
    pulls = []
    for name in edges:
        for k in range(3):
            bins = one.p[name][k] > 0.005
            error = np.hypot(one.error[name][k], other.error[name][k])[bins]
            pulls.append((one.p[name][k] - other.p[name][k])[bins] / error)
    assert 0.4 < np.median(np.abs(np.concatenate(pulls))) < 1.3


def test_a_model_seen_through_errors_is_wider(galaxy, boxes, edges):
    blurred = [RegionErrors(30.0, 2.0, 2.0, 0.2)] * 3
    spread = []
    for errors in (None, blurred):
        some = SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, 256, errors=errors, reference=4096)
        p = some.predict(galaxy).p["v_los"][0]
        v = 0.5 * (edges["v_los"][1:] + edges["v_los"][:-1])
        spread.append(np.average(v**2, weights=p) - np.average(v, weights=p) ** 2)
    assert spread[1] - spread[0] == pytest.approx(30.0**2, rel=0.15)


def test_unused_regions_have_no_bins(galaxy, boxes, edges):
    few = SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, 256, numbers=[0, 2], reference=1024)
    found = few.predict(galaxy)
    assert [len(p) for p in found.p["v_los"]] == [25, 0, 25]
    assert found.ess[1] == 0


def test_regions_with_more_stars_get_more_nodes(galaxy, boxes, edges):
    shared = SurveyNodes.for_regions(
        galaxy, boxes, [edges] * 3, 256, reference=1024, stars=[1000, 4000, 1000]
    )
    assert np.bincount(shared.nodes.region).tolist() == [4 * 128, 4 * 512, 4 * 128]


@pytest.mark.parametrize("numbers", [{"nodes": 1}, {"replicates": 1}, {"nodes": 512, "reference": 256}])
def test_impossible_numbers(galaxy, boxes, edges, numbers):
    with pytest.raises(ConfigError, match="2 or more nodes and replicates"):
        SurveyNodes.for_regions(galaxy, boxes, [edges] * 3, **numbers)


def test_errors_are_numbers_of_zero_or_more():
    with pytest.raises(ConfigError, match="pm_ra of a region is -1"):
        RegionErrors(pm_ra=-1.0)


def test_values_of_bins_go_back_to_their_cells():
    edges = [{"v_los": np.linspace(-1, 1, n)} for n in (4, 6, 3)]
    bins = Bins.of(edges, (0, 2), 3)
    cells = np.arange(1.0, bins.n_cells + 1)
    back = bins.joined(bins.split(cells))
    assert np.count_nonzero(back == 0) == len(bins.blocks)  # outside of all bins
    np.testing.assert_array_equal(back[back != 0], cells[back != 0])
