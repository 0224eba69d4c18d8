"""The page of a run: complete, self-contained, escaped; and what happens to runs that are not finished or
broken.
"""

import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import galactions as ga
from galactions.inference import RunFolderError, fit
from galactions.report import write_report
from galactions.report.contents import read_run
from galactions.report.model_section import model_words
from galactions.report.parameter_table import _bound_note
from galactions.report.tables import constraint_rows
from galactions.survey import Region, paper_regions

from .conftest import TRUTH, make_problem


@pytest.fixture(scope="module")
def page(run_folder: Path) -> str:
    path = write_report(run_folder)
    assert path == run_folder / "report.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture
def small_run(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    fit(make_problem(paper_regions()[:2], ("v_los",)), folder=folder)
    return folder


def test_page_needs_nothing_but_itself(page):
    loaded = re.findall(r'(?:src|href)\s*=\s*"([^"]+)"', page)
    assert all(
        target.startswith(("data:image/svg+xml;base64,", "data:image/png;base64,", "#")) for target in loaded
    )
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_every_link_within_the_page_has_its_target(page):
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert len(re.findall(r'id="([^"]+)"', page)) == len(ids)


def test_user_text_is_escaped(page):
    assert "galactions fit &lt;giants&gt;.toml" in page
    assert "&lt;script&gt;alert(&#34;no&#34;)&lt;/script&gt;" in page
    assert "too hot &lt;to&gt; be &amp; bound" in page
    assert "K giants &lt;Liu et al. 2014&gt;" in page


def test_every_region_and_its_reduced_chi2_is_told(page, run_folder):
    result = read_run(run_folder).result
    assert result is not None
    rows = re.findall(r'<tr(?: class="out")?><td class="text">(\d\d)</td>(.*?)</tr>', page)
    assert [name for name, _ in rows] == [region.name for region in paper_regions()]
    for (_, cells), row in zip(rows, result.chi2.rows, strict=True):
        assert (f">{row.reduced:.2f}<" in cells) == row.used
    assert "only 120 stars, fewer than min_stars = 200" in page


def test_groups_have_the_means_of_the_fit(page, run_folder):
    result = read_run(run_folder).result
    assert result is not None
    for group, value in result.chi2.groups.items():
        row = re.search(rf'<tr><td class="text">{group}</td>(.*?)</tr>', page)
        assert row is not None
        assert f">{value:.2f}<" in row[1]
    assert f"<b>{result.chi2_total:.2f}</b>" in page


def test_run_is_told_with_version_seed_and_configuration(page):
    assert ga.__version__ in page
    assert re.search(r'<td class="text">seed</td><td class="text wrap">7</td>', page)
    assert "name = &#34;Mc17a&#34;" in page
    assert "giants.fits" in page


def test_a_mock_is_measured_by_its_truth(tmp_path):
    problem = make_problem(paper_regions()[:3], ("v_los", "pm_ra"))
    meta = {**problem.survey.meta, "mock": {"truth": TRUTH}}
    problem = replace(
        problem,
        survey=replace(problem.survey, meta=meta),
        settings=problem.settings.model_copy(update={"method": "least-squares"}),
    )
    result = fit(problem, folder=tmp_path / "mock")
    page = write_report(tmp_path / "mock").read_text(encoding="utf-8")
    assert result.standard_errors is not None
    off = (result.best["sigma_r0_thin"] - TRUTH["sigma_r0_thin"]) / result.standard_errors["sigma_r0_thin"]
    assert f"<td>64</td><td>{off:+.1f}</td>".replace("-", "−") in page


def test_outside_constraints_are_told_with_their_numbers_of_data(run_folder):
    run = read_run(run_folder)
    assert run.result is not None
    table = {"kind": "circular_velocity", "table": "Eilers+2019", "r_min": 6.0, "r_max": 1000.0}
    force = {"kind": "vertical_force", "value": [71.0], "sigma": [6.0], "z": [1.1]}
    record = {**run.record, "settings": {"constraints": [table, force]}}
    result = replace(
        run.result, constraints={"circular velocity of Eilers+2019": 13.37, "vertical force": 0.8}
    )
    rows = constraint_rows(replace(run, record=record, result=result))
    assert [(row["size"], row["chi2"]) for row in rows] == [(36, "13.4"), (1, "0.8")]
    assert constraint_rows(run) == []


def test_parameters_near_a_bound_are_pointed_out():
    assert _bound_note(200.0, 5.0, (1.0, 200.0)) == "at its bound"
    assert _bound_note(188.6, 49.0, (1.5, 200.0)) == "near its bound"
    assert _bound_note(88.6, 49.0, (1.5, 200.0)) == ""
    assert _bound_note(88.6, None, (-math.inf, math.inf)) == ""


def test_groups_without_a_used_region_are_folded_away(tmp_path):
    regions = (
        Region("rich", (160, 170), (-5, 5), (0, 2), count=900, group="one"),
        Region("04", (170, 180), (-5, 5), (0, 2), group="two"),
    )
    fit(make_problem(regions, ("v_los",)), folder=tmp_path / "folded")
    page = write_report(tmp_path / "folded").read_text(encoding="utf-8")
    folded = page[page.index("<details>") : page.index("</details>")]
    assert 'id="v_los_two"' in folded
    assert 'id="v_los_one"' not in folded
    assert "Left out by rule, fewer than min_stars = 200 each: 04 (120)." in page


def test_published_curves_are_cited(page):
    for reference in ("ApJ, 871, 120", "ApJ, 895, L12", "ApJ, 942, 12"):
        assert reference in page.replace("ApJ 8", "ApJ, 8").replace("ApJ 9", "ApJ, 9")


def test_the_model_is_told_in_words(page, run_folder):
    assert "The fit began from Mc17a: discs, bulge, gas and NFW halo" in page
    run = read_run(run_folder)
    assert model_words(replace(run, record={**run.record, "model": "of another version"})) == ""


def test_figures_lie_beside_the_page(page, run_folder):
    names = re.findall(r'<figure id="([^"]+)">', page)
    assert {
        "regions",
        "chi2_by_region",
        "circular_velocity",
        "iterations",
        "trials",
        "v_los_in",
        "pm_dec_pole",
    } <= set(names)
    for name in names:
        assert (run_folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (run_folder / "figures" / f"{name}.svg").read_bytes()[:400]


def test_no_partial_files_are_left(page, run_folder):
    assert not [path for path in run_folder.rglob("*") if "part" in path.name]


def test_second_report_is_the_same_where_the_folder_is_moved(small_run, tmp_path):
    assert ga.report(small_run) == small_run / "report.html"
    first = (small_run / "report.html").read_bytes()
    shutil.move(small_run, tmp_path / "elsewhere")
    assert write_report(tmp_path / "elsewhere").read_bytes() == first


def test_unfinished_run_has_a_page_of_what_there_is(small_run):
    record = json.loads((small_run / "run.json").read_text())
    del record["result"]
    (small_run / "run.json").write_text(json.dumps({**record, "status": "stopped"}))
    for name in ("chi2.csv", "prediction.npz", "galaxy.json", "best_model.toml"):
        (small_run / name).unlink()
    page = write_report(small_run).read_text(encoding="utf-8")
    assert "This run has not ended (stopped)" in page
    assert "lowest mean reduced χ² so far" in page
    assert "has not come to its table" in page


def test_run_without_a_single_trial_has_a_page(small_run):
    record = json.loads((small_run / "run.json").read_text())
    del record["result"]
    (small_run / "run.json").write_text(json.dumps({**record, "status": "running"}))
    (small_run / "trials.jsonl").unlink()
    assert "No trial has been made yet." in write_report(small_run).read_text(encoding="utf-8")


def test_regions_with_odd_names_and_no_group(tmp_path):
    regions = (
        Region("a $strange_name$ & <long> one", (350, 370), (-5, 5), (0, 2), count=900),
        Region("cap", (0, 360), (-90, -80), (0, 2), count=800),
    )
    fit(make_problem(regions, ("v_los",)), folder=tmp_path / "odd")
    page = write_report(tmp_path / "odd").read_text(encoding="utf-8")
    assert "a $strange_name$ &amp; &lt;long&gt; one" in page


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("run.json", None, "there is no run.json"),
        ("run.json", "{", "not valid JSON"),
        ("run.json", '{"format": 99}', "format 99"),
        ("survey.npz", None, "no such file"),
        ("survey.npz", "nonsense", "not a saved survey"),
        ("trials.jsonl", "nonsense\n", "line 1"),
        ("chi2.csv", None, "chi2.csv"),
        ("prediction.npz", "nonsense", "the result cannot be read"),
        ("galaxy.json", "[", "not valid JSON"),
        ("galaxy.json", "[]", "a JSON object was expected"),
    ],
)
def test_broken_run_folder_is_named(small_run, name, content, text):
    path = small_run / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunFolderError, match=re.escape(text)) as error:
        write_report(small_run)
    assert "small" in str(error.value)
    assert not (small_run / "report.html").exists()


def test_missing_folder(tmp_path):
    with pytest.raises(RunFolderError, match="found nothing; a run folder"):
        write_report(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="found a file; a run folder"):
        write_report(tmp_path / "file")
