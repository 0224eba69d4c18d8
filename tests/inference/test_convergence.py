"""R-hat, effective sample sizes and Pareto smoothing against ArviZ, and against what they mean."""

import warnings

import numpy as np
import pytest

from galactions.inference.posterior.convergence import bulk_ess, r_hat, tail_ess
from galactions.inference.posterior.psis import fit_pareto, pareto_quantile, smooth_weights

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # ArviZ tells at import of its next version
    import arviz


def autoregressive(rho, chains=4, draws=501, seed=1):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((chains, draws))
    x = np.zeros_like(noise)
    x[:, 0] = noise[:, 0] / np.sqrt(1 - rho**2)
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + noise[:, t]
    return x


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.5])
@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_same_numbers_as_arviz(rho, shift):
    x = autoregressive(rho)
    x[3] += shift
    assert r_hat(x) == pytest.approx(float(arviz.rhat(x)), abs=1e-6)
    assert bulk_ess(x) == pytest.approx(float(arviz.ess(x)), rel=0.01)
    assert tail_ess(x) == pytest.approx(float(arviz.ess(x, method="tail")), rel=0.01)


def test_effective_sample_size_is_that_of_the_process():
    x = autoregressive(0.8, chains=4, draws=20000)
    assert bulk_ess(x) == pytest.approx(80000 * (1 - 0.8) / (1 + 0.8), rel=0.1)


def test_walkers_that_move_together_are_worth_one():
    one = autoregressive(0.5, chains=3, draws=4000)
    together = np.repeat(one, 5, axis=0)
    assert bulk_ess(together) > 4 * bulk_ess(one)
    assert bulk_ess(together, walkers=5) == pytest.approx(bulk_ess(one), rel=0.1)
    apart = autoregressive(0.5, chains=15, draws=4000)
    assert bulk_ess(apart, walkers=5) == pytest.approx(bulk_ess(apart), rel=0.25)


def test_chains_that_never_moved_have_no_numbers():
    still = np.ones((4, 100))
    assert np.isnan([r_hat(still), bulk_ess(still), tail_ess(still)]).all()


@pytest.mark.parametrize("scale", [0.1, 0.5, 1.5])
def test_pareto_smoothing_is_that_of_arviz(scale):
    log_weights = scale * np.random.default_rng(3).standard_t(4, 2000)
    ours, k_hat = smooth_weights(log_weights)
    theirs, expected = arviz.psislw(log_weights.copy())
    np.testing.assert_allclose(ours, theirs, atol=1e-8)
    assert k_hat == pytest.approx(float(expected), abs=1e-8)
    assert np.exp(ours).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("k", [-0.3, 0.0, 0.5, 0.9])
def test_pareto_shape_is_recovered(k):
    excess = np.sort(pareto_quantile(np.random.default_rng(2).uniform(size=20000), k, 2.0))
    found, sigma = fit_pareto(excess)
    assert found == pytest.approx(k, abs=0.04)
    assert sigma == pytest.approx(2.0, rel=0.05)


def test_equal_weights_stay_equal():
    ours, _ = smooth_weights(np.full(500, 3.0))
    np.testing.assert_allclose(np.exp(ours), 1 / 500)
