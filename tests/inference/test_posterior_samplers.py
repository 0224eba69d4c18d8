"""Samplers against targets with known moments and evidence: each alone, with errors by its own ESS."""

from functools import cache

import numpy as np
import pytest
from targets import Banana, Normal

from galactions.errors import ModelError
from galactions.inference.posterior import PosteriorSettings, draw_sample
from galactions.inference.posterior.emulator import emulator
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.laplace import laplace
from galactions.inference.posterior.optimum import find_mode
from galactions.inference.posterior.summary import summarise_chains, summarise_weighted
from galactions.inference.posterior.value_emulator import learnt_emulator

SETTINGS = {
    "laplace": PosteriorSettings(method="laplace", draws=512, target_ess=1500, max_rounds=12),
    "emulated": PosteriorSettings(method="emulated", draws=120, target_ess=480, max_rounds=8),
    "delayed": PosteriorSettings(method="delayed", draws=700, warmup=50, chains=2),
    "nuts": PosteriorSettings(method="nuts", draws=500, warmup=100, chains=2),
    "ensemble": PosteriorSettings(method="ensemble", draws=1500, warmup=300, chains=2),
}
each_method = pytest.mark.parametrize("method", list(SETTINGS))
each_method_in_time = pytest.mark.parametrize(
    "method",
    [
        "laplace",
        "emulated",
        "delayed",
        "nuts",
        pytest.param("ensemble", marks=pytest.mark.slow),
    ],
)


@cache
def banana_sample(method):
    return draw_sample(Banana(), np.array([0.5, 0.5, 1.0]), SETTINGS[method])


def moments(sample, function, variance):
    """Mean of function(u) -> (draws,) over a sample, and its standard error by the effective sample size and
    the exact variance."""
    if sample.weighted is not None:
        values, weights = function(sample.weighted.u), sample.weighted.weights
        return weights @ values, np.sqrt(variance / sample.weighted.ess)
    u = np.concatenate([chain.u for chain in sample.chains])
    values = function(u)
    row = summarise_chains(("f",), values[..., None], np.zeros(1), sample.walkers)[0]
    return np.mean(values), np.sqrt(variance / row.ess_bulk)


@each_method
def test_moments_of_a_correlated_normal(method):
    target = Normal(4)
    sample = draw_sample(target, np.zeros(4), SETTINGS[method])
    for i in range(4):
        mean, error = moments(sample, lambda u, i=i: u[..., i], target.covariance[i, i])
        assert abs(mean - target.mean[i]) < 4 * error
        assert error < 0.1 * np.sqrt(target.covariance[i, i])
        for j in range(i + 1):
            by_isserlis = target.covariance[i, i] * target.covariance[j, j] + target.covariance[i, j] ** 2
            product, error = moments(
                sample,
                lambda u, i=i, j=j: (u[..., i] - target.mean[i]) * (u[..., j] - target.mean[j]),
                by_isserlis,
            )
            assert abs(product - target.covariance[i, j]) < 4.5 * error


@each_method_in_time
def test_moments_of_a_banana(method):
    sample = banana_sample(method)
    # Means and variances, by the moments of a unit normal: E x^4 = 3, E x^6 = 15, E x^8 = 105.
    expected = {
        "x": (lambda u: u[..., 0], 0.0, 1.0),
        "y": (lambda u: u[..., 1], 0.0, 0.75),
        "z": (lambda u: u[..., 2], 0.0, 1.0),
        "x^2": (lambda u: u[..., 0] ** 2, 1.0, 2.0),
        "y^2": (lambda u: u[..., 1] ** 2, 0.75, 4.125),
        "x^2 y": (lambda u: u[..., 0] ** 2 * u[..., 1], 1.0, 19.25),
        "x y": (lambda u: u[..., 0] * u[..., 1], 0.0, 2.75),
    }
    for name, (function, value, variance) in expected.items():
        mean, error = moments(sample, function, variance)
        assert abs(mean - value) < 4.5 * error, name


def test_evidence_of_a_normal_is_exact():
    for n in (1, 3, 8):
        target = Normal(n)
        normal = laplace(find_mode(RecordedTarget(target), np.zeros(n)), target.names)
        assert normal.log_evidence == pytest.approx(target.log_evidence, abs=1e-4)
        assert normal.covariance == pytest.approx(target.covariance, rel=1e-9)
        sample = draw_sample(target, np.zeros(n), SETTINGS["laplace"]).weighted
        assert abs(sample.log_evidence - target.log_evidence) < 3 * sample.log_evidence_error
        assert sample.log_evidence_error < 0.03


def test_evidence_of_a_banana_within_its_error():
    sample = draw_sample(Banana(), np.zeros(3), SETTINGS["laplace"]).weighted
    assert abs(sample.log_evidence - Banana().log_evidence) < 3 * sample.log_evidence_error
    assert sample.log_evidence_error < 0.04


def test_rounds_adapt_the_proposal_and_stop_when_there_is_enough():
    sample = draw_sample(Banana(), np.zeros(3), SETTINGS["laplace"]).weighted
    first, last = sample.rounds[0], sample.rounds[-1]
    assert last.ess / last.draws > first.ess / first.draws
    before = sample.rounds[-2]
    assert last.ess >= 1500
    assert before.ess < 1500 or before.k_hat > 0.7
    easy = draw_sample(Normal(3), np.zeros(3), SETTINGS["laplace"]).weighted
    assert len(easy.rounds) < len(sample.rounds)
    assert easy.k_hat < 0.5
    assert np.sum(easy.weights) == pytest.approx(1.0)


def test_resampling_keeps_the_weights():
    sample = draw_sample(Normal(2), np.zeros(2), SETTINGS["laplace"]).weighted
    count = 20000
    drawn = np.bincount(sample.resampled(count, seed=1), minlength=len(sample.weights))
    assert np.max(np.abs(drawn - count * sample.weights)) < 1.0 + 1e-9
    np.testing.assert_array_equal(sample.resampled(50, 3), sample.resampled(50, 3))


def test_emulator_is_exact_where_features_are_quadratic():
    target = Banana()
    at = RecordedTarget(target)
    normal = laplace(find_mode(at, np.array([0.3, 0.2, 0.1])), target.names)
    emulated = emulator(at, normal)
    rng = np.random.default_rng(0)
    for z in 2.0 * rng.standard_normal((20, 3)):
        u = normal.u(z)
        np.testing.assert_allclose(emulated.features(z), target.features(u), atol=1e-8)
        value, gradient = emulated.value_and_gradient(z)
        assert value == pytest.approx(target.log_density(u), abs=1e-7)
        np.testing.assert_allclose(
            gradient, target.value_and_gradient(u)[1] @ normal.factor, atol=1e-6, rtol=1e-6
        )
    assert at.n_evaluations["feature_slopes"] <= 10


@pytest.fixture(scope="module")
def learnt():
    """An emulator of the banana from 40 values, with its normal approximation."""
    at = RecordedTarget(Banana())
    mode = find_mode(at, np.array([0.3, 0.2, 0.1]))
    normal = laplace(mode, at.names)
    u = normal.u(1.2 * np.random.default_rng(2).standard_normal((40, 3)))
    return learnt_emulator(Banana(), mode, normal, u, [at.features(x) for x in u])


def test_an_emulator_of_values_tells_how_well_it_tells_the_density(learnt):
    rng = np.random.default_rng(3)
    z = 1.2 * rng.standard_normal((200, 3))
    off = [learnt.log_density(x) - Banana().log_density(learnt.start.u(x)) for x in z]
    assert learnt.missed < 0.1
    assert np.median(np.abs(off)) < 2.0 * learnt.missed


def test_an_emulator_of_values_has_the_gradient_of_its_density(learnt):
    inside = np.random.default_rng(4).standard_normal((5, 3))
    for z in [*inside, *(10.0 * inside)]:
        gradient = learnt.value_and_gradient(z)[1]
        steps = 1e-5 * np.eye(3)
        ends = [(learnt.log_density(z + step), learnt.log_density(z - step)) for step in steps]
        np.testing.assert_allclose(gradient, [(a - b) / 2e-5 for a, b in ends], atol=1e-6, rtol=1e-6)


def test_an_emulator_falls_off_where_it_was_not_taught(learnt):
    assert 3.0 < learnt.reach < 10.0
    for z in np.random.default_rng(5).standard_normal((20, 3)):
        z *= learnt.reach / np.linalg.norm(z)
        np.testing.assert_allclose(learnt.features(7.0 * z), learnt.features(z), rtol=1e-9)
        beyond = 6.0 * learnt.reach
        fallen = learnt.log_density(z) - learnt.log_density(7.0 * z)
        assert fallen == pytest.approx(0.5 * beyond**2, rel=1e-9)


def test_an_emulator_needs_models_to_learn_from():
    at = RecordedTarget(Banana())
    mode = find_mode(at, np.zeros(3))
    with pytest.raises(ModelError, match="there is no emulator: 1 of 4 points around the mode make a model"):
        learnt_emulator(
            Banana(), mode, laplace(mode, at.names), np.zeros((4, 3)), [None, at.features(mode.u), None, None]
        )


def test_draws_of_an_emulator_cost_few_values():
    sample, plain = banana_sample("emulated"), banana_sample("laplace")
    assert sample.weighted.ess / len(sample.weighted.u) > 0.6
    assert sample.weighted.ess / len(sample.weighted.u) > 1.5 * plain.weighted.ess / len(plain.weighted.u)
    assert sample.weighted.log_evidence is None


class Bent(Banana):
    """An emulator that is told the wrong second derivatives: chains have to be right all the same."""

    def feature_slopes(self, u):
        slopes = self.residual_slopes(u).copy()
        slopes[1, 0] *= 0.4
        return slopes


def test_a_wrong_emulator_costs_acceptance_not_truth():
    right = draw_sample(Banana(), np.zeros(3), SETTINGS["delayed"])
    wrong = draw_sample(Bent(), np.zeros(3), SETTINGS["delayed"])
    accepted = [np.mean([chain.stats["acceptance"] for chain in s.chains]) for s in (right, wrong)]
    assert accepted[0] > 0.99
    assert accepted[1] < 0.8
    mean, error = moments(wrong, lambda u: u[..., 0] ** 2 * u[..., 1], 19.25)
    assert abs(mean - 1.0) < 4.5 * error


class Half(Normal):
    """A normal target that makes no model where its first coordinate is above its mean plus a little."""

    def log_density(self, u):
        return -np.inf if u[0] > self.mean[0] + 0.05 else super().log_density(u)

    def value_and_gradient(self, u):
        value = self.log_density(u)
        return (value, np.zeros(len(u))) if value == -np.inf else super().value_and_gradient(u)

    def features(self, u):
        return None if self.log_density(u) == -np.inf else super().features(u)


@pytest.mark.parametrize(
    "method",
    [
        "laplace",
        "delayed",
        "nuts",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("emulated", "ensemble")),
    ],
)
def test_impossible_models_are_never_drawn(method):
    target = Half(2)
    settings = SETTINGS[method].model_copy(update={"draws": 300})
    sample = draw_sample(target, target.mean - 0.5, settings)
    if sample.weighted is not None:
        outside = sample.weighted.u[:, 0] > target.mean[0] + 0.05
        assert outside.any()
        assert np.all(sample.weighted.weights[outside] == 0.0)
    else:
        assert all(np.all(chain.u[..., 0] <= target.mean[0] + 0.05) for chain in sample.chains)
    assert sample.failures > 0


def test_the_mode_is_climbed_to_from_afar():
    target = Banana()
    mode = find_mode(RecordedTarget(target), np.array([6.0, -20.0, 40.0]))
    assert mode.converged
    np.testing.assert_allclose(mode.u, [0.0, -target.bend, 0.0], atol=1e-3)


def test_no_model_at_the_start_is_said():
    with pytest.raises(ModelError, match="there is no model, or no derivatives, at its start"):
        find_mode(RecordedTarget(Half(2)), np.array([5.0, 0.0]))


def test_a_flat_direction_is_named():
    class Flat(Normal):
        def curvature_of(self, features, feature_slopes, u):
            return np.diag([1.0, 0.0])

    with pytest.raises(
        ModelError, match=r"flat, to the data and the prior, along x1: take it out of fit.free"
    ):
        laplace(find_mode(RecordedTarget(Flat(2)), Flat(2).mean), ("x0", "x1"))


def test_weighted_quantiles_are_those_of_the_distribution():
    rng = np.random.default_rng(5)
    points = rng.uniform(-6, 6, 200_000)
    weights = np.exp(-0.5 * points**2)
    row = summarise_weighted(("x",), points[:, None], weights / weights.sum(), np.zeros(1))[0]
    found = [row.low_95, row.low_68, row.median, row.high_68, row.high_95]
    assert found == pytest.approx([-1.96, -0.9945, 0.0, 0.9945, 1.96], abs=0.03)
    assert row.deviation == pytest.approx(1.0, abs=0.02)
