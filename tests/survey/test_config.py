"""The [survey] table: what is accepted, and what an error says."""

from pathlib import Path

import pytest

from galactions.errors import ConfigError
from galactions.survey import Region, paper_regions, parse_survey_config, read_survey_config, survey_regions
from galactions.survey.config_file import resolve_path


def test_defaults_are_the_papers() -> None:
    config = parse_survey_config({"catalogue": "stars.fits"})
    assert (config.cuts.k_giants, config.cuts.feh_min, config.cuts.v_phi) == (True, -1.0, (-350.0, -100.0))
    assert config.histogram == "exact"
    assert config.sun.to_sun().v0 == 232.8
    assert survey_regions(config) == paper_regions()


def test_all_keys_together() -> None:
    config = parse_survey_config(
        {
            "catalogue": "a.csv",
            "preset": "lamost_dr3_rgb",
            "columns": {"v_los": "RV", "distance": {"name": "d_pc", "scale": 1e-3}},
            "missing": [-9999, -1],
            "v_los_offset": 5.7,
            "cuts": {"feh_min": False, "v_R": [-100, 100]},
            "errors": {"v_los": 5, "pm": 0.05, "distance_fraction": 0.2},
            "sun": {"d": 8.1},
            "regions": [{"name": "A", "l": [160, 200], "b": [-5, 5], "distance": [0, 2], "group": "g"}],
            "paper_regions": [24],
            "observables": ["v_los"],
            "histogram": "counts",
            "bins": {"v_los": {"range": [-200, 200], "width": 10, "min_count": 0}},
            "min_stars": 100,
            "seed": 3,
        }
    )
    assert survey_regions(config) == (Region("A", (160, 200), (-5, 5), (0, 2), "g"), paper_regions()[23])
    assert parse_survey_config(config.model_dump(mode="json")) == config  # what is saved can be read again


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            {"catalog": "a"},
            r"unknown key 'catalog' \(did you mean 'catalogue'\?\); allowed are catalogue, preset",
        ),
        ({"catalogue": "a", "cuts": {"feh": -1}}, "cuts: unknown key 'feh'.*'feh_min'"),
        ({}, "either catalogue .* or mock .*found neither"),
        ({"catalogue": "a", "mock": {}}, "found catalogue and mock"),
        (
            {"catalogue": "a", "preset": "sdss"},
            "preset: found 'sdss'; known presets are apogee",
        ),
        ({"catalogue": "a", "min_stars": 0}, r"min_stars: .*greater than or equal to 1 \(found 0\)"),
        ({"catalogue": "a", "min_stars": "many"}, r"min_stars: .*integer \(found 'many'\)"),
        ({"catalogue": "a", "v_los_offset": float("nan")}, "v_los_offset: .*finite"),
        (
            {"catalogue": "a", "histogram": "median"},
            "histogram: .*'exact', 'resampled' or 'counts'.*'median'",
        ),
        ({"catalogue": "a", "errors": {"v_los": -1}}, "errors.v_los: .*greater than or equal to 0"),
        ({"catalogue": "a", "columns": {"vlos": "x"}}, "columns.vlos"),
        (
            {"catalogue": "a", "cuts": {"v_R": [5, -5]}},
            r"cuts: v_R is \[5.0, -5.0\]; it must be \[lower, upper\]",
        ),
        ({"catalogue": "a", "bins": {"v_los": {"width": 5}}}, "bins.v_los: range and width belong together"),
        ({"catalogue": "a", "bins": {"v_los": {"edges": [0, 0]}}}, "bins.v_los: edges .*increase"),
        (
            {"catalogue": "a", "bins": {"v_los": {"edges": [0, 1], "width": 1}}},
            "either edges, or range and width",
        ),
        ({"catalogue": "a", "bins": {"v_los": {"range": [0, 1e9], "width": 1}}}, "more than 10,000 bins"),
        (
            {"catalogue": "a", "paper_regions": [31]},
            r"paper_regions: found \[31\]; Table 1 has the regions 1 to 30",
        ),
        ({"catalogue": "a", "observables": ["v_los", "v_los"]}, "observables: found .*at most once"),
        (
            {"catalogue": "a", "regions": [{"name": "A", "l": [200, 160], "b": [-5, 5], "distance": [0, 2]}]},
            r"regions.0: region 'A': l is .*lower < upper",
        ),
        (
            {"catalogue": "a", "regions": [{"name": "A", "l": [160, 200], "b": [-5, 5]}]},
            "regions.0.distance: .*required",
        ),
        ({"mock": {"distance_fraction": 1.5}}, "mock.distance_fraction: .*less than 1"),
    ],
)
def test_errors_name_the_key_what_was_found_and_what_is_allowed(table: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){text}") as caught:
        parse_survey_config(table, "here")
    assert str(caught.value).startswith("here: ")


def test_regions_must_be_named_apart(tmp_path: Path) -> None:
    box = {"name": "24", "l": [160, 200], "b": [-5, 5], "distance": [0, 2]}
    with pytest.raises(ConfigError, match="'24' more than once"):
        survey_regions(parse_survey_config({"catalogue": "a", "regions": [box], "paper_regions": [24]}))
    with pytest.raises(ConfigError, match="no regions"):
        survey_regions(parse_survey_config({"catalogue": "a", "regions": []}))
    with pytest.raises(ConfigError, match=r"boxes\.csv: the file of regions cannot be read"):
        survey_regions(parse_survey_config({"catalogue": "a", "regions": "boxes.csv"}), tmp_path)


def test_toml_file(tmp_path: Path) -> None:
    path = tmp_path / "fit.toml"
    path.write_text('[model]\nname = "Mc17a"\n[survey]\ncatalogue = "stars.csv"\n')
    assert read_survey_config(path).catalogue == "stars.csv"
    for text, match in [
        ('[model]\nname = "x"\n', r"no \[survey\] table; found model"),
        ("[survey\n", "not a valid TOML file"),
        (
            '[survey]\ncatalogue = "a"\nmin_star = 3\n',
            r"fit\.toml: \[survey\]: survey: unknown key 'min_star'",
        ),
    ]:
        path.write_text(text)
        with pytest.raises(ConfigError, match=match):
            read_survey_config(path)
    with pytest.raises(ConfigError, match=r"none\.toml: the configuration file cannot be read"):
        read_survey_config(tmp_path / "none.toml")


def test_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHERE", raising=False)
    assert resolve_path("${WHERE:-../data}/a.csv", "conf") == Path("conf/../data/a.csv")
    monkeypatch.setenv("WHERE", "/data")
    assert resolve_path("${WHERE:-../data}/a.csv", "conf") == Path("/data/a.csv")
    assert resolve_path("~/a.csv") == Path("~/a.csv").expanduser()
    with pytest.raises(ConfigError, match="environment variable NOWHERE_SET is not set"):
        resolve_path("${NOWHERE_SET}/a.csv")
