"""The commands: what they print, what they write, and how they refuse."""

import csv
import io
import json
from pathlib import Path

import pytest

import galactions as ga
from galactions.config import load_config
from galactions.inference.model_predictor import galaxy_facts

from .conftest import PointMassGalaxy, Spec


def test_help_names_every_command(run):
    status, out, _ = run("--help")
    assert status == 0
    for command in ("models", "build", "predict", "survey", "sample", "fit", "posterior", "report", "demo"):
        assert f"\n  {command} " in out


def test_version(run):
    assert run("--version")[:2] == (0, f"{ga.__version__}\n")


def test_models_has_a_line_for_each(run, engine):
    status, out, _ = run("models")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["Mc17a", "Ca20e"]
    assert "the fiducial model" in out


def test_build_json_is_one_object_of_the_agreed_shape(run, engine):
    status, out, err = run("build", "Mc17a", "--iterations", "3", "--set", "sigma_r0_thin=70", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert set(told) == {"model", "parameters", "iterations", "initial"}
    assert told["model"] == "Mc17a"
    assert told["parameters"] == {"d_sun": 8.11, "sigma_r0_thin": 70.0}
    assert len(told["iterations"]) == 3
    keys = {"residual", "v_circ_sun_kms", "r200_kpc", "m200_msun", "density_sun_msun_pc3", "seconds"}
    assert all(set(entry) == keys for entry in [*told["iterations"], told["initial"]])
    assert told["iterations"][0]["residual"] == pytest.approx(0.1)
    assert told["initial"]["density_sun_msun_pc3"] == pytest.approx({"thin_disk": 0.066, "halo": 0.011})
    assert told["initial"]["residual"] is None


@pytest.mark.parametrize(("text", "built"), [("0", [0]), ("2", [0, 2]), ("auto", [0, "auto"])])
def test_build_passes_iterations_on(run, engine, text, built):
    assert run("build", "Mc17a", "--iterations", text)[0] == 0
    assert [iterations for _, iterations in engine] == built


def test_what_a_run_tells_of_its_galaxy_begins_at_the_initial_potential():
    facts = galaxy_facts(PointMassGalaxy(Spec(), 2))
    assert [entry["iteration"] for entry in (facts["initial"], *facts["history"])] == [0, 1, 2]


def test_build_writes_a_model_that_a_config_can_hold(run, engine, tmp_path):
    status, out, _ = run(
        "build", "Mc17a", "--iterations", "1", "--set", "sigma_r0_thin=70", "--out", str(tmp_path / "new")
    )
    assert status == 0
    assert "initial" in out
    galaxy = json.loads((tmp_path / "new/galaxy.json").read_text())
    assert galaxy["v_circ_sun_kms"] == pytest.approx(230.0 * (8.0 / 8.11) ** 0.5)
    assert galaxy["R_kpc"][-1] == 30.0  # beyond the outermost of the published velocities
    text = (tmp_path / "new/model.toml").read_text()
    (tmp_path / "fit.toml").write_text(text + "\n[survey.mock]\n")
    assert load_config(tmp_path / "fit.toml").model.overrides["sigma_r0_thin"] == 70.0


def test_predict_prints_a_row_for_every_bin(run, engine):
    status, out, _ = run("predict", "Mc17a", "--bins", "v_los=-100:100:10", "--bins", "pm_ra=-5:5:1")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 30 * (20 + 10)
    assert rows[0] == {
        "region": "01",
        "observable": "v_los",
        "low": "-100",
        "high": "-90",
        "p": "0.05",
        "error": "0.0005",
    }


def test_predict_writes_to_a_file(run, engine, tmp_path):
    status, out, _ = run("predict", "Mc17a", "--out", str(tmp_path / "deep/seen.csv"))
    assert status == 0
    assert "30 regions" in out
    assert len((tmp_path / "deep/seen.csv").read_text().splitlines()) == 1 + 30 * (30 + 40 + 40)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["build", "Mc17b"], "model: unknown name 'Mc17b'; did you mean Mc17a? allowed: Mc17a, Ca20e"),
        (
            ["build", "Mc17a", "--set", "sigma_r0=70"],
            "unknown name 'sigma_r0'; did you mean sigma_r0_thin?",
        ),
        (["build", "Mc17a", "--figures"], "--figures: needs --out DIR, the folder to draw them into"),
        (["build", "Mc17a", "--set", "sigma_r0_thin=hot"], "found 'hot'; allowed: a number"),
        (["build", "Mc17a", "--set", "sigma_r0_thin=nan"], "allowed: a finite number"),
        (["build", "Mc17a", "--set", "sigma_r0_thin"], "allowed is name=value"),
        (["build", "Mc17a", "--iterations", "-1"], "allowed is a whole number from 0 up, or auto"),
        (["build", "Mc17a", "--iterations", "many"], "allowed is a whole number from 0 up, or auto"),
        (["predict", "Mc17a", "--bins", "v_rad=0:1:1"], "--bins: unknown name 'v_rad'"),
        (["predict", "Mc17a", "--bins", "v_los=0:100"], "allowed is name=low:high:width"),
        (["predict", "Mc17a", "--bins", "v_los=0:100:7"], "a whole number of bins"),
        (["predict", "Mc17a", "--bins", "v_los=0:100:0"], "allowed is name=low:high:width"),
        (["predict", "Mc17a", "--regions", "nowhere.csv"], "nowhere.csv"),
        (["survey", "nowhere.toml"], "nowhere.toml"),
        (["fit", "nowhere.toml"], "nowhere.toml: no such file"),
        (["report", "nowhere"], "nowhere: found nothing; a run folder"),
        (["posterior", "nowhere.toml"], "nowhere.toml: no such file"),
        (
            ["posterior", "nowhere.toml", "--method", "nut"],
            "--method: unknown name 'nut'; did you mean nuts?",
        ),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(run, engine, arguments, text):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.startswith("galactions: ")
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["build"], ["build", "Mc17a", "--nonsense"], ["nonsense"], ["report"]])
def test_usage_errors_have_status_2(run, arguments):
    status, _, err = run(*arguments)
    assert status == 2
    assert "Traceback" not in err


def test_out_that_is_a_file_is_refused(run, engine, tmp_path):
    (tmp_path / "taken").write_text("")
    status, _, err = run("build", "Mc17a", "--iterations", "0", "--out", str(tmp_path / "taken"))
    assert status == 2
    assert "cannot be made a folder" in err


def test_stopped_fit_says_how_to_go_on(run, monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ga, "fit", stopped)
    status, _, err = run("fit", str(tmp_path / "my.toml"))
    assert status == 130
    assert f"galactions fit {tmp_path}/my.toml --resume" in err


def test_survey_tells_the_cut_flow_and_the_regions(run, tmp_path):
    stars = ["l,b,distance,v_los,e_v_los,teff,logg,feh"]
    stars += [f"{165 + 0.01 * i},5,1.5,{-40 + 0.2 * i},5,4500,2.3,-0.2" for i in range(400)]
    (tmp_path / "stars.csv").write_text("\n".join(stars) + "\n")
    (tmp_path / "my.toml").write_text(
        '[survey]\ncatalogue = "stars.csv"\npreset = "galactions"\nobservables = ["v_los"]\n'
    )
    status, out, err = run("survey", str(tmp_path / "my.toml"), "--out", str(tmp_path / "binned.npz"))
    assert status == 0
    assert [line.split(": ")[1].split(" (")[0] for line in err.splitlines()] == [
        "reading the catalogue",
        "binning",
    ]
    assert "rows of stars.csv" in out
    assert ga.BinnedSurvey.load(tmp_path / "binned.npz").regions[2].n_stars == 400
    status, out, _ = run("survey", str(tmp_path / "my.toml"), "--json")
    told = json.loads(out)
    assert told["regions"][2]["stars"] == 400
    assert told["regions"][2]["used"]
    assert not told["regions"][0]["used"]
    assert told["regions"][0]["reason"] == "no stars"


def test_demo_needs_no_input_and_ends_in_a_report(run, monkeypatch, tmp_path):
    seen: dict[str, object] = {}

    class Result:
        folder = tmp_path / "demo"

        def summary(self) -> str:
            return "Best fit of Mc17a:"

    def fit(config, **options):
        seen.update(config=config, **options)
        return Result()

    monkeypatch.setattr(ga, "fit", fit)
    monkeypatch.setattr("galactions.report.write_report", lambda folder: Path(folder) / "report.html")
    status, out, _ = run("demo", "--out", str(tmp_path / "demo"))
    assert status == 0
    assert seen["folder"] == tmp_path / "demo"
    assert seen["resume"] is True
    assert seen["config"].survey.mock is not None
    assert f"report: {tmp_path}/demo/report.html" in out


def test_survey_draws_the_sample(run, tmp_path):
    stars = ["l,b,distance,v_los,e_v_los,pm_ra,pm_dec,e_pm_ra,e_pm_dec"]
    stars += [
        f"{165 + 0.01 * i},5,1.5,{-20 + 0.1 * i},5,{0.01 * i},{-0.01 * i},0.05,0.05" for i in range(400)
    ]
    (tmp_path / "stars.csv").write_text("\n".join(stars) + "\n")
    (tmp_path / "my.toml").write_text('[survey]\ncatalogue = "stars.csv"\npreset = "galactions"\n')
    status, _, err = run("survey", str(tmp_path / "my.toml"), "--figures", str(tmp_path / "figures"))
    assert status == 0
    assert "figures (3 of 3; " in err
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert drawn == ["regions.png", "sample.png"]


def test_survey_fetch_shows_its_query_and_refuses_nonsense(run, tmp_path):
    status, out, _ = run("survey", "fetch", "--show-query", "--release", "gaia_dr3")
    assert status == 0
    assert "FROM gaiadr3.gaia_source AS g" in out
    status, _, err = run("survey", "fetch", "--spectra", "sdss")
    assert status == 2
    assert "'sdss' is no preset of LAMOST spectra" in err


def test_sample_writes_the_stars_asked_for(run, engine, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(ga, "write_stars", lambda *a, **k: asked.append((*a[1:], k)), raising=False)
    path = tmp_path / "new" / "stars.parquet"
    status, out, _ = run(
        "sample", "Mc17a", "-n", "3e4", "--out", str(path), "--seed", "5", "--component", "bulge", "--single"
    )
    assert status == 0
    assert out == f"{path}: 30,000 stars of bulge\n"
    assert asked == [(path, 30_000, ("bulge",), 5, {"precision": "float32"})]
    assert path.parent.is_dir()
    assert [rounds for _, rounds in engine] == [3]


def test_sample_refuses_half_a_star(run, engine, tmp_path):
    status, _, err = run("sample", "Mc17a", "-n", "1.5", "--out", str(tmp_path / "stars.parquet"))
    assert status == 2
    assert "allowed is a whole number" in err
    assert not engine


class Posterior:
    folder = Path("runs/my/posterior/nuts")

    def summary(self) -> str:
        return "Posterior of Mc17a by nuts:"


def test_posterior_passes_its_options_on_and_writes_the_report(run, monkeypatch, tmp_path):
    seen: dict[str, object] = {}

    def sample(config, **options):
        seen.update(config=config, **options)
        return Posterior()

    monkeypatch.setattr(ga, "sample_posterior", sample)
    monkeypatch.setattr("galactions.report.write_report", lambda folder: Path(folder) / "report.html")
    config = tmp_path / "my.toml"
    config.write_text(f'[survey.mock]\n[posterior]\ndraws = 60\n[output]\nfolder = "{tmp_path}/run"\n')
    arguments = ("posterior", str(config), "--method", "nuts", "--resume", "--workers", "2")
    status, out, _ = run(*arguments)
    assert status == 0
    assert seen["config"].posterior.draws == 60
    assert (seen["method"], seen["resume"], seen["workers"], seen["scheduler"]) == ("nuts", True, 2, None)
    assert "Posterior of Mc17a by nuts:" in out
    assert "report:" not in out  # there is no fit in the folder
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    assert f"report: {tmp_path}/run/report.html" in run(*arguments)[1]


def test_stopped_posterior_says_how_to_go_on(run, monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ga, "sample_posterior", stopped)
    config = tmp_path / "my.toml"
    config.write_text("[survey.mock]\n")
    status, _, err = run("posterior", str(config), "--method", "delayed")
    assert status == 130
    assert f"galactions posterior {config} --method delayed --resume" in err
