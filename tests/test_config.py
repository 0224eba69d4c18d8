"""The configuration file: what is allowed, and how mistakes are told (file, key, found, allowed)."""

from pathlib import Path

import numpy as np
import pytest

from galactions.config import Config, load_config, parse_config
from galactions.errors import ConfigError
from galactions.inference import DF_PARAMETERS

MINIMAL = '[survey]\ncatalogue = "stars.fits"\n'
WHOLE = """
[model]
name = "Mc17b"
iterations = 5
final_iterations = "auto"
[model.set]
sigma_r0_thin = 70
d_sun = 8.2

[survey]
catalogue = "stars.fits"
regions = "paper"
min_stars = 100

[projection]
nodes = 4096
replicates = 8
seed = 3
errors = "forward"
observables = ["v_los"]

[fit]
method = "least-squares"
free = ["sigma_r0_thin", "R_sigma_thin"]
uncertainty = "model"
max_trials = 50
tolerance = 0.1
[fit.bounds]
sigma_r0_thin = [10, 200.5]

[output]
folder = "out/here"
"""


def test_a_whole_file(tmp_path):
    path = tmp_path / "my fit.toml"
    path.write_text(WHOLE)
    config = load_config(path)
    assert config.model.name == "Mc17b"
    assert config.model.final_iterations == "auto"
    assert config.model.overrides == {"sigma_r0_thin": 70.0, "d_sun": 8.2}
    assert config.survey.min_stars == 100
    assert config.projection.observables == ("v_los",)
    assert config.fit.free == ("sigma_r0_thin", "R_sigma_thin")
    assert config.fit.bounds == {"sigma_r0_thin": (10.0, 200.5)}
    assert config.folder.as_posix() == "out/here"
    assert config.source == path
    assert config.text == WHOLE


def test_defaults_are_those_of_the_paper(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(MINIMAL)
    config = load_config(path)
    assert (config.model.name, config.model.iterations, config.model.final_iterations) == ("Mc17a", 3, 10)
    assert config.fit.method == "nelder-mead"
    assert config.fit.free == DF_PARAMETERS
    assert config.fit.uncertainty == "data"
    assert config.fit.held_out == ("check",)
    assert config.projection.errors == "paper"
    assert (config.posterior.method, config.posterior.chains) == ("laplace", 4)
    assert config.folder.as_posix() == "runs/small"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[fit]\nmetod = 'nelder-mead'",
            "fit.metod: unknown key; did you mean 'method'? allowed: method, free, bounds",
        ),
        ("[ft]\nmethod = 'nelder-mead'", "ft: unknown key; did you mean 'fit'? allowed: model, survey"),
        (
            "[model]\niterations = -1",
            "model.iterations: found -1 (an integer); allowed: greater than or equal to 0",
        ),
        ("[model]\niterations = 'many'", "model.iterations: found 'many' (a string); allowed: 'auto'"),
        ("[model]\nname = 3", "model.name: found 3 (an integer); allowed: string"),
        ("[model.set]\nd_sun = 'far'", "model.set.d_sun: found 'far' (a string); allowed: number"),
        ("[model.set]\nd_sun = nan", "model.set.d_sun: found nan; allowed: finite numbers"),
        (
            "[fit]\nmethod = 'simplex'",
            "fit.method: found 'simplex' (a string); allowed: 'nelder-mead' or 'least-squares'",
        ),
        (
            "[fit]\nmax_trials = 0",
            "fit.max_trials: found 0 (an integer); allowed: greater than or equal to 1",
        ),
        ("[fit]\nmax_trials = 10.5", "fit.max_trials: found 10.5 (a float); allowed: integer"),
        ("[fit]\nmax_trials = true", "fit.max_trials: found True (a boolean); allowed: integer"),
        ("[fit]\ntolerance = -1.0", "fit.tolerance: found -1.0 (a float); allowed: greater than 0"),
        (
            "[posterior]\nmethod = 'gibbs'",
            "posterior.method: found 'gibbs' (a string); allowed: 'laplace', 'emulated', 'delayed', 'nuts'",
        ),
        (
            "[posterior]\ndraw = 5",
            "posterior.draw: unknown key; did you mean 'draws'? allowed: method, draws, warmup, chains",
        ),
        (
            "[posterior]\nchains = 0",
            "posterior.chains: found 0 (an integer); allowed: greater than or equal to 1",
        ),
        (
            "[posterior]\nmethod = 'nuts'\nwarmup = 5",
            "posterior.warmup: found 5; allowed: at least 20 with posterior.method = 'nuts'",
        ),
        ("[fit]\nfree = []", "fit.free: found an empty list; allowed: one or more names"),
        ("[fit]\nfree = 'd_sun'", "fit.free: found 'd_sun' (a string); allowed: array"),
        ("[fit]\nfree = ['d_sun', 7]", "fit.free.1: found 7 (an integer); allowed: string"),
        (
            "[fit]\nfree = ['d_sun']\nbounds.d_sum = [7, 9]",
            "fit.bounds: 'd_sum' is not among the free parameters; did you mean 'd_sun'? allowed: d_sun",
        ),
        (
            "[fit]\nbounds.sigma_r0_thin = [9, 7]",
            "fit.bounds.sigma_r0_thin: found [9, 7]; allowed: [lower, upper] with lower < upper",
        ),
        ("[fit]\nbounds.sigma_r0_thin = [9]", "fit.bounds.sigma_r0_thin.1: missing"),
        (
            "[projection]\nerrors = 'none'",
            "projection.errors: found 'none' (a string); allowed: 'paper' or 'forward'",
        ),
        (
            "[projection]\nreference = 1024",
            "projection.reference: found 1024; allowed: at least projection.nodes, 2048",
        ),
        (
            "[projection]\nobservables = ['v_log']",
            "projection.observables.0: found 'v_log' (a string); allowed: 'v_los'",
        ),
        ("[output]\nfolder = 3", "output.folder: found 3 (an integer); allowed: string"),
        ("[output]\nfolders = 'x'", "output.folders: unknown key; did you mean 'folder'? allowed: folder"),
        ("[model\n", "not valid TOML"),
    ],
)
def test_mistakes_name_file_key_what_was_found_and_what_is_allowed(tmp_path, text, said):
    path = tmp_path / "fit.toml"
    path.write_text(f"{MINIMAL}\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_mistakes_in_the_survey_table_are_told_the_same_way(tmp_path):
    path = tmp_path / "fit.toml"
    path.write_text('[survey]\ncatalogue = "stars.fits"\nmin_star = 100\n')
    with pytest.raises(ConfigError, match=r"fit.toml: survey: unknown key 'min_star'.*min_stars"):
        load_config(path)
    path.write_text('[survey]\ncatalogue = "stars.fits"\nmin_stars = 0\n')
    with pytest.raises(
        ConfigError, match=r"fit.toml: survey.min_stars: found 0 \(an integer\); allowed: greater than"
    ):
        load_config(path)
    path.write_text("[fit]\n")
    with pytest.raises(ConfigError, match=r"fit.toml: survey: missing"):
        load_config(path)


def test_all_mistakes_are_listed_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_config(MINIMAL + "[fit]\nmax_trials = 0\n[model]\nnam = 'x'\n")
    assert len(str(caught.value).splitlines()) == 2


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing.toml: no such file"):
        load_config(tmp_path / "nothing.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"[model]\nname = '\xe9'\n")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        load_config(tmp_path / "latin.toml")


def test_configurations_do_not_change():
    config = parse_config(MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        config.fit.max_trials = 3
    assert Config.model_validate(config) is config


def test_the_example_of_the_page_on_fitting_is_a_configuration():
    """The TOML of docs/fitting.md, down to the names of parameters, tables and components in it."""
    from galactions.galaxy import named_model
    from galactions.inference import PAPER_PARAMETERS, free_parameters
    from galactions.inference.constraints import Constraints
    from galactions.inference.model_predictor import with_optional

    page = (Path(__file__).parents[1] / "docs" / "fitting.md").read_text(encoding="utf-8")
    settings = parse_config(page.split("```toml\n")[1].split("```")[0]).fit
    spec = with_optional(named_model("Mc17a"), (*settings.free, *settings.ties))
    free = free_parameters(settings.free, spec.parameters, settings.bounds, settings.priors, settings.ties)
    assert free.names == PAPER_PARAMETERS
    assert np.isfinite(free.log_prior(free.start))
    constraints = Constraints.of(settings.constraints, spec.components)
    assert len(constraints) > 30
    assert "vertical force, z = 1.1" in constraints.labels
