"""Runs of `galactions survey` that are stopped, and catalogues that something is wrong with."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import galactions as ga
from galactions.cli.stages import Stages, in_words, telling
from galactions.inference.lock import folder_lock
from galactions.survey import (
    PAPER_SUN,
    MockCatalogues,
    MockRecipe,
    Stars,
    mock_catalogues,
    read_catalogue,
    stars_from_phase_space,
)
from galactions.survey.tables import read_columns
from galactions.survey.write_table import write_columns

CONFIG = """
[survey]
v_los_offset = 5.7
min_stars = 100
[survey.spectra]
file = "spectra.fits"
preset = "lamost_dr8_v2"
[survey.astrometry]
file = "astrometry.fits"
preset = "gaia_edr3"
[survey.distance]
zero_point = false
[[survey.regions]]
name = "anticentre"
l = [165, 195]
b = [-10, 10]
distance = [0.6, 4.0]
"""


@pytest.fixture(scope="module")
def mock() -> MockCatalogues:
    """3,000 giants within 25 degrees of ra, with repeated spectra and neighbours."""
    rng = np.random.default_rng(1)
    n = 3000
    still = Stars(rng.uniform(170, 190, n), rng.uniform(-9, 9, n), rng.uniform(0.5, 4, n), *np.zeros((3, n)))
    xv = still.phase_space(PAPER_SUN)
    R = np.hypot(xv[:, 0], xv[:, 1])
    xv[:, 3:] = 225 * np.stack([xv[:, 1] / R, -xv[:, 0] / R, 0 * R], axis=1) + rng.normal(0, 30, (n, 3))
    return mock_catalogues(stars_from_phase_space(xv, PAPER_SUN), MockRecipe(zero_point=False), seed=2)


def write(folder: Path, spectra: dict, astrometry: dict, config: str = CONFIG) -> Path:
    """Both catalogues and the configuration, whose path is returned."""
    folder.mkdir(exist_ok=True)
    write_columns(spectra, folder / "spectra.fits")
    write_columns(astrometry, folder / "astrometry.fits")
    (folder / "my.toml").write_text(config)
    return folder / "my.toml"


def start(config: Path, *options: str) -> subprocess.Popen:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "galactions", "survey", str(config), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


STOPPED = """
import os, sys
from galactions.cli import main
replace, name, number = os.replace, sys.argv.pop(1), int(sys.argv.pop(1))
def watched(source, target):
    replace(source, target)
    if os.path.basename(target).startswith(name):
        os.kill(os.getpid(), number)
os.replace = watched
main()
"""


def stopped(config: Path, stage: str, number: int, *options: str) -> tuple[int, str]:
    """Return code and messages of a run that the signal reaches when a stage has just been kept."""
    command = [sys.executable, "-c", STOPPED, stage, str(int(number)), "survey", str(config), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="kills processes")
def test_a_killed_run_leaves_nothing_unfinished_and_is_taken_up(
    run: Callable, mock: MockCatalogues, tmp_path: Path
) -> None:
    config = write(tmp_path / "run", mock.spectra, mock.astrometry, CONFIG)
    stages, out = config.with_name("my.toml.stages"), config.with_name("binned.npz")
    status, expected, _ = run("survey", str(config), "--json")
    assert status == 0
    files = {path.name for path in config.parent.iterdir()}
    assert files == {"my.toml", "spectra.fits", "astrometry.fits"}  # its stages are gone
    for stage, number, code, options in (
        ("spectra", signal.SIGKILL, -signal.SIGKILL, ()),
        ("distances", signal.SIGTERM, 143, ("--resume",)),
    ):
        returned, told = stopped(config, stage, number, "--out", str(out), *options)
        assert returned == code
        assert not out.exists()
        assert {path.name for path in config.parent.iterdir()} == files | {stages.name}
    assert "reading the spectra" not in told  # of the first run
    assert f"`galactions survey {config} --resume` goes on" in told
    assert not [path for path in stages.iterdir() if path.name.startswith(".")]
    # a file half written when its process was killed goes away with the next one of its name
    (config.parent / ".binned-999999999-x1.npz").write_bytes(b"half")
    last = start(config, "--resume", "--json", "--out", str(out))
    found, told = last.communicate(timeout=120)
    assert last.returncode == 0
    assert "reading the" not in told
    assert json.loads(found) == json.loads(expected)
    assert {path.name for path in config.parent.iterdir()} == files | {out.name}


def test_stages_tell_the_time_that_is_left() -> None:
    now = [100.0]
    stages = Stages({"reading": 2.0, "matching": 1.0, "binning": 5.0}, lambda: now[0])
    stages.begin("reading")
    now[0] += 4.0
    assert (stages.left, stages.share, str(stages)) == (None, 0.0, "reading (1 of 3; 4 s so far)")
    now[0] += 6.0
    stages.begin("matching")  # 10 s for 2: 5 s for each
    assert stages.left == pytest.approx(30.0)
    now[0] += 3.0
    assert stages.left == pytest.approx(27.0)
    assert stages.share == 0.25
    now[0] += 30.0
    assert stages.left == pytest.approx(25.0)  # longer than planned: what comes after is left
    assert str(stages) == "matching (2 of 3; 43 s so far, about 25 s left)"
    with pytest.raises(KeyError, match="not planned"):
        stages.begin("nonsense")
    assert [in_words(s) for s in (59.4, 185, 7800)] == ["59 s", "3 min 5 s", "2 h 10 min"]


def test_a_resumed_run_estimates_by_what_it_does_itself() -> None:
    now = [0.0]
    stages = Stages({"reading": 2.0, "matching": 1.0, "binning": 5.0}, lambda: now[0])
    stages.begin("matching")
    assert stages.left is None
    now[0] = 2.0
    stages.begin("binning")
    assert stages.left == pytest.approx(10.0)


def test_the_share_of_a_stage_counts() -> None:
    now = [0.0]
    stages = Stages({"reading": 2.0, "matching": 4.0, "binning": 2.0}, lambda: now[0])
    stages.go("reading")
    now[0] = 5.0
    stages.go("reading", 0.5)  # 5 s for 1
    assert stages.share == pytest.approx(1 / 8)
    assert stages.left == pytest.approx(35.0)
    now[0] = 10.0
    stages.go("matching")
    assert (stages.share, stages.left) == (0.25, pytest.approx(30.0))
    now[0] = 40.0
    stages.go("matching", 0.75)  # slower than planned: 40 s for 5
    assert str(stages) == "matching (2 of 3, 75 %; 40 s so far, about 24 s left)"
    stages.go("matching", 0.5)  # nothing goes backwards
    assert stages.share == 5 / 8
    now[0] = 48.0
    assert stages.left == pytest.approx(16.0)


def test_a_long_stage_is_told_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with telling("survey", {"matching": 3.0, "binning": 1.0}, lambda: now[0]) as stage:
        for second in range(31):
            now[0] = float(second)
            stage("matching", second / 30)
        stage("binning")
    assert re.findall(r"survey: (\w+ \(. of 2[^;]*)", capsys.readouterr().err) == [
        "matching (1 of 2", "matching (1 of 2, 33 %", "matching (1 of 2, 67 %", "matching (1 of 2, 100 %",
        "binning (2 of 2",
    ]  # fmt: skip


def test_the_sample_is_saved_with_its_phase_space(
    run: Callable, mock: MockCatalogues, tmp_path: Path
) -> None:
    method = CONFIG.replace("zero_point = false", 'zero_point = false\nmethod = "parallax"')
    config = write(tmp_path / "run", mock.spectra, mock.astrometry, method)
    status, _, err = run("survey", str(config), "--stars", str(tmp_path / "giants.fits"))
    assert status == 0
    assert "writing the stars (6 of 6; " in err
    stars, _ = read_catalogue(tmp_path / "giants.fits", preset="galactions")
    assert stars.parallax_pm_ra_corr is not None
    names = ["x", "y", "z", "v_x", "v_y", "v_z", "V_phi", "e_x", "e_v_y", "e_distance"]
    c = read_columns(tmp_path / "giants.fits", names)
    xv = stars.phase_space(PAPER_SUN)
    np.testing.assert_allclose(np.stack([c[n] for n in names[:6]], axis=1), xv, rtol=1e-9, atol=1e-9)
    assert np.median(c["V_phi"]) == pytest.approx(-225, abs=3)
    # towards the anticentre x is the distance but for a constant
    assert np.median(c["e_x"] / c["e_distance"]) == pytest.approx(1.0, abs=0.05)


Columns = dict[str, np.ndarray]


def some(columns: Columns, name: str, value: float, number: int = 7) -> Columns:
    """The columns with a value put into the first rows of one."""
    changed = np.array(columns[name], dtype=float)
    changed[:number] = value
    return columns | {name: changed}


@pytest.mark.parametrize(
    ("spectra", "astrometry", "text"),
    [
        (lambda c: c | {"rv": 1000 * c["rv"]}, None, "v_los has a spread .* looks like m/s"),
        (lambda c: c | {"ra": c["ra"] / 15}, None, "it looks as if the spectra had ra in hours: "),
        (None, lambda c: c | {"ra": c["ra"] / 15}, "it looks as if the astrometry had ra in hours: "),
        (
            lambda c: c | {"ra": np.radians(c["ra"]), "dec": np.radians(c["dec"])},
            None,
            "ra stays below .* look like radians",
        ),
        (lambda c: {k: v for k, v in c.items() if k != "logg"}, None, "spectra.fits: no column 'logg'"),
        (None, lambda c: {k: v for k, v in c.items() if k != "pmra"}, "astrometry.fits: no column 'pmra'"),
        (lambda c: c | {"rv": np.full(len(c["rv"]), np.nan)}, None, "no star has a line-of-sight velocity"),
        (lambda c: c | {"dec": c["dec"] - 40}, None, r"no star of the one lies within 3 arcsec .*ra \d+"),
        (lambda c: c | {"gaia_source_id": c["ra"].astype(str)}, None, "must be a whole number: found"),
    ],
    ids=["m-s", "hours", "hours-gaia", "radians", "no-logg", "no-pmra", "all-NaN", "elsewhere", "ids"],
)  # fmt: skip
def test_what_is_wrong_with_a_whole_catalogue_is_said(
    run: Callable,
    mock: MockCatalogues,
    tmp_path: Path,
    spectra: Callable[[Columns], Columns] | None,
    astrometry: Callable[[Columns], Columns] | None,
    text: str,
) -> None:
    first = spectra(dict(mock.spectra)) if spectra else mock.spectra
    second = astrometry(dict(mock.astrometry)) if astrometry else mock.astrometry
    if astrometry and "ra" in second:  # only the equatorial position is there to go by
        second = {k: v for k, v in second.items() if k not in ("l", "b")}
    config = write(tmp_path / "run", first, second)
    status, out, err = run("survey", str(config), "--out", str(tmp_path / "run" / "x.npz"))
    assert (status, out) == (2, "")
    assert re.search(text, err)
    assert len(list(config.parent.iterdir())) == 3  # the two files and the configuration


def test_a_truncated_catalogue_is_found(run: Callable, mock: MockCatalogues, tmp_path: Path) -> None:
    config = write(tmp_path / "run", mock.spectra, mock.astrometry)
    path = config.with_name("astrometry.fits")
    path.write_bytes(path.read_bytes()[:-50_000])
    status, out, err = run("survey", str(config), "--out", str(tmp_path / "run" / "x.npz"))
    assert (status, out) == (2, "")
    assert "astrometry.fits: cannot be read as fits" in err
    assert len(list(config.parent.iterdir())) == 3


def test_what_is_wrong_with_single_stars_is_counted(
    run: Callable, mock: MockCatalogues, tmp_path: Path
) -> None:
    """NaN, blanks, negative parallaxes and errors, positions off the sky, duplicate ids."""
    spectra = some(dict(mock.spectra), "rv", np.nan)
    spectra["ra"] = np.where(np.arange(len(spectra["ra"])) == 20, 400.0, spectra["ra"])
    spectra["dec"] = np.where(np.arange(len(spectra["ra"])) == 21, np.nan, spectra["dec"])
    astrometry = {name: np.concatenate([c, c[:5]]) for name, c in mock.astrometry.items()}
    astrometry = some(astrometry, "parallax", -0.3, 400)
    astrometry["pmra_error"] = np.where(
        np.arange(len(astrometry["ra"])) % 50 == 0, -1.0, astrometry["pmra_error"]
    )
    config = write(tmp_path / "run", spectra, astrometry)
    status, out, _ = run("survey", str(config), "--json")
    assert status == 0
    told = json.loads(out)
    removed = {cut["name"]: cut["removed"] for cut in told["cut_flow"]}
    assert removed["spectra.fits: position is known"] == 1
    assert removed["spectra.fits: position is on the sky"] == 1
    assert removed["v_los and its error are known"] == 7
    assert removed["proper motion and its error are known"] > 10
    assert told["match"]["duplicate_ids"] == 5
    assert 100 < told["distance"]["not_positive"] <= 400
    left = [cut["left"] for cut in told["cut_flow"]]
    assert left[0] - sum(removed.values()) == left[-1]
    status, out, _ = run("survey", str(config))
    assert "5 duplicate ids" in out
    assert f"parallaxes not used: {told['distance']['not_positive']} not positive" in out


def test_ids_of_another_release_are_found(run: Callable, mock: MockCatalogues, tmp_path: Path) -> None:
    """A third of the ids are of other stars: their positions disagree, and they are matched on the sky."""
    wrong = np.arange(len(mock.spectra["ra"])) % 3 == 0
    ids = mock.spectra["gaia_source_id"].astype(np.int64)
    mixed = np.where(wrong, np.roll(ids, 3), ids).astype(str)
    config = write(tmp_path / "run", dict(mock.spectra) | {"gaia_source_id": mixed}, mock.astrometry)
    status, out, _ = run("survey", str(config), "--json")
    assert status == 0
    match = json.loads(out)["match"]
    assert match["conflicts"] == pytest.approx(match["n_spectra"] / 3, rel=0.1)
    assert match["unmatched"] <= 3
    other = CONFIG.replace("lamost_dr8_v2", "lamost_dr8_v1")
    config = write(tmp_path / "run", mock.spectra, mock.astrometry, other)
    status, out, _ = run("survey", str(config))
    assert "matched by sky (ids of Gaia dr2 in the spectra, dr3 in the other)" in out


@pytest.mark.parametrize(("rule", "left"), [("keep", 400), ("drop", 390)])
def test_repeated_rows_of_a_catalogue_are_counted(
    run: Callable, tmp_path: Path, rule: str, left: int
) -> None:
    rows = ["l,b,distance,v_los,e_v_los,ident"]
    rows += [f"{165 + 0.01 * i},5,1.5,{-40 + 0.2 * i},5,{max(i, 10)}" for i in range(400)]
    (tmp_path / "stars.csv").write_text("\n".join(rows) + "\n")
    text = '[survey]\ncatalogue = "stars.csv"\npreset = "galactions"\nobservables = ["v_los"]\n'
    (tmp_path / "my.toml").write_text(f'{text}repeats = "{rule}"\n')
    status, out, _ = run("survey", str(tmp_path / "my.toml"), "--out", str(tmp_path / "binned.npz"))
    assert status == 0
    assert ga.BinnedSurvey.load(tmp_path / "binned.npz").regions[2].n_stars == left
    assert "is the first row of its ident" in out
    assert ("10 rows have an ident that an earlier one has" in out) == (rule == "keep")


class Screen(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with telling("survey of giants", {"reading": 1.0, "binning": 1.0}) as stage:
        stage("reading")
        time.sleep(0.02)
        stage("binning")
        time.sleep(1.2)
    shown = screen.getvalue()
    assert "survey of giants" in shown
    assert "binning (2 of 2; " in shown
    assert " left)" in shown


def test_stages_that_cannot_be_kept_are_done_all_the_same(
    run: Callable, mock: MockCatalogues, tmp_path: Path
) -> None:
    config = write(tmp_path / "run", mock.spectra, mock.astrometry)
    config.with_name("my.toml.stages").write_text("in the way")
    status, out, err = run("survey", str(config))
    assert status == 0
    assert "stages are not kept" in err
    assert "anticentre" in out
    assert config.with_name("my.toml.stages").read_text() == "in the way"


def test_two_runs_do_not_share_a_folder(run: Callable, mock: MockCatalogues, tmp_path: Path) -> None:
    config = write(tmp_path / "run", mock.spectra, mock.astrometry)
    stages = config.with_name("my.toml.stages")
    stages.mkdir()
    (stages / "matched-1.parquet").write_text("of the other run")
    with folder_lock(stages):
        status, _, err = run("survey", str(config))
        assert status == 2
        assert "is in use by process" in err
        assert (stages / "matched-1.parquet").exists()
