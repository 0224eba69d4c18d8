"""Specifications of models: names, changes, and what is refused."""

import pickle

import pytest

import galactions as ga
from galactions.errors import ModelError
from galactions.galaxy import ModelSpec, load_model


def test_named_models():
    names = ga.named_models()
    assert "Mc17a" in names
    assert "Mc17" not in names, "an abstract table is no model"
    assert names == sorted(names)
    for name in names:
        spec = ga.named_model(name)
        assert spec.name == name
        assert spec.source
        assert "d_sun" in spec.parameters


def test_parameters_of_mc17a():
    """Table 2, first row; the fixed parts are McMillan's (2017)."""
    parameters = ga.named_model("Mc17a").parameters
    assert parameters["Sigma0_thin"] == 8.95e8
    assert parameters["d_sun"] == 8.11
    assert parameters["R_sigma_thick"] == 18.73
    assert parameters["rho0_bulge"] == pytest.approx(9.8351e10)


def test_unknown_model_names_those_that_exist():
    with pytest.raises(ModelError, match=r"'Mc17z'.*Mc17a"):
        ga.named_model("Mc17z")


def test_replace_returns_a_changed_copy():
    spec = ga.named_model("Mc17a")
    changed = spec.replace(sigma_r0_thin=70)
    assert changed.parameters["sigma_r0_thin"] == 70.0
    assert spec.parameters["sigma_r0_thin"] == 63.99
    assert changed.changed == ("sigma_r0_thin",)
    assert changed != spec
    assert changed.replace(sigma_r0_thin=63.99).parameters == spec.parameters


def test_parameters_cannot_be_written_to():
    with pytest.raises(TypeError):
        ga.named_model("Mc17a").parameters["d_sun"] = 9.0


def test_spec_survives_pickling_and_hashing():
    spec = ga.named_model("Mc17a")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(spec) == hash(ga.named_model("Mc17a"))


def test_unknown_parameter_suggests_the_closest():
    with pytest.raises(ModelError, match=r"no parameter 'sigma_R0_thin'; did you mean .*sigma_r0_thin"):
        ga.named_model("Mc17a").replace(sigma_R0_thin=60.0)


def test_parameter_like_no_other_lists_the_allowed_ones():
    with pytest.raises(ModelError, match=r"allowed: .*R_d_thin"):
        ga.named_model("Mc17a").replace(xyzzy=1.0)


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("R_d_thin", -2.5, "must be positive"),
        ("h_thick", 0.0, "must be positive"),
        ("sigma_z0_thin", float("nan"), "must be a finite number"),
        ("rho0_halo", float("inf"), "must be a finite number"),
        ("coef_jr_thin", -0.1, "must not be negative"),
        ("gamma_halo", 2.5, "must be below 2"),
    ],
)
def test_impossible_values(name, value, words):
    with pytest.raises(ModelError, match=f"{name} = .*{words}"):
        ga.named_model("Mc17a").replace(**{name: value})


def test_missing_parameters_are_named():
    spec = ga.named_model("Mc17a")
    parameters = {name: value for name, value in spec.parameters.items() if name != "h_thin"}
    with pytest.raises(ModelError, match=r"missing parameter\(s\) h_thin"):
        ModelSpec("mine", spec.components, parameters)


@pytest.mark.parametrize("iterations", [-1, 2.5, "many", True])
def test_iterations_that_make_no_sense(iterations):
    with pytest.raises(ModelError, match='whole number >= 0 or "auto"'):
        ga.build("Mc17a", iterations=iterations)


class TestLoadModel:
    def test_named_model_with_changes(self, tmp_path):
        path = tmp_path / "best_model.toml"
        path.write_text('[model]\nname = "Mc17a"\n[model.set]\nsigma_r0_thin = 61.5\nd_sun = 8.2\n')
        spec = load_model(path)
        assert spec == ga.named_model("Mc17a").replace(sigma_r0_thin=61.5, d_sun=8.2)

    def test_missing_file(self, tmp_path):
        with pytest.raises(ModelError, match=r"nothing\.toml: no such file"):
            load_model(tmp_path / "nothing.toml")

    @pytest.mark.parametrize(
        "text, words",
        [
            ("[model\n", "not a TOML file"),
            ("[other]\n", "missing model.name"),
            ('[model]\nname = "Mc18"\n', "no model named 'Mc18'"),
            ('[model]\nname = "Mc17a"\n[model.set]\nd_sum = 8.0\n', "did you mean d_sun"),
        ],
    )
    def test_file_that_is_no_model(self, tmp_path, text, words):
        path = tmp_path / "model.toml"
        path.write_text(text)
        with pytest.raises(ModelError, match=words):
            load_model(path)
