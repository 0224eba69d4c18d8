"""Real stars: the numbers of the LAMOST red-giant file and of the LAMOST x Gaia field, and the shipped
example."""

from pathlib import Path

import numpy as np
import pytest

from galactions.survey import (
    PAPER_SUN,
    SPECTRA,
    CutFlow,
    Source,
    Stars,
    StarTable,
    cross_match,
    cylindrical_velocity,
    distance_modulus,
    is_k_giant,
    load_survey,
    paper_regions,
    photometric_distance,
    read_catalogue,
)
from galactions.survey.tables import read_columns

EXAMPLE = Path(__file__).parents[2] / "examples" / "lamost_dr3.toml"


def mad(values: np.ndarray) -> float:
    """Robust standard deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


@pytest.fixture(scope="module")
def giants(dr3_file: Path) -> Stars:
    stars, flow = read_catalogue(dr3_file, preset="lamost_dr3_rgb")
    assert flow.cuts[0].left == flow.left == 21_954  # no star is lost on the way
    return stars


def test_counts_of_the_published_selection(giants: Stars) -> None:
    assert is_k_giant(giants.teff, giants.logg).sum() == 18_064
    assert (np.asarray(giants.feh) > -1).sum() == 15_293


def test_distance_modulus_arithmetic(dr3_file: Path) -> None:
    c = read_columns(dr3_file, ["K", "AK", "MK", "dist"])
    ours = photometric_distance(c["K"], c["MK"], c["AK"])
    error = np.abs(ours / c["dist"] - 1)
    assert np.median(error) < 5e-4
    # the file gives M_K to 0.01 and the distance to 0.01 kpc
    assert np.all(np.abs(ours - c["dist"]) < 0.0024 * c["dist"] + 0.005)
    np.testing.assert_allclose(distance_modulus(ours), c["K"] - c["AK"] - c["MK"], rtol=1e-12)


@pytest.mark.parametrize(
    ("near", "far", "sigma", "number"),
    [
        (0, 2, 35.6, 327), (2, 3, 38.5, 1234), (3, 4, 41.5, 935), (4, 5, 38.5, 533), (5, 6, 40.8, 338),
        (6, 8, 37.1, 463), (8, 12, 34.1, 291),
    ],
)  # fmt: skip
def test_velocity_dispersion_towards_the_anticentre(
    giants: Stars, near: float, far: float, sigma: float, number: int
) -> None:
    mine = (giants.l >= 160) & (giants.l <= 200) & (np.abs(giants.b) < 20) & (np.asarray(giants.feh) > -1)
    mine &= (giants.distance > near) & (giants.distance <= far)
    assert mine.sum() == number
    assert mad(giants.v_los[mine]) == pytest.approx(sigma, abs=0.05)


def test_giants_in_the_boxes_of_table_1(giants: Stars) -> None:
    selected = is_k_giant(giants.teff, giants.logg) & (np.asarray(giants.feh) > -1)
    disc = giants.select(selected)
    counts = [int(r.contains(disc.l, disc.b, disc.distance).sum()) for r in paper_regions()]
    assert (min(counts[16:24]), max(counts[16:24])) == (45, 270)
    assert max(counts[:16] + counts[24:]) < 50


def test_the_shipped_example(dr3_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALACTIONS_SHARED", str(dr3_file.parents[2]))
    survey = load_survey(EXAMPLE)
    assert survey.observables == ("v_los",)
    assert len(survey.used) >= 20
    assert all(r.n_stars >= 150 for r in survey.used)
    left_out = [r for r in survey.regions if not r.used]
    assert {"24", "25", "26"} <= {r.region.name for r in left_out}
    assert all("fewer than min_stars" in r.reason for r in left_out)
    for r in survey.used:
        assert r.histograms["v_los"].n_bins >= 5
        assert r.histograms["v_los"].p.sum() > 0.97
    flow = CutFlow.from_list(survey.meta["cut_flow"])
    assert (flow.cuts[0].left, flow.removed_by("K giants")) == (21_954, 21_954 - 18_064)
    total = np.sum([r.region.contains([180.0], [5.0], [2.5]) for r in survey.used])
    assert total == 1  # used regions share no stars


def test_used_regions_of_the_example_share_no_stars(
    dr3_file: Path, giants: Stars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALACTIONS_SHARED", str(dr3_file.parents[2]))
    used = load_survey(EXAMPLE).used
    times = np.sum([r.region.contains(giants.l, giants.b, giants.distance) for r in used], axis=0)
    assert times.max() == 1


def test_six_dimensional_giants_of_the_lamost_gaia_field(field_file: Path) -> None:
    stars, _ = read_catalogue(field_file, preset="lamost_gaia_field")
    giants = stars.select(is_k_giant(stars.teff, stars.logg))
    assert len(giants) == 518
    velocity = np.asarray(cylindrical_velocity(giants.phase_space(PAPER_SUN)))
    assert np.median(velocity[:, 1]) == pytest.approx(-220.5, abs=0.1)
    for component, sigma in zip((0, 1, 2), (34.1, 24.8, 20.1), strict=True):
        assert mad(velocity[:, component]) == pytest.approx(sigma, abs=0.1)


def test_positions_of_lamost_are_ten_years_older_than_gaias(field_file: Path) -> None:
    """The two positions of the same stars differ by -10.4 years of proper motion; carried by it, all stars
    of the field are matched, and a third of the separation goes away.
    """
    names = ["source_id", "ra_gaia", "dec_gaia", "pmra", "pmdec", "ra_lamost", "dec_lamost"]
    c = read_columns(field_file, names, exact=["source_id"])
    offset = 3.6e6 * (c["dec_lamost"] - c["dec_gaia"])
    slope, _ = np.polyfit(c["pmdec"], offset, 1)
    assert slope == pytest.approx(SPECTRA["lamost_dr9_v2"].epoch - 2016.0, abs=0.3)
    flow = CutFlow.start(len(offset))
    gaia = StarTable(
        {
            "ra": c["ra_gaia"], "dec": c["dec_gaia"], "pm_ra": c["pmra"], "pm_dec": c["pmdec"],
            "gaia_id": c["source_id"],
        }
    )  # fmt: skip
    lamost = StarTable({"ra": c["ra_lamost"], "dec": c["dec_lamost"], "spec_id": c["source_id"]})
    medians = {}
    for epoch in (SPECTRA["lamost_dr9_v2"].epoch, 2016.0):
        i, j, report = cross_match(Source(lamost, "", "", epoch, flow), Source(gaia, "dr3", "", 2016.0, flow))
        assert np.all(lamost["spec_id"][i] == gaia["gaia_id"][j])
        assert report.stars == len(np.unique(c["source_id"]))
        medians[epoch] = report.separation["median"]
    assert medians[2005.6] < 0.75 * medians[2016.0]
