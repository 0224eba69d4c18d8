"""What the figures draw: numbers taken back out of their axes."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from galactions.data.published import circular_velocity_curves
from galactions.report.circular_velocity import ModelCurve, circular_velocity_figure
from galactions.report.course import convergence_figure, iteration_figure
from galactions.report.layers import layers
from galactions.report.panels import PULL_LIMIT, Panel, velocity_panels
from galactions.report.plan import SkyRegion
from galactions.report.sky import sky_map
from galactions.survey import Region, paper_regions

EDGES = np.array([-40.0, -20.0, 0.0, 10.0, 60.0])
P = np.array([0.1, 0.4, 0.2, 0.25])


def _panel(**changes: object) -> Panel:
    values = {
        "region": paper_regions()[0],
        "n_stars": 1000,
        "edges": EDGES,
        "p": P,
        "sigma": np.full(4, 0.01),
        "model": P + np.array([0.0, 0.005, -0.2, 0.02]),
        "model_error": np.full(4, 0.002),
        "reduced_chi2": 1.25,
        "used": True,
        "note": "",
    }
    return Panel(**{**values, **changes})


def test_panel_shows_fractions_per_unit_so_that_unequal_bins_compare():
    figure = velocity_panels("v_los", [_panel()])
    main, strip = figure.axes
    points = main.containers[0].lines[0].get_xydata()
    np.testing.assert_allclose(points[:, 0], [-30, -10, 5, 35])
    np.testing.assert_allclose(points[:, 1], P / np.diff(EDGES))
    steps = main.patches[0].get_data()
    np.testing.assert_allclose(steps.values, _panel().model / np.diff(EDGES))
    np.testing.assert_array_equal(steps.edges, EDGES)
    assert "1.25" in " ".join(text.get_text() for text in main.texts)
    pulls = next(line for line in strip.lines if line.get_marker() == "o").get_ydata()
    np.testing.assert_allclose(pulls, [0.0, -0.5, -2.0], atol=1e-12)
    beyond = next(line for line in strip.lines if line.get_marker() == "^")
    assert beyond.get_xdata() == [5.0]
    assert beyond.get_ydata()[0] < PULL_LIMIT


def test_left_out_region_is_grey_with_its_reason():
    figure = velocity_panels("v_los", [_panel(used=False, note="only 12 stars", reduced_chi2=None), _panel()])
    grey, white = figure.axes[0], figure.axes[2]
    assert grey.get_facecolor() != white.get_facecolor()
    assert "only 12 stars" in [text.get_text() for text in grey.texts]


@pytest.mark.parametrize(
    "missing", [{"model": None, "model_error": None}, {"edges": None, "p": None, "sigma": None}]
)
def test_panel_without_prediction_or_without_histogram(missing):
    assert len(velocity_panels("pm_ra", [_panel(**missing)]).axes) == 2


def test_panels_stand_four_to_a_row_on_one_velocity_axis():
    narrow = _panel(edges=np.array([-10.0, 0.0, 5.0, 10.0, 20.0]))
    figure = velocity_panels("v_los", [_panel(), narrow, _panel(), _panel(), _panel()])
    mains = figure.axes[::2]
    assert len({axes.get_xlim() for axes in mains}) == 1
    assert len({round(axes.get_position().y0, 6) for axes in mains}) == 2


def test_empty_bins_with_zero_error_make_no_pull():
    figure = velocity_panels(
        "v_los", [_panel(p=np.array([0.0, 0.4, 0.2, 0.25]), sigma=np.array([0.0, 0.01, 0.01, 0.01]))]
    )
    pulls = [line for line in figure.axes[1].lines if line.get_marker() in "o^v" and len(line.get_xdata())]
    assert sum(len(line.get_xdata()) for line in pulls) == 3


def test_sky_map_names_every_region_with_its_stars():
    figure = sky_map([SkyRegion(region, region.count or 0, True) for region in paper_regions()], 8.11)
    shown = "\n".join(text.get_text() for text in figure.findobj(Text))
    for region in paper_regions():
        assert f"{region.name}: {region.count:,}" in shown
    left, right = figure.axes[0].get_xlim()
    assert left > right  # longitude grows to the left


def test_sky_map_of_boxes_across_l_0():
    regions = [Region("west", (340, 360), (0, 10), (0, 2)), Region("east", (-10, 10), (0, 10), (0, 2))]
    first, second = sky_map([SkyRegion(region, 10, True) for region in regions], 8.0).axes[:2]
    assert first.get_xlim() == second.get_xlim()
    boxes = sorted(axes.patches[0].get_x() for axes in (first, second))
    assert boxes[1] - boxes[0] == 10.0  # neighbours, not 350 degrees apart


def test_regions_behind_each_other_are_on_maps_of_their_own():
    near, far = Region("near", (160, 200), (-20, 20), (0, 2)), Region("far", (170, 190), (-10, 10), (8, 12))
    behind = Region("behind", (160, 200), (-20, 20), (2, 3))  # the same box: with the near one
    beside = Region("beside", (200, 220), (-20, 20), (0, 2))
    poor = Region("poor", (180, 210), (-5, 5), (0, 3))
    regions = (far, near, behind, beside, poor)
    items = [SkyRegion(region, 10, region is not poor) for region in regions]
    maps, homeless = layers(items, [(*region.l, *region.b) for region in regions])
    assert [[item.region.name for item in one.items] for one in maps] == [
        ["near", "behind", "beside"],
        ["far"],
    ]
    assert [one.distance for one in maps] == [(0, 3), (8, 12)]
    assert [item.region.name for item in homeless] == ["poor"]
    shown = "\n".join(text.get_text() for text in sky_map(items, 8.0).findobj(Text))
    assert "poor (10 stars)" in shown


def test_labels_of_a_crowded_sky_stay_within_their_boxes():
    """Boxes on and behind each other, as in surveys of one direction, with long names."""
    boxes = [
        Region(f"{side} {near}-{near + 2} {half}", (l0, l0 + 20), (b0, b0 + 10), (near, near + 2))
        for side, l0 in (("east", 150), ("middle", 170), ("west", 185))
        for half, b0 in (("N", 0), ("S", -10))
        for near in (0, 2, 4)
    ]
    figure = sky_map([SkyRegion(region, 1234, True) for region in boxes], 8.0)
    figure.canvas.draw()
    checked = 0
    for axes in figure.axes:
        rectangles = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        for patch, text in zip(rectangles, axes.texts, strict=False):
            box, label = patch.get_window_extent(), text.get_window_extent()
            assert box.x0 <= label.x0 <= label.x1 <= box.x1
            assert box.y0 <= label.y0 <= label.y1 <= box.y1
            checked += 1
        extents = [patch.get_window_extent().shrunk(0.99, 0.99) for patch in rectangles]
        assert not any(a.overlaps(b) for a, b in combinations(extents, 2))
    assert checked == 6


def test_sky_map_of_a_cap_alone():
    assert sky_map([SkyRegion(Region("cap", (0, 360), (80, 90), (0, 2)), 10, False)], 8.0).axes


def test_circular_velocity_shows_the_model_and_all_curves():
    R = np.linspace(0.5, 30, 60)
    model = ModelCurve(R, 230.0 * R**0.01, 150.0 * R**-0.1, 160.0 * R**0.1)
    published = circular_velocity_curves()
    whole, near = circular_velocity_figure(model, published, 8.11).axes
    np.testing.assert_allclose(whole.get_lines()[1].get_ydata(), model.total)
    labels = near.get_legend_handles_labels()[1]
    assert {"model", *(curve.name for curve in published)} == set(labels)


def test_circular_velocity_without_a_model():
    assert len(circular_velocity_figure(None, circular_velocity_curves(), 8.0).axes) == 2


def _trial(number: int, chi2: float | None, failed: bool = False, round_: int = 1) -> SimpleNamespace:
    return SimpleNamespace(number=number, chi2=chi2, failed=failed, round=round_, seconds=1.0)


def test_convergence_best_falls_within_a_round_and_begins_anew_with_the_next():
    trials = [
        _trial(1, 5.0),
        _trial(2, 7.0),
        _trial(3, None, failed=True),
        _trial(4, 3.0),
        _trial(5, None),
        _trial(6, 4.0, round_=2),
    ]
    axes = convergence_figure(trials).axes[0]
    steps = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    np.testing.assert_array_equal(steps[0].get_ydata(), [5, 5, 3])
    np.testing.assert_array_equal(steps[1].get_ydata(), [4])
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_array_equal(crosses[0].get_xdata(), [3])


def test_convergence_of_failures_only():
    assert convergence_figure([_trial(1, None, failed=True)]).axes


def test_iterations_begin_at_the_initial_potential():
    entry = {
        "residual": 0.1,
        "v_circ_sun_kms": 232.0,
        "m200_msun": 1.3e12,
        "density_sun_msun_pc3": {"halo": 0.01},
    }
    figure = iteration_figure(
        [entry, {**entry, "v_circ_sun_kms": 233.0}], {**entry, "residual": None, "v_circ_sun_kms": 231.0}
    )
    residual, velocity = figure.axes[:2]
    np.testing.assert_array_equal(residual.lines[0].get_xdata(), [1, 2])
    np.testing.assert_array_equal(velocity.lines[0].get_ydata(), [231, 232, 233])


def test_history_that_numbers_its_entries_is_taken_at_its_word():
    history = [{"iteration": 0, "v_circ_sun_kms": 231.0}, {"iteration": 1, "v_circ_sun_kms": 232.0}]
    velocity = iteration_figure(history, {"v_circ_sun_kms": 99.0}).axes[1]
    np.testing.assert_array_equal(velocity.lines[0].get_xydata(), [[0, 231], [1, 232]])
