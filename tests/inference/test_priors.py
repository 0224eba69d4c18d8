"""Priors against scipy's laws, their slopes against finite differences, and ties of parameters."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats as laws
from gaussians import TRUTH, SmoothGaussians, problem, survey_from

from galactions.config import parse_config
from galactions.errors import ConfigError
from galactions.inference import (
    PAPER_PARAMETERS,
    Prior,
    fit,
    free_parameters,
    predict_heights,
    predict_slopes,
)
from galactions.inference.priors import LogNormal, LogUniform, Normal, Priors, Uniform
from galactions.inference.problem import FitProblem
from galactions.inference.settings import TieSettings

GIVEN = {
    "a": (Uniform(), (1.0, 4.0), laws.uniform(1.0, 3.0)),
    "b": (Normal(kind="normal", mean=2.0, sigma=0.5), (-math.inf, math.inf), laws.norm(2.0, 0.5)),
    "c": (Normal(kind="normal", mean=2.0, sigma=1.5), (1.0, 4.0), laws.truncnorm(-2 / 3, 4 / 3, 2.0, 1.5)),
    "d": (LogNormal(kind="log-normal", median=3.0, sigma=0.3), (0.0, math.inf), laws.lognorm(0.3, scale=3.0)),
    "e": (LogUniform(kind="log-uniform"), (0.1, 50.0), laws.loguniform(0.1, 50.0)),
    "f": (Normal(kind="normal", mean=0.0, sigma=1.0), (5.0, 7.0), laws.truncnorm(5.0, 7.0)),
}
X = dict(zip(GIVEN, (2.0, 2.5, 3.0, 2.2, 1.5, 5.5), strict=True))


def parameters():
    return free_parameters(
        list(GIVEN), X, {k: v[1] for k, v in GIVEN.items()}, {k: v[0] for k, v in GIVEN.items()}
    )


@pytest.mark.parametrize("name", GIVEN)
def test_densities_and_quantiles_are_those_of_scipy(name):
    settings, bounds, law = GIVEN[name]
    prior = Prior.of(name, settings, *bounds)
    priors = Priors((prior,))
    for x in law.ppf([0.01, 0.3, 0.8, 0.99]):
        assert priors.log_density(np.array([x])) == pytest.approx(law.logpdf(x), rel=1e-9, abs=1e-9)
        step = 1e-5 * x
        slope = (law.logpdf(x + step) - law.logpdf(x - step)) / (2 * step)
        assert priors.slope(np.array([x])) == pytest.approx(slope, rel=1e-5, abs=1e-5)
    u = np.linspace(0.001, 0.999, 21)
    assert prior.quantile(u) == pytest.approx(law.ppf(u), rel=1e-8)
    below = np.array([bounds[0] - 1.0])
    assert priors.log_density(below) == (law.logpdf(below) if name == "b" else -math.inf)


def test_an_unbounded_uniform_prior_counts_as_one_and_cannot_be_drawn():
    prior = Prior(0.0, math.inf)
    priors, x = Priors((prior,)), np.array([3.0])
    assert priors.log_density(x) == priors.slope(x) == 0.0
    with pytest.raises(ConfigError, match="cannot be drawn from"):
        prior.quantile(np.array([0.5]))


def test_log_prior_in_unbounded_coordinates_and_its_slope():
    free = parameters()
    u = free.to_unbounded(free.start) + np.array([0.3, -0.2, 0.5, 0.1, -0.7, 0.4])
    value, slope = free.log_prior_unbounded(u)
    assert value == pytest.approx(
        free.log_prior(free.from_unbounded(u)) + np.sum(np.log(free.unbounded_slopes(u))), rel=1e-12
    )
    for i in range(len(u)):
        step = 1e-5 * np.eye(len(u))[i]
        ahead, behind = (free.log_prior_unbounded(u + sign * step)[0] for sign in (1, -1))
        assert slope[i] == pytest.approx((ahead - behind) / 2e-5, rel=1e-5, abs=1e-7)
        ends = free.from_unbounded(u + step)[i], free.from_unbounded(u - step)[i]
        assert free.unbounded_slopes(u)[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


@pytest.mark.parametrize("name", GIVEN)
def test_the_prior_integrates_to_one_in_unbounded_coordinates(name):
    settings, bounds, _ = GIVEN[name]
    free = free_parameters([name], X, {name: bounds}, {name: settings})
    middle = free.to_unbounded(free.start)[0]

    def density(u):
        return math.exp(free.log_prior_unbounded(np.array([u]))[0])

    total = scipy.integrate.quad(density, middle - 40, middle + 40, points=[middle], limit=400)[0]
    assert total == pytest.approx(1.0, rel=1e-6)


def test_draws_of_the_prior():
    cube = np.random.default_rng(1).random((2000, len(GIVEN)))
    values = parameters().from_prior(cube)
    for column, (_, _, law) in zip(values.T, GIVEN.values(), strict=True):
        assert laws.kstest(column, law.cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("settings", "bounds", "told"),
    [
        (LogUniform(kind="log-uniform"), (0.0, 5.0), "both bounds finite and above zero"),
        (LogNormal(kind="log-normal", median=1.0, sigma=1.0), (-1.0, 5.0), "a lower bound of zero or above"),
        (Normal(kind="normal", mean=1e9, sigma=1e-9), (0.0, 5.0), "next to nothing of it lies within"),
    ],
)
def test_priors_that_cannot_be_are_refused(settings, bounds, told):
    with pytest.raises(ConfigError, match=f"fit.priors.x: .*{told}"):
        free_parameters(["x"], {"x": 2.0}, {"x": bounds}, {"x": settings})


CONFIG = '[survey]\ncatalogue = "stars.fits"\n[fit]\n'


def test_priors_and_ties_in_a_configuration():
    text = CONFIG + 'free = "paper"\n[fit.priors]\nd_sun = { kind = "normal", mean = 8.18, sigma = 0.02 }\n'
    text += '[fit.ties]\nR_d_thick_df = "R_d_thin"\nh_HI = { to = "h_thin", factor = 0.3 }\n'
    settings = parse_config(text).fit
    assert settings.free == PAPER_PARAMETERS
    assert len(settings.free) == 15
    assert settings.priors["d_sun"] == Normal(kind="normal", mean=8.18, sigma=0.02)
    assert settings.ties == {
        "R_d_thick_df": TieSettings(to="R_d_thin"),
        "h_HI": TieSettings(to="h_thin", factor=0.3),
    }


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('[fit.priors]\nd_sun = { kind = "uniform" }', "fit.priors: 'd_sun' is not among the free"),
        ('[fit.priors]\nR_sigma_thin = { kind = "norml" }', "R_sigma_thin.kind: found 'norml'.*'normal'"),
        ("[fit.priors]\nR_sigma_thin = { mean = 3.0 }", "fit.priors.R_sigma_thin.kind: missing"),
        (
            '[fit.priors]\nR_sigma_thin = { kind = "normal", mean = 3.0, sigma = -1.0 }',
            "sigma: found -1.0",
        ),
        ('[fit.ties]\nR_sigma_thin = "R_d_thin"', "fit.ties: 'R_sigma_thin' is among the free"),
        ('[fit.ties]\na = "b"\nb = "R_d_thin"', "fit.ties.a: found 'b', which follows another"),
    ],
)
def test_mistakes_in_priors_and_ties(lines, told):
    with pytest.raises(ConfigError, match=told):
        parse_config(CONFIG + lines)


def test_ties_to_names_that_do_not_exist():
    with pytest.raises(ConfigError, match=r"fit.ties: unknown name 'shft'; did you mean 'shift'"):
        free_parameters(["shift"], TRUTH, ties={"idle": TieSettings(to="shft")})


def tied(predictor, **more) -> FitProblem:
    return problem(
        predictor,
        survey_from(SmoothGaussians(), None),
        {"sigma_z0_thin": 1.0},
        free=("sigma_r0_thin", "R_sigma_thin"),
        ties={"sigma_z0_thin": {"to": "sigma_r0_thin", "factor": 30.0 / 64.0}},
        **more,
    )


def test_a_tied_parameter_follows_and_its_slopes_with_it():
    values = np.array([60.0, 12.0])
    exact = tied(SmoothGaussians())
    assert exact.all_parameters(values)["sigma_z0_thin"] == pytest.approx(60.0 * 30.0 / 64.0)
    slopes = predict_slopes(exact, values).array
    for i in range(2):
        step = 1e-4 * np.eye(2)[i]
        ahead, behind = (predict_heights(exact, values + sign * step).array for sign in (1, -1))
        assert slopes[:, i] == pytest.approx((ahead - behind) / 2e-4, rel=1e-5, abs=1e-9)


def test_a_fit_with_a_tie_finds_the_truth():
    result = fit(tied(SmoothGaussians(), method="least-squares", tolerance=1e-6))
    assert result.best["sigma_r0_thin"] == pytest.approx(64.0, rel=1e-3)
    assert result.parameters["sigma_z0_thin"] == pytest.approx(30.0, rel=1e-3)
