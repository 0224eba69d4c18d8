"""What the documentation shows: the tour of real samples, the paper's configuration, the page's example."""

import runpy
import sys
from pathlib import Path

import pytest

from galactions.survey import MatchReport, read_survey_config

ROOT = Path(__file__).parents[2]


def test_tour_of_real_samples(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tour = runpy.run_path(str(ROOT / "examples" / "real_surveys.py"))
    assert tour["main"](shared / "data") == 0
    out = capsys.readouterr().out
    assert "differs" not in out
    assert out.count("passed over") == 0


def test_tour_without_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tour = runpy.run_path(str(ROOT / "examples" / "real_surveys.py"))
    assert tour["main"](tmp_path) == 0
    assert capsys.readouterr().out.count("passed over") == 5


def test_configuration_of_the_papers_sample() -> None:
    config = read_survey_config(ROOT / "examples" / "lamost_gaia.toml")
    assert config.spectra is not None
    assert config.v_los_offset == 5.7
    assert config.quality.model_dump() == {
        "snr_g_min": 5.0, "gof_al_max": 3.0, "excess_noise_sig_max": 2.0, "ruwe_max": 1.4,
    }  # fmt: skip


def test_the_pages_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["readme_example.py", str(ROOT / "docs" / "survey.md")])
    runpy.run_path(str(ROOT / ".ci" / "readme_example.py"))
    out = capsys.readouterr().out
    assert "went through a float and lost digits" in out
    assert "is the best spectrum of its star" in out
    assert "2 Python block(s) ran" in out


def test_reports_name_their_numbers() -> None:
    report = MatchReport("sky", "asked for", 3.0, 10, 20, 8, 0, 2, 0, 1, 1, 0, 7, {"median": 0.1})
    for words in ("10 spectra", "20 stars", "8 matched", "1 repeated", "7 stars result", "median 0.100"):
        assert words in str(report)
