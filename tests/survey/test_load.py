"""From a file to binned velocity distributions, and the saved form."""

import time
from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError, ConfigError
from galactions.survey import (
    BinnedSurvey,
    CutFlow,
    ErrorModel,
    Region,
    Stars,
    bin_regions,
    bin_survey,
    load_stars,
    load_survey,
    observe,
    parse_survey_config,
    prepare_stars,
)

from .conftest import disc_stars

BOXES = [
    {"name": "near", "group": "in", "l": [170, 190], "b": [-20, 20], "distance": [0, 3]},
    {"name": "far", "group": "out", "l": [160, 200], "b": [-20, 20], "distance": [3, 5]},
    {"name": "nobody", "l": [0, 20], "b": [-20, 20], "distance": [0, 3]},
    {"name": "few", "l": [180, 181], "b": [0, 10], "distance": [0, 3]},
]
ERRORS = {"v_los": 5.0, "pm": 0.05}


def toml(tmp_path: Path, catalogue: str = "mock.parquet") -> Path:
    path = tmp_path / "fit.toml"
    boxes = "".join(
        f'[[survey.regions]]\nname = "{b["name"]}"\nl = {b["l"]}\nb = {b["b"]}\ndistance = {b["distance"]}\n'
        for b in BOXES
    )
    path.write_text(f'[survey]\ncatalogue = "{catalogue}"\n[survey.errors]\nv_los = 5.0\npm = 0.05\n{boxes}')
    return path


def test_the_whole_road(mock_file: Path, tmp_path: Path) -> None:
    survey = load_survey(toml(tmp_path))
    assert survey.observables == ("v_los", "pm_ra", "pm_dec")
    by_name = {r.region.name: r for r in survey.regions}
    assert [r.region.name for r in survey.used] == ["near", "far"]
    assert by_name["nobody"].reason == "no stars"
    assert by_name["nobody"].histograms == {}
    assert by_name["few"].reason.startswith(
        f"only {by_name['few'].n_stars} stars, fewer than min_stars = 200"
    )
    assert by_name["near"].errors == {"v_los": 5.0, "pm_ra": 0.05, "pm_dec": 0.05}
    for region in survey.used:
        for h in region.histograms.values():
            assert 0.95 < h.p.sum() <= 1.0
            assert h.counts.min() >= 20
            np.testing.assert_allclose(h.sigma, np.sqrt(h.p * (1 - h.p) / region.n_stars))
    flow = CutFlow.from_list(survey.meta["cut_flow"])
    assert flow.cuts[0].left == 3000
    assert flow.left == sum(r.n_stars for r in survey.used)
    assert len(survey.meta["sha256"]) == 64
    assert "nobody" in str(survey)


def test_saved_and_loaded(mock_file: Path, tmp_path: Path) -> None:
    survey = load_survey(toml(tmp_path))
    path = survey.save(tmp_path / "run" / "survey.npz")
    again = BinnedSurvey.load(path)
    assert again.observables == survey.observables
    assert again.meta == survey.meta
    for one, two in zip(again.regions, survey.regions, strict=True):
        assert (one.region, one.n_stars, one.used, one.reason, one.errors) == (
            two.region, two.n_stars, two.used, two.reason, two.errors,
        )  # fmt: skip
        assert list(one.histograms) == list(two.histograms)
        for name, h in one.histograms.items():
            for key in ("edges", "p", "sigma", "counts"):
                np.testing.assert_array_equal(getattr(h, key), getattr(two.histograms[name], key))
    assert [p.name for p in path.parent.iterdir()] == ["survey.npz"]


def test_damaged_or_missing_save(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no such file"):
        BinnedSurvey.load(tmp_path / "none.npz")
    path = tmp_path / "bad.npz"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(CatalogueError, match="damaged"):
        BinnedSurvey.load(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(CatalogueError, match="not a saved survey"):
        BinnedSurvey.load(path)


def test_config_in_memory_and_offset(mock_file: Path) -> None:
    base = {"catalogue": mock_file.name, "errors": ERRORS, "cuts": {"disc_velocities": False}}
    plain, _ = load_stars(parse_survey_config(base), mock_file.parent)
    moved, _ = load_stars(parse_survey_config({**base, "v_los_offset": 5.7}), mock_file.parent)
    np.testing.assert_allclose(moved.v_los, plain.v_los + 5.7)
    np.testing.assert_array_equal(plain.e_v_los, 5.0)


def test_regions_go_by_observed_positions() -> None:
    true = disc_stars(20_000)
    seen = observe(true, ErrorModel(), seed=0)
    config = parse_survey_config({"mock": {}, "cuts": {"k_giants": False}, "regions": BOXES[:2]})
    stars, flow = prepare_stars(seen, config)
    survey = bin_survey(stars, config, flow)
    box = Region("near", (170, 190), (-20, 20), (0, 3))
    assert survey.regions[0].n_stars == box.contains(stars.l, stars.b, stars.distance).sum()
    assert survey.regions[0].errors["distance_fraction"] == pytest.approx(0.15)


def test_methods_agree_within_the_errors() -> None:
    stars = observe(disc_stars(4000), ErrorModel(), seed=0)
    box = (Region("near", (170, 190), (-20, 20), (0, 3)),)
    exact, resampled, counts = (
        bin_regions(stars, box, stars.observables, method=m)[0].histograms
        for m in ("exact", "resampled", "counts")
    )
    for name, h in exact.items():
        np.testing.assert_array_equal(h.edges, counts[name].edges)
        n = counts[name].counts.sum() / counts[name].p.sum()
        assert np.all(np.abs(h.p - resampled[name].p) < 0.15 * h.sigma + 1 / n)
        assert np.all(np.abs(resampled[name].sigma / h.sigma - 1) < 0.1)
        assert np.all(np.abs(h.p - counts[name].p) < 4 * h.sigma)


def test_no_region_with_enough_stars(mock_file: Path) -> None:
    config = parse_survey_config({"catalogue": mock_file.name, "errors": ERRORS, "regions": BOXES[2:]})
    with pytest.raises(
        CatalogueError, match=r"no region can be used: of .* fullest region, 'few', holds \d+"
    ):
        load_survey(config, mock_file.parent)


def test_bins_beside_the_data_are_a_reason(mock_file: Path) -> None:
    table = {"catalogue": mock_file.name, "errors": ERRORS, "regions": BOXES[:2], "observables": ["v_los"]}
    bins = {"v_los": {"range": [300, 900], "width": 10}}
    with pytest.raises(CatalogueError, match="stars lie within the bins of v_los"):
        load_survey(parse_survey_config({**table, "bins": bins}), mock_file.parent)


def test_errors_must_come_from_somewhere(mock_file: Path) -> None:
    table = {"catalogue": mock_file.name, "regions": BOXES[:2]}
    with pytest.raises(CatalogueError, match=r"'exact' needs the error of v_los .*no column e_v_los"):
        load_survey(parse_survey_config(table), mock_file.parent)
    survey = load_survey(parse_survey_config({**table, "histogram": "counts"}), mock_file.parent)
    assert len(survey.used) == 2


def test_observables_that_are_not_there() -> None:
    stars = disc_stars(300)
    four_d = Stars(stars.l, stars.b, stars.distance, stars.v_los, e_v_los=np.full(300, 5.0))
    config = parse_survey_config({"mock": {}, "observables": ["pm_ra"], "regions": BOXES[:2]})
    with pytest.raises(CatalogueError, match="'pm_ra' is asked for: the stars have only v_los"):
        bin_survey(four_d, config)


def test_mock_config_has_no_file() -> None:
    with pytest.raises(ConfigError, match="whose stars come from a model"):
        load_survey(parse_survey_config({"mock": {}}))


def test_missing_catalogue_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"gone\.csv: no such file"):
        load_survey(toml(tmp_path, "gone.csv"))


def test_600_000_stars_within_seconds(tmp_path: Path) -> None:
    from galactions.survey import write_catalogue

    stars = observe(disc_stars(60_000), ErrorModel(), seed=0).select(np.tile(np.arange(60_000), 10))
    path = write_catalogue(stars, tmp_path / "big.parquet")
    start = time.process_time()  # other work on the machine does not count
    survey = load_survey(parse_survey_config({"catalogue": str(path)}))
    assert time.process_time() - start < 20.0
    assert len(survey.used) >= 20
