"""The whole chain on mock catalogues of known truth: files of spectra and astrometry to binned velocities."""

from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError, ConfigError
from galactions.survey import (
    BinnedSurvey,
    CutFlow,
    MockCatalogues,
    MockRecipe,
    Stars,
    giants_with_distances,
    load_survey,
    mock_catalogues,
    parse_survey_config,
    read_catalogue,
    survey_stages,
    write_catalogue,
)
from galactions.survey.histograms import binomial_error, exact_fractions
from galactions.survey.mock_giants import giant_isochrones
from galactions.survey.write_table import write_columns

from .conftest import disc_stars

BOXES = [
    {"name": "near", "l": [165, 195], "b": [-20, 20], "distance": [0.5, 2]},
    {"name": "far", "l": [165, 195], "b": [-20, 20], "distance": [2, 4.5]},
]


ALL_STAGES = ["reading the spectra", "reading the astrometry", "matching the two", "distances", "binning"]


@pytest.fixture(scope="module")
def folder(mock: MockCatalogues, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mock catalogues in files."""
    folder = tmp_path_factory.mktemp("mock")
    mock.write(folder, ".fits")
    return folder


def table(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "spectra": {"file": "spectra.fits", "preset": "lamost_dr8_v2"},
        "astrometry": {"file": "astrometry.fits", "preset": "gaia_edr3"},
        "v_los_offset": 5.7,
        "regions": BOXES,
    }
    return base | changes


@pytest.fixture(scope="module")
def survey(folder: Path) -> BinnedSurvey:
    return load_survey(parse_survey_config(table()), folder)


def truth_of(stars: Stars, mock: MockCatalogues) -> np.ndarray:
    """Rows of the truth that stars belong to."""
    return np.searchsorted(mock.truth["gaia_id"], np.asarray(stars.ident))


def test_every_star_left_out_is_accounted_for(survey: BinnedSurvey, mock: MockCatalogues) -> None:
    flow = CutFlow.from_list(survey.meta["cut_flow"])
    assert flow.cuts[0].left == len(mock.spectra["obsid"])
    assert sum(cut.removed for cut in flow.cuts) == flow.cuts[0].left - flow.left
    bad = mock.astrometry["ruwe"] > 1.4
    bad |= (mock.astrometry["astrometric_gof_al"] > 3) | (mock.astrometry["astrometric_excess_noise_sig"] > 2)
    with_spectrum = np.isin(mock.astrometry["source_id"], mock.truth["gaia_id"])
    cuts = ("astrometric_gof_al <= 3", "astrometric_excess_noise_sig <= 2", "RUWE <= 1.4")
    removed = sum(flow.removed_by(name) for name in cuts)
    assert removed == pytest.approx((bad & with_spectrum).sum(), abs=5)
    assert flow.removed_by("is the best spectrum of its star") > 1000
    assert survey.meta["match"]["by"] == "id"
    assert set(survey.meta["checksums"]) == {"spectra", "astrometry"}


def test_contaminants_are_taken_out(folder: Path, mock: MockCatalogues) -> None:
    from galactions.survey import load_stars

    stars, _ = load_stars(parse_survey_config(table()), folder)
    kinds = mock.truth["kind"][truth_of(stars, mock)]
    before = np.mean(mock.truth["kind"] == "halo")
    assert before > 0.025
    assert np.mean(kinds == "halo") < 0.1 * before  # by [Fe/H] and velocity
    assert np.mean(kinds == "disc") > 0.98


@pytest.mark.parametrize("magnitudes", ["giants", "isochrones"])
def test_distances_have_no_bias(folder: Path, mock: MockCatalogues, magnitudes: str) -> None:
    distance: dict[str, object] = {"magnitudes": magnitudes}
    if magnitudes == "isochrones":
        distance |= {"isochrones": [write_mist(folder / "giants.iso.cmd").name], "prior": "mass-function"}
    stars, _, facts = giants_with_distances(parse_survey_config(table(distance=distance)), folder)
    true = mock.truth["distance"][truth_of(stars, mock)]
    ratio = stars.distance / true
    for near, far in ((0.5, 1.5), (1.5, 3), (3, 5)):
        mine = (true > near) & (true < far)
        assert np.median(ratio[mine]) == pytest.approx(1.0, abs=0.02)
    assert 0.05 < np.median(np.asarray(stars.e_distance) / stars.distance) < 0.2
    pull = (stars.distance - true) / np.asarray(stars.e_distance)
    assert 0.7 < 1.4826 * np.median(np.abs(pull)) < 1.3
    assert facts["distance"]["ratio"]["disc"]["value"] == pytest.approx(1.0, abs=0.03)


def test_distances_by_parallax_need_their_zero_point(folder: Path, mock: MockCatalogues) -> None:
    medians = []
    for zero_point in (True, False):
        rule = {"method": "parallax", "zero_point": zero_point, "max_parallax_fraction": 0.1}
        stars, flow, _ = giants_with_distances(parse_survey_config(table(distance=rule)), folder)
        true = mock.truth["distance"][truth_of(stars, mock)]
        far = true > 1.5
        medians.append(np.median(stars.distance[far] / true[far]))
        assert flow.removed_by("relative error of parallax at most 0.1") > 0
    assert medians[0] == pytest.approx(1.0, abs=0.01)
    assert medians[1] > 1.04  # parallaxes too small by 0.03 mas of 0.6


def write_mist(path: Path) -> Path:
    """The mock giant branch as a file that MIST could have written."""
    iso = giant_isochrones(0.05, 0.1)
    mass = 1.1 + 1e-6 * np.cumsum(iso.weight)  # intervals of mass in proportion to the weights
    names = "log10_isochrone_age_yr initial_mass log_Teff log_g [Fe/H]_init 2MASS_Ks"
    columns = np.stack([np.full(len(iso), 9.7), mass, np.log10(iso.teff), iso.logg, iso.feh, iso.M_K], axis=1)
    columns = columns[np.lexsort((columns[:, 1], columns[:, 4]))]
    np.savetxt(path, columns, header=f"MIST version number = 1.2\n{names}", fmt="%.9f")
    return path


def test_region_counts_and_heights_against_the_truth(survey: BinnedSurvey, mock: MockCatalogues) -> None:
    """Counts scatter across distance limits, and heights follow true velocities blurred by their errors."""
    t = mock.truth
    disc = t["kind"] != "halo"
    for region in survey.used:
        inside = region.region.contains(t["l"], t["b"], t["distance"]) & disc
        assert region.n_stars == pytest.approx(0.96 * inside.sum(), rel=0.06)
        for name, error in (("v_los", region.errors["v_los"]), ("pm_ra", region.errors["pm_ra"])):
            h = region.histograms[name]
            # `exact` blurs observed values once more: errors enter twice
            blur = np.full(inside.sum(), np.sqrt(2) * error)
            expected = exact_fractions(t[name][inside], blur, h.edges)
            chi2 = np.sum(((h.p - expected) / h.sigma) ** 2) / h.n_bins
            assert chi2 < 2.0
            assert np.all(h.sigma == binomial_error(h.p, region.n_stars))


def test_damaged_ids_are_matched_on_the_sky_with_the_same_result(
    folder: Path, survey: BinnedSurvey, mock: MockCatalogues
) -> None:
    v1 = dict(mock.spectra) | {"gaia_source_id": mock.spectra["gaia_source_id"].astype(np.float64)}
    write_columns(v1, folder / "v1.fits")
    config = parse_survey_config(table(spectra={"file": "v1.fits", "preset": "lamost_dr8_v1"}))
    other = load_survey(config, folder)
    assert other.meta["match"]["by"] == "sky"
    assert "lost digits" in other.meta["match"]["reason"]
    for one, two in zip(survey.regions, other.regions, strict=True):
        assert abs(one.n_stars - two.n_stars) <= 3


def test_all_formats_give_the_same_survey(
    folder: Path, survey: BinnedSurvey, mock: MockCatalogues, tmp_path: Path
) -> None:
    spectra = write_columns(mock.spectra, tmp_path / "s.csv")
    astrometry = write_columns(mock.astrometry, tmp_path / "a.parquet")
    config = parse_survey_config(
        table(
            spectra={"file": str(spectra), "preset": "lamost_dr8_v2"},
            astrometry={"file": str(astrometry), "preset": "gaia_dr3"},
        )
    )
    other = load_survey(config, folder)
    for one, two in zip(survey.regions, other.regions, strict=True):
        assert one.n_stars == two.n_stars
        for name, h in one.histograms.items():
            np.testing.assert_allclose(two.histograms[name].p, h.p, rtol=1e-9)


class Told(list[str]):
    """The stages that work tells of, in order; and the shares of each."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: dict[str, list[float]] = {}

    def __call__(self, stage: str, share: float = 0.0) -> None:
        if stage not in self:
            self.append(stage)
            self.shares[stage] = []
        self.shares[stage].append(share)


@pytest.mark.parametrize(
    "distance",
    [
        {},
        {"method": "parallax"},
        {"magnitudes": "isochrones", "prior": "mass-function"},
        {"magnitudes": "isochrones", "prior": "plate"},
    ],
    ids=["giants", "parallax", "isochrones", "plate"],
)
def test_long_stages_tell_how_far_they_are(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distance: dict[str, object]
) -> None:
    """From 0 to 1, never backwards, and in more than two steps where there are many stars."""
    for room in ("match", "luminosity", "giant_luminosity", "zero_point"):
        monkeypatch.setattr(f"galactions.survey.{room}.CHUNK", 3000)
    if distance.get("magnitudes") == "isochrones":
        distance = {**distance, "isochrones": [str(write_mist(tmp_path / "giants.iso.cmd"))]}
    told = Told()
    load_survey(parse_survey_config(table(match={"by": "sky"}, distance=distance)), folder, told)
    assert told == ALL_STAGES
    for stage, shares in told.shares.items():
        assert shares[0] == 0.0
        assert np.all(np.diff(shares) >= 0), stage
        assert shares[-1] >= 0.95
        assert len(set(shares)) > (4 if stage != "binning" else 2), stage


def test_kept_stars_are_used_until_something_changes(folder: Path, tmp_path: Path) -> None:
    stages = Told()
    config = parse_survey_config(table(work=str(tmp_path / "work")))
    first = load_survey(config, folder, stages)
    assert stages == ALL_STAGES == list(survey_stages(config, folder))
    stages.clear()
    again = load_survey(config, folder, stages)
    assert stages == []
    assert again.meta == first.meta
    for one, two in zip(first.regions, again.regions, strict=True):
        np.testing.assert_array_equal(one.histograms["v_los"].p, two.histograms["v_los"].p)
    work = tmp_path / "work"
    assert sorted(path.name.split("-")[0] for path in work.iterdir()) == [
        "binned",
        "distances",
        "matched",
        "spectra",
    ]
    for change, expected in (
        ({"bins": {"v_los": {"range": [-100, 100], "width": 20.0}}}, ["binning"]),
        ({"distance": {"ratio": "none"}}, ["distances", "binning"]),
        ({"quality": {"ruwe_max": 1.05}}, ALL_STAGES[1:]),
        ({"quality": {"snr_g_min": 20.0}}, ALL_STAGES),
    ):
        stages.clear()
        load_survey(parse_survey_config(table(work=str(work), **change)), folder, stages)
        assert stages == expected, change
    for path in work.iterdir():
        path.write_bytes(b"PAR1 damaged")
    stages.clear()
    load_survey(config, folder, stages)
    assert stages == ALL_STAGES


def test_cuts_that_lack_their_columns(folder: Path, mock: MockCatalogues, tmp_path: Path) -> None:
    bare = {name: c for name, c in mock.astrometry.items() if name != "ruwe"}
    path = write_columns(bare, tmp_path / "bare.fits")
    source = {"file": str(path), "preset": "gaia_edr3"}
    survey = load_survey(parse_survey_config(table(astrometry=source)), folder)
    flow = CutFlow.from_list(survey.meta["cut_flow"])
    assert [cut.note for cut in flow.cuts if cut.name == "RUWE <= 1.4"] == ["not applied: no ruwe"]
    named = parse_survey_config(table(astrometry=source, quality={"ruwe_max": 1.4}))
    with pytest.raises(CatalogueError, match="quality cut 'ruwe_max' needs ruwe"):
        load_survey(named, folder)
    without_k = {name: c for name, c in mock.astrometry.items() if name != "ks_m"}
    path = write_columns(without_k, tmp_path / "no_k.fits")
    config = parse_survey_config(table(astrometry={"file": str(path), "preset": "gaia_edr3"}))
    with pytest.raises(CatalogueError, match=r"distance\.method = 'photometric' needs k_mag"):
        load_survey(config, folder)


def test_unknown_and_negative_values_are_counted(folder: Path, mock: MockCatalogues, tmp_path: Path) -> None:
    """NaN, the blank -9999 and negative errors in spectra, negative parallaxes in the astrometry."""
    spectra = {name: c.copy() for name, c in mock.spectra.items()}
    spectra["rv"][:4], spectra["rv_err"][4:7], spectra["teff"][7:9] = np.nan, -9999.0, -9999.0
    astrometry = {name: c.copy() for name, c in mock.astrometry.items()}
    astrometry["parallax"] = np.where(np.arange(len(astrometry["parallax"])) % 10 == 0, -0.2, 0.8)
    astrometry["pmra_error"][:5] = np.nan
    sources = {
        "spectra": {"file": str(write_columns(spectra, tmp_path / "s.fits")), "preset": "lamost_dr8_v2"},
        "astrometry": {"file": str(write_columns(astrometry, tmp_path / "a.fits")), "preset": "gaia_edr3"},
    }
    rule = {"method": "parallax", "zero_point": False}
    _, flow, _ = giants_with_distances(parse_survey_config(table(**sources, distance=rule)), folder)
    assert flow.removed_by("v_los and its error are known") == 7
    assert flow.removed_by("K giants") >= 2
    assert 0 <= flow.removed_by("proper motion and its error are known") <= 5
    assert flow.removed_by("parallax is positive") > 500


def test_no_star_left_shows_the_cut_flow(folder: Path) -> None:
    config = parse_survey_config(table(quality={"snr_g_min": 1e6}))
    with pytest.raises(CatalogueError, match=r"no star is left:\n(.|\n)*S/N in g > 1e\+06"):
        load_survey(config, folder)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"spectra": {"file": "x", "preset": "gaia_edr3"}},
            "spectra: preset is 'gaia_edr3'; known presets are",
        ),
        ({"astrometry": None}, "spectra and astrometry belong together"),
        ({"catalogue": "x"}, "found catalogue and spectra and astrometry"),
        ({"match": {"radius": 0}}, "match.radius: .*greater than 0"),
        ({"distance": {"magnitudes": "isochrones"}}, "isochrones .* belong together"),
        ({"distance": {"ratio": "guess"}}, "distance.ratio: .*'measure' or 'none'"),
        ({"distance": {"ratio": {"disc": -1}}}, "distance.ratio.disc: .*greater than 0"),
        ({"quality": {"ruwe": 1.4}}, "quality: unknown key 'ruwe' .did you mean 'ruwe_max'"),
        (
            {"spectra": {"file": "x", "preset": "lamost_dr8_v2", "columns": {"kmag": "K"}}},
            "spectra.columns: found kmag; allowed are",
        ),
    ],
)
def test_config_says_what_is_wrong(change: dict, text: str) -> None:
    given = {name: value for name, value in table(**change).items() if value is not None}
    with pytest.raises(ConfigError, match=text):
        parse_survey_config(given)


def test_weights_of_plates_reach_the_histograms(
    folder: Path, mock: MockCatalogues, tmp_path: Path, survey: BinnedSurvey
) -> None:
    rows = np.full((1, 1 + 46 * 61), 2.0)
    rows[0, 0] = 7
    np.savetxt(tmp_path / "plates.csv", rows, fmt="%g", delimiter=",")
    spectra = write_columns(
        dict(mock.spectra) | {"serial": np.full(len(mock.spectra["obsid"]), 7)}, tmp_path / "s.fits"
    )
    source = {"file": str(spectra), "preset": "lamost_dr8_v2", "columns": {"plate": "serial"}}
    weighted = load_survey(
        parse_survey_config(table(spectra=source, plates={"file": str(tmp_path / "plates.csv")})), folder
    )
    for one, two in zip(survey.used, weighted.used, strict=True):
        assert one.n_stars == two.n_stars  # equal weights change nothing
        np.testing.assert_allclose(one.histograms["v_los"].p, two.histograms["v_los"].p, rtol=1e-9)
        np.testing.assert_allclose(one.histograms["v_los"].sigma, two.histograms["v_los"].sigma, rtol=1e-9)
    with pytest.raises(CatalogueError, match="goes by serial number: found 'MOCK01'"):
        load_survey(parse_survey_config(table(plates={"file": str(tmp_path / "plates.csv")})), folder)


def test_weights_and_distances_survive_a_file(tmp_path: Path) -> None:
    stars = disc_stars(50)
    from dataclasses import replace

    stars = replace(stars, weight=np.linspace(1, 2, 50), pm_corr=np.linspace(-0.5, 0.5, 50))
    again, _ = read_catalogue(write_catalogue(stars, tmp_path / "x.fits"), preset="galactions")
    np.testing.assert_array_equal(again.weight, stars.weight)
    np.testing.assert_array_equal(again.pm_corr, stars.pm_corr)


def test_impossible_mocks() -> None:
    stars = disc_stars(20)
    with pytest.raises(ConfigError, match="repeats is -1"):
        MockRecipe(repeats=-1)
    with pytest.raises(ConfigError, match="spectra is 'sdss'; allowed are lamost"):
        MockRecipe(spectra="sdss")
    with pytest.raises(CatalogueError, match="need proper motions"):
        mock_catalogues(Stars(stars.l, stars.b, stars.distance, stars.v_los))
    with pytest.raises(CatalogueError, match="no star is brighter than G = 1"):
        mock_catalogues(stars, MockRecipe(g_limit=1.0))


def test_mock_errors_grow_with_magnitude(mock: MockCatalogues) -> None:
    G, error = mock.astrometry["phot_g_mean_mag"], mock.astrometry["pmra_error"]
    bright, faint = np.median(error[G < 13.5]), np.median(error[(G > 16.5) & (G < 17.5)])
    assert bright == pytest.approx(0.02, rel=0.1)
    assert faint == pytest.approx(0.07, rel=0.2)
    assert mock.spectra["rv_err"].min() >= 3.0


def test_seed_fixes_a_mock(zero_points: None) -> None:
    one, two = (mock_catalogues(disc_stars(300), seed=5) for _ in range(2))
    for name, column in one.astrometry.items():
        np.testing.assert_array_equal(column, two.astrometry[name])
