"""Sky boxes: Table 1, membership, and boxes that cannot be."""

from pathlib import Path

import numpy as np
import pytest

from galactions.errors import ConfigError
from galactions.survey import Region, galactocentric, observed, paper_regions, read_regions
from galactions.survey.sun import PAPER_SUN


def test_table_1_as_published() -> None:
    regions = paper_regions()
    assert [r.name for r in regions] == [f"{i:02d}" for i in range(1, 31)]
    assert sum(r.count or 0 for r in regions) == 86_109
    groups = [r.group for r in regions]
    assert [groups.count(g) for g in ("in", "mid", "out", "pole", "check")] == [16, 4, 4, 2, 4]
    assert regions[23] == Region("24", (170, 190), (-10, 10), (7, 12), "out", 2330)
    assert regions[24].l == (0, 360)
    assert regions[24].b == (80, 90)


def test_same_boxes_as_the_shared_table(shared: Path) -> None:
    table = np.genfromtxt(
        shared / "paper" / "table1_regions.csv", delimiter=",", names=True, dtype=None, encoding=None
    )
    for row, region in zip(table, paper_regions(), strict=True):
        ours = (int(region.name), region.group, *region.l, *region.b, *region.distance, region.count)
        assert ours == tuple(row)


def test_regions_of_table_1_share_no_stars() -> None:
    rng = np.random.default_rng(0)
    n = 200_000
    lon, lat, d = rng.uniform(0, 360, n), rng.uniform(-20, 90, n), rng.uniform(0, 12, n)
    inside = np.sum([r.contains(lon, lat, d) for r in paper_regions()], axis=0)
    assert inside.max() == 1


def test_bounds_are_lower_inclusive_upper_exclusive() -> None:
    box = Region("a", (160, 170), (-10, 0), (2, 3))
    lon, lat, d = (
        np.array([160, 170, 165, 165, 165, 165.0]),
        np.array([-5, -5, -10, 0, -5, -5.0]),
        np.full(6, 2.5),
    )
    d[4:] = 2.0, 3.0
    assert box.contains(lon, lat, d).tolist() == [True, False, True, False, True, False]


@pytest.mark.parametrize("l_range", [(-10, 10), (350, 370)])
def test_box_across_zero(l_range: tuple[float, float]) -> None:
    box = Region("a", l_range, (-5, 5), (0, 1))
    lon = np.array([-5.0, 0.0, 355.0, 5.0, 10.0, 350.0, 180.0, np.nan])
    assert box.contains(lon, np.zeros(8), np.full(8, 0.5)).tolist() == [True] * 4 + [
        False,
        True,
        False,
        False,
    ]


def test_cap_holds_the_pole_and_no_nan() -> None:
    cap = paper_regions()[24]
    assert cap.contains([0.0, 359.9, 123.0, 0.0, np.nan], [85, 80, 90, 79.9, 85], [1.0] * 5).tolist() == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert cap.solid_angle == pytest.approx(2 * np.pi * (1 - np.sin(np.radians(80))))
    assert cap.volume == pytest.approx(cap.solid_angle * 1.5**3 / 3)


def test_membership_survives_the_frame() -> None:
    """Stars drawn inside each box, sent to the Galaxy's frame and back, are still inside."""
    rng = np.random.default_rng(2)
    for box in paper_regions():
        lon, lat, d = (rng.uniform(*limits, 50) for limits in (box.l, box.b, box.distance))
        xv = galactocentric(lon, lat, d, *rng.normal(0, 5, (3, 50)), PAPER_SUN)
        assert np.all(box.contains(*(np.asarray(c) for c in observed(xv, PAPER_SUN)[:3])))


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (((170, 160), (0, 10), (0, 2)), r"l is \(170, 160\); it must be lower < upper"),
        (((160, 170), (10, 10), (0, 2)), "b is .* lower < upper"),
        (((160, 170), (0, 10), (2, 0)), "distance is .* lower < upper"),
        (((0, 10), (160, 170), (0, 2)), "l and b swapped"),
        (((0, 400), (0, 10), (0, 2)), "at most 360 wide"),
        (((160, 170), (0, 10), (-1, 2)), "kpc from 0 up"),
        (((160, 170), (0, float("nan")), (0, 2)), "finite"),
        (((160, 170), (0, 10, 20), (0, 2)), "two numbers"),
    ],
)
def test_impossible_boxes(limits: tuple[tuple[float, float], ...], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Region("bad", *limits)
    with pytest.raises(ConfigError, match=r"'bad'"):
        Region("bad", *limits)


def test_file_of_regions(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(
        "name,l_min,l_max,b_min,b_max,distance_min,distance_max\nA,0,10,-5,5,1,2\n# no\nB,10,20,-5,5,1,2\n"
    )
    assert read_regions(path) == (
        Region("A", (0, 10), (-5, 5), (1, 2)),
        Region("B", (10, 20), (-5, 5), (1, 2)),
    )
    for text, match in [
        ("name,l_min\nA,0\n", "l_max, b_min.* missing"),
        (path.read_text().replace("B", "A"), "'A' more than once"),
        (path.read_text().replace("A,0", "A,x"), "region 1"),
        ("name,l_min,l_max,b_min,b_max,distance_min,distance_max\n", "no regions"),
    ]:
        path.write_text(text)
        with pytest.raises(ConfigError, match=match):
            read_regions(path)
    with pytest.raises(ConfigError, match=r"nowhere\.csv.*cannot be read"):
        read_regions(tmp_path / "nowhere.csv")
