"""The unbinned likelihood: its normalisation, its marginalisation, its derivatives, and what it recovers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import qmc

import galactions as ga
from galactions.constants import KMS_PER_MASYR_KPC
from galactions.errors import CatalogueError
from galactions.galaxy.iteration import initial_state
from galactions.inference.stars import StarNodes, log_likelihood
from galactions.projection.proposal import reference_sun
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import View
from galactions.survey.frame import galactocentric, observed
from galactions.survey.stars import Stars

PLACES = [(175.0, 5.0, 2.0), (60.0, -20.0, 1.0), (190.0, 2.0, 6.0), (10.0, 80.0, 1.5)]
"""l, b (deg), distance (kpc): towards the anticentre near and far, along the rotation, to the pole."""


def draws(initial, place, n=2**12):
    """Velocities as observed at a place, drawn from a broad known density, and that density in (km/s)^-3."""
    sun = reference_sun(initial)
    l, b, d = (jnp.full(n, x) for x in place)  # noqa: E741
    still = jnp.zeros(n)
    x, y, z = galactocentric(l, b, d, still, still, still, sun)[:, :3].T
    R = jnp.hypot(x, y)
    u = jnp.asarray(qmc.Sobol(4, seed=1).random(n).T)
    (v_R, v_phi, v_z), log_q = VelocityProposal.of(initial).draw(R, z, u)
    phase = jnp.stack([x, y, z, (x * v_R + y * v_phi) / R, (y * v_R - x * v_phi) / R, v_z], axis=1)
    return Stars(*(np.asarray(a) for a in observed(phase, sun))), np.exp(np.asarray(log_q))


def scaled(initial, scale):
    """The view in which true distances are `scale` times those of the catalogue."""
    dfs = {name: initial.df(name) for name in initial.spec.stellar_disks}
    return View.at(dfs, initial.action_table, {**initial.spec.parameters, "distance_scale": scale})


@pytest.mark.parametrize(("place", "scale"), [*((place, 1.0) for place in PLACES), (PLACES[0], 1.15)])
def test_the_probability_of_all_velocities_is_one(initial, place, scale):
    stars, q = draws(initial, place)
    p = np.exp(log_likelihood(StarNodes.of(stars, initial), scaled(initial, scale), 0.0))
    per_velocity = p / (KMS_PER_MASYR_KPC * place[2]) ** 2
    assert np.mean(per_velocity / q) == pytest.approx(1.0, abs=3e-3)


def test_of_stars_without_errors_it_is_the_df_over_its_density(initial):
    stars, _ = draws(initial, PLACES[0])
    view = View.of(initial)
    f = np.asarray(view.phase_space_density(jnp.stack([*(getattr(stars, n) for n in SEEN)])))
    position = galactocentric(*PLACES[0], 0.0, 0.0, 0.0, view.sun)
    R, z = float(jnp.hypot(position[0], position[1])), float(position[2])
    rho = sum(float(initial.velocity_moments(name, R, z).density) for name in initial.spec.stellar_disks)
    expected = np.log(f * (KMS_PER_MASYR_KPC * 2.0) ** 2 / rho)
    found = np.asarray(log_likelihood(StarNodes.of(stars, initial), view, 0.0))
    assert found == pytest.approx(expected, abs=1e-3)


SEEN = ("l", "b", "distance", "v_los", "pm_ra", "pm_dec")


@pytest.mark.parametrize("place", [PLACES[0], pytest.param(PLACES[1], marks=pytest.mark.slow)])
def test_without_proper_motions_it_is_the_marginal_distribution(initial, place):
    """Its integral over v_los is one, and its mean and dispersion are those of the whole distribution."""
    stars, q = draws(initial, place)
    view = View.of(initial)
    p = np.exp(log_likelihood(StarNodes.of(stars, initial), view, 0.0))
    weight = p / (KMS_PER_MASYR_KPC * place[2]) ** 2 / q
    mean = np.average(stars.v_los, weights=weight)
    sigma = np.sqrt(np.average((stars.v_los - mean) ** 2, weights=weight))
    grid = np.linspace(mean - 8 * sigma, mean + 8 * sigma, 161)
    where = [np.full(len(grid), x) for x in place]
    nodes = StarNodes.of(Stars(*where, grid), initial, nodes=256)
    assert not nodes.whole.any()
    marginal = np.exp(log_likelihood(nodes, view, 0.0))
    step = grid[1] - grid[0]
    stretched = np.exp(log_likelihood(nodes, scaled(initial, 1.1), 0.0))
    assert stretched.sum() * step == pytest.approx(1.0, abs=0.02)
    assert marginal.sum() * step == pytest.approx(1.0, abs=5e-3)
    assert np.average(grid, weights=marginal) == pytest.approx(mean, abs=0.03 * sigma)
    found = np.sqrt(np.average((grid - mean) ** 2, weights=marginal))
    assert found == pytest.approx(sigma, rel=0.02)


def test_the_outliers_without_proper_motions_are_the_marginal_too(initial):
    grid = np.linspace(-900.0, 900.0, 161)  # as many as above: the program is the same
    stars = Stars(*(np.full(161, x) for x in PLACES[1]), grid)
    p = np.exp(log_likelihood(StarNodes.of(stars, initial, nodes=256), View.of(initial), 1.0, 120.0))
    assert p.sum() * (grid[1] - grid[0]) == pytest.approx(1.0, rel=1e-6)


def noisy(initial):
    stars, _ = draws(initial, PLACES[0], 64)
    n = np.arange(64)
    return Stars(
        *(getattr(stars, name) for name in SEEN[:4]),
        np.where(n % 3 == 0, np.nan, stars.pm_ra),
        np.where(n % 3 == 0, np.nan, stars.pm_dec),
        *(np.full(64, e) for e in (5.0, 0.3, 0.4, 0.3, 0.5)),
    )


@pytest.mark.slow
def test_errors_widen_the_distribution_as_they_should(initial):
    """A star's likelihood with errors is the mean over what it may be, here by many random copies."""
    stars, _ = draws(initial, PLACES[0], 16)
    n, copies = 16, 256
    errors = {"e_v_los": 12.0, "e_pm_ra": 0.8, "e_pm_dec": 0.6}
    given = {name: np.full(n, e) for name, e in errors.items()}
    own = {name: getattr(stars, name) for name in SEEN}
    view = View.of(initial)
    nodes = StarNodes.of(Stars(**own, **given, pm_corr=np.full(n, 0.7)), initial, nodes=512)
    found = np.exp(log_likelihood(nodes, view, 0.0))
    rng = np.random.default_rng(3)
    xi = rng.standard_normal((3, n, copies))
    xi[2] = 0.7 * xi[1] + np.sqrt(1 - 0.7**2) * xi[2]
    columns = {name: np.repeat(own[name], copies) for name in SEEN}
    for x, (name, e) in zip(xi, errors.items(), strict=True):
        columns[name[2:]] = columns[name[2:]] + e * x.ravel()
    each = np.exp(log_likelihood(StarNodes.of(Stars(**columns), initial), view, 0.0)).reshape(n, copies)
    scatter = each.std(axis=1) / np.sqrt(copies)
    assert np.all(np.abs(found - each.mean(axis=1)) < 5 * scatter + 0.02 * found)


@pytest.mark.slow
def test_chunks_make_no_difference(initial):
    nodes, view = StarNodes.of(noisy(initial), initial, nodes=16), View.of(initial)
    whole = np.asarray(log_likelihood(nodes, view))
    assert np.asarray(log_likelihood(nodes, view, chunk=16 * 7)) == pytest.approx(whole, rel=1e-12)
    assert np.all(np.isfinite(whole))


@pytest.mark.slow
def test_derivatives_against_finite_differences(initial):
    nodes = StarNodes.of(noisy(initial), initial, nodes=16)
    names = ("d_sun", "v_sun", "distance_scale", "outlier_fraction", "outlier_sigma")
    start = jnp.array([8.11, 12.24, 1.05, 0.02, 140.0])
    dfs = {name: initial.df(name) for name in initial.spec.stellar_disks}

    @jax.jit
    def total(values):
        own = dict(zip(names, values, strict=True))
        view = View.at(dfs, initial.action_table, own)
        return log_likelihood(nodes, view, own["outlier_fraction"], own["outlier_sigma"])

    slopes = np.asarray(jax.jit(jax.jacfwd(total))(start))
    for i, name in enumerate(names):
        h = 1e-4 * float(start[i])
        step = h * jnp.eye(len(names))[i]
        ends = {k: np.asarray(total(start + k * step)) for k in (-2, -1, 1, 2)}
        expected = (8 * (ends[1] - ends[-1]) - (ends[2] - ends[-2])) / (12 * h)
        assert slopes[:, i] == pytest.approx(expected, rel=1e-5, abs=1e-5 * np.abs(expected).max()), name


def test_stars_that_cannot_be_used_are_told(initial):
    with pytest.raises(CatalogueError, match="at least one"):
        StarNodes.of(Stars(*np.zeros((4, 0))), initial)
    with pytest.raises(CatalogueError, match="1 of 2 stars have no v_los"):
        StarNodes.of(Stars(*np.ones((3, 2)), np.array([1.0, np.nan])), initial)


@pytest.mark.slow
def test_two_dispersions_are_recovered_from_a_mock(initial):
    """Fisher's scoring from 15% off, with the paper's errors: back at the truth within the errors told by the
    scatter of the stars' own slopes; a third of the stars have no proper motions. Dispersions leave the
    initial potential as it is, so its action table serves all."""
    regions = [r for r in ga.paper_regions() if r.name in ("03", "08", "13", "18", "22", "25")]
    stars = ga.mock_survey(initial, regions, 400, seed=5)
    lost = np.arange(len(stars)) % 3 == 0
    columns = dict(stars.columns())
    for name in ("pm_ra", "pm_dec"):
        columns[name] = np.where(lost, np.nan, columns[name])
    nodes = StarNodes.of(Stars(**columns), initial, nodes=32)
    names = ("sigma_r0_thin", "sigma_z0_thin", "outlier_fraction")
    spec = initial.spec

    def each(values, nodes):
        parameters = {name: jnp.asarray(value) for name, value in spec.parameters.items()}
        parameters |= dict(zip(names[:2], values[:2], strict=True))
        ingredients, _ = initial_state(spec.components, parameters)
        view = View.at(
            {name: ingredients.dfs[name] for name in initial.spec.stellar_disks},
            initial.action_table,
            parameters,
        )
        return log_likelihood(nodes, view, values[2])

    scores = jax.jit(jax.jacfwd(each))
    truth = np.array([*(spec.parameters[name] for name in names[:2]), 0.0])
    values = np.array([1.15 * truth[0], 0.85 * truth[1], 0.01])
    for _ in range(6):
        s = np.asarray(scores(jnp.asarray(values), nodes))
        covariance = np.linalg.inv(s.T @ s)
        values = values + covariance @ s.sum(axis=0)
        values[2] = np.clip(values[2], 1e-4, 0.5)
    pull = (values - truth)[:2] / np.sqrt(np.diag(covariance))[:2]
    assert np.all(np.abs(pull) < 3), (values, pull)
    assert np.sqrt(np.diag(covariance))[0] < 0.03 * truth[0]
    assert values[2] < 0.02
