"""The page's section of posteriors."""

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from galactions.inference import FinalModel, RunFolderError, fit
from galactions.inference.posterior import (
    PosteriorSettings,
    load_posterior,
    posterior_folder,
    sample_posterior,
)
from galactions.report import write_report
from galactions.report.numbers import with_error
from galactions.report.posterior import corner_figure, derived_rows, shown_bands
from galactions.survey import paper_regions

from .conftest import GaussianModel, make_problem


class WithFacts(GaussianModel):
    """Tells a galaxy whose circular velocity follows the first free parameter."""

    def trial_model(self, parameters):
        part = parameters["sigma_r0_thin"] / 64.0
        facts = {
            **self.galaxy,
            "v_circ_kms": np.asarray(self.galaxy["v_circ_kms"]) * part,
            "m200_msun": 1.3e12 * part,
        }
        return FinalModel(self.predict(parameters), facts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("posteriors") / "run"
    problem = make_problem(paper_regions()[:3], ("v_los", "pm_ra"))
    plain = problem.predictor
    problem = dataclasses.replace(problem, predictor=WithFacts(plain.edges, plain.regions, plain.galaxy))
    fit(problem, folder=folder)
    for method, changes in (("laplace", {"draws": 300, "target_ess": 200.0}), ("delayed", {"draws": 20})):
        settings = PosteriorSettings(method=method, bands=20, warmup=5, chains=2, **changes)
        sample_posterior(problem, settings=settings, folder=posterior_folder(folder, method))
    return folder


@pytest.fixture(scope="module")
def page(folder) -> str:
    return write_report(folder).read_text(encoding="utf-8")


def test_each_posterior_has_its_table_and_words(page, folder):
    section = page[page.index('<section id="posterior">') : page.index('<section id="course">')]
    assert "By importance sampling from the normal approximation" in section
    assert "By delayed acceptance on an emulator" in section
    for method in ("laplace", "delayed"):
        result = load_posterior(posterior_folder(folder, method))
        for row in result.parameters:
            low, high = (with_error(end, row.deviation)[0] for end in (row.low_68, row.high_68))
            assert f"{low} to {high}" in section
        for sentence in result.sentences:
            assert sentence.replace("'", "&#39;") in section
    assert section.count('<div class="words">') == 1  # of the one that is reliable
    assert section.count('<div class="warning">') == 1  # of the one with too few draws
    assert section.count("data:image/png;base64,") == 2
    assert '<a href="#posterior">' in page


def test_bands_are_those_of_the_reliable_posterior(page, folder):
    bands = shown_bands([load_posterior(posterior_folder(folder, m)) for m in ("laplace", "delayed")])
    assert bands is not None
    np.testing.assert_array_equal(
        bands.heights, load_posterior(posterior_folder(folder, "laplace")).bands.heights
    )
    assert "Bands: the central 68% and 95% of the posterior." in page
    assert "the paler band: the central 95% of the posterior" in page


def test_derived_quantities_have_intervals_where_they_vary(page, folder):
    bands = load_posterior(posterior_folder(folder, "laplace")).bands
    rows = {row["words"]: row for row in derived_rows(bands)}
    mass = 1e-12 * bands.facts["m200_msun"]
    half_width = 0.5 * float(mass[3] - mass[1])
    assert rows["virial mass M200"]["median"] == with_error(float(mass[2]), half_width)[0]
    assert "distance of the Sun from the Galactic centre" not in rows
    assert not [words for words in rows if words.startswith("density at the Sun")]  # the same in all draws
    assert "virial mass M<sub>200</sub>" in page


def test_page_without_posteriors_has_no_section(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "posterior")
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert "#posterior" not in page
    assert "of the posterior" not in page


def test_a_posterior_under_way_is_passed_by_and_a_damaged_one_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "run")
    record = posterior_folder(tmp_path / "run", "delayed") / "run.json"
    text = record.read_text()
    record.write_text(re.sub(r'"result": \{.*', '"result": null}', text, flags=re.DOTALL))
    assert "delayed acceptance" not in write_report(tmp_path / "run").read_text(encoding="utf-8")
    record.write_text(text)
    (record.parent / "summary.csv").unlink()
    with pytest.raises(RunFolderError, match="delayed: the result cannot be read"):
        write_report(tmp_path / "run")


def test_corner_plot_of_odd_draws():
    rng = np.random.default_rng(0)
    draws = np.column_stack([rng.normal(9e8, 1e7, 200), np.ones(200), rng.normal(0, 1e-5, 200)])
    figure = corner_figure(draws, ["Sigma0_thin", "still", "tiny_$name$"])
    labels = {axes.get_xlabel() for axes in figure.axes} - {""}
    assert labels == {"Sigma0_thin / 1e8", "tiny_$name$ / 1e-6"}
    assert corner_figure(np.ones((50, 2)), ["a", "b"]) is None
