"""Transitions of the no-U-turn sampler against blackjax, exact moments, and what leapfrog steps keep."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from benchmarks.trajectories import BEND, DEGREES, SCALES, density, guides, log_density
from targets import Banana, Normal, Squares

from galactions.inference.posterior import PosteriorSettings, draw_sample, nuts
from galactions.inference.posterior.convergence import bulk_ess
from galactions.inference.posterior.no_u_turn import Hamiltonian, Point, State, transition


def chain(hamiltonian, draws, seed, max_doublings=8):
    rng = np.random.default_rng(seed)
    at, points, moves = Point.at(hamiltonian.density, np.zeros(len(hamiltonian.factor))), [], []
    for _ in range(draws):
        at, moved = transition(hamiltonian, at, max_doublings, rng)
        points.append(at.z)
        moves.append(moved)
    return np.array(points), moves


@pytest.mark.parametrize("step", [0.4, 0.8, 1.0])
def test_trajectories_are_as_long_and_as_often_accepted_as_those_of_blackjax(step):
    """Its criterion counts the ends of a trajectory by half, so that lengths are not quite the same."""
    import blackjax
    import jax
    import jax.numpy as jnp

    kernel = blackjax.nuts.build_kernel()
    metric = np.diag(SCALES**2)  # inverse mass matrix

    def theirs_of(z):
        return log_density(z, jnp)

    def move(state, key):
        state, info = kernel(key, state, theirs_of, step, metric, 8)
        return state, (state.position, info.acceptance_rate, info.num_integration_steps)

    start = blackjax.nuts.init(jnp.zeros(15), theirs_of)
    keys = jax.random.split(jax.random.key(0), 1500)
    theirs = [np.array(each) for each in jax.lax.scan(move, start, keys)[1]]
    points, moves = chain(Hamiltonian(density, np.diag(SCALES), step), 1500, seed=0)
    acceptance = np.array([moved.acceptance for moved in moves])
    steps = np.array([moved.steps for moved in moves])
    assert np.mean(acceptance) == pytest.approx(np.mean(theirs[1]), abs=0.03)
    assert np.mean(steps) == pytest.approx(np.mean(theirs[2]), rel=0.1)
    for ours, other in zip(points.T, theirs[0].T, strict=True):
        assert np.quantile(ours, [0.25, 0.75]) == pytest.approx(
            np.quantile(other, [0.25, 0.75]), abs=0.2 * np.std(other)
        )


def test_gradient_of_the_density_is_right():
    z = np.random.default_rng(1).standard_normal(15)
    for i, slope in enumerate(density(z)[1]):
        step = 1e-5 * np.eye(15)[i]
        assert slope == pytest.approx((log_density(z + step) - log_density(z - step)) / 2e-5, abs=1e-7)


@pytest.mark.parametrize("guide", [None, guides["near"]])
def test_leapfrog_steps_can_be_gone_back_and_keep_energy_to_second_order(guide):
    rng = np.random.default_rng(2)
    begin = State(Point.at(density, rng.standard_normal(15)), rng.standard_normal(15))
    off = []
    for step in (0.1, 0.05):
        motion = Hamiltonian(density, np.diag(SCALES), step, guide)
        at = begin
        for _ in range(round(1.0 / step)):
            at = motion.leapfrog(at, 1)
        off.append(at.energy - begin.energy)
        for _ in range(round(1.0 / step)):
            at = motion.leapfrog(at, -1)
        np.testing.assert_allclose(at.point.z, begin.point.z, atol=1e-12)
        np.testing.assert_allclose(at.momentum, begin.momentum, atol=1e-12)
    assert off[0] / off[1] == pytest.approx(4.0, rel=0.1)


def test_guided_steps_keep_volumes():
    """Of phase space, at steps as long as they come: the determinant of their derivatives is one."""
    motion = Hamiltonian(density, np.diag(SCALES), 1.5, guides["near"])
    at = np.random.default_rng(6).standard_normal(30)

    def moved(at):
        state = motion.leapfrog(State(Point.at(density, at[:15]), at[15:]), 1)
        return np.concatenate([state.point.z, state.momentum])

    steps = 1e-6 * np.eye(30)
    slopes = np.array([(moved(at + step) - moved(at - step)) / 2e-6 for step in steps])
    assert np.linalg.det(slopes) == pytest.approx(1.0, abs=1e-6)


def test_a_guide_that_is_right_makes_any_step_as_good_as_short_ones():
    _, moves = chain(
        Hamiltonian(density, np.diag(SCALES), 1.5, guides["exact"]), 200, seed=0, max_doublings=1
    )
    assert np.mean([moved.acceptance for moved in moves]) > 0.97


@pytest.mark.parametrize("name", ["near", "none of it"])
def test_draws_are_right_whatever_guides_them(name):
    """Quartiles of the coordinates with the long tail and the bend."""
    guide = guides["near"] if name == "near" else lambda z: -0.3 * np.sin(z)
    step = 1.2 if name == "near" else 0.4
    points, moves = chain(Hamiltonian(density, np.diag(SCALES), step, guide), 4000, seed=7, max_doublings=3)
    assert 0.5 < np.mean([moved.acceptance for moved in moves]) < 0.98
    rng = np.random.default_rng(8)
    tail = rng.standard_t(DEGREES, size=200_000)
    bent = BEND * (tail**2 - 1.0) + rng.standard_normal(200_000)
    for ours, exact in zip((points / SCALES).T, (tail, bent), strict=False):
        for q in (0.1, 0.25, 0.5, 0.75, 0.9):
            assert np.mean(ours < np.quantile(exact, q)) == pytest.approx(q, abs=0.045)


def test_trajectories_end_where_they_turn_back_and_are_no_longer_than_allowed():
    motion = Hamiltonian(density, np.diag(SCALES), 0.05)
    _, moves = chain(motion, 50, seed=3)
    length = 0.05 * np.array([moved.steps for moved in moves])
    assert np.all(length > 1.0)  # a period is about 2 pi
    assert np.all(length < 8.0)
    _, moves = chain(motion, 50, seed=3, max_doublings=3)
    assert {(moved.steps, moved.doublings) for moved in moves} == {(7, 3)}


def test_steps_that_are_far_too_long_diverge_and_nothing_without_a_density_is_drawn():
    def half(z):
        """A normal density at positive z alone."""
        return (-0.5 * float(z @ z), -z) if z[0] > 0 else (-np.inf, np.zeros(1))

    rng = np.random.default_rng(4)
    at = Point.at(half, np.array([1.0]))
    points, divergent = [], 0
    for _ in range(4000):
        at, moved = transition(Hamiltonian(half, np.eye(1), 0.3), at, 8, rng)
        points.append(at.z[0])
        divergent += moved.divergent
    assert min(points) > 0
    assert divergent > 100
    assert np.mean(points) == pytest.approx(np.sqrt(2.0 / np.pi), abs=0.06)
    _, moves = chain(Hamiltonian(density, np.eye(15), 300.0), 5, seed=5)
    assert all(moved.divergent and moved.steps == 1 and moved.acceptance == 0.0 for moved in moves)


def test_warm_up_takes_few_gradients_and_finds_a_step():
    """Of 15 parameters: no step is so short that trajectories take dozens of gradients, which are dear."""
    settings = PosteriorSettings(method="nuts", draws=100, warmup=30, chains=4)
    sample = draw_sample(Plain(Normal(15)), np.arange(1.0, 16.0), settings)
    for each in sample.chains:
        assert 0.65 < np.mean(each.stats["acceptance"]) < 0.9
        assert not np.any(each.stats["divergent"])
        assert each.n_evaluations["gradient"] - np.sum(each.stats["steps"]) < 30 * 8


class Long(Squares):
    """A feature of which only the bend matters makes the target twice as long along its first coordinate as
    the curvature that is expected says."""

    far, bend = -6.0, 0.075

    def residuals(self, u):
        return np.append(u, self.far + self.bend * u[0] ** 2)

    def residual_slopes(self, u):
        first = np.eye(len(u))[:1]
        return np.concatenate([np.eye(len(u)), 2.0 * self.bend * u[0] * first])


class Plain:
    """A target without features: nothing can be learnt of it beforehand."""

    def __init__(self, target):
        for name in ("names", "log_density", "value_and_gradient", "curvature", "to_values"):
            setattr(self, name, getattr(target, name))


def test_what_an_emulator_knows_of_the_target_makes_steps_as_long_as_it():
    settings = PosteriorSettings(method="nuts", draws=150, warmup=30, chains=4, max_doublings=2)
    target = Long(tuple("abcdef"))
    learnt, plain = (draw_sample(each, np.zeros(6), settings) for each in (target, Plain(target)))
    sizes = [bulk_ess(np.array([chain.u[0, :, 0] for chain in sample.chains])) for sample in (learnt, plain)]
    assert sizes[0] > 1.3 * sizes[1]
    assert learnt.evaluations["feature_slopes"] == 2 * 6 + 2  # mode, emulator
    assert "features" not in plain.evaluations


def test_few_draws_do_not_change_the_metric_of_an_emulator(monkeypatch):
    """The step size, which begins anew with another metric, then has the whole warm-up to be found."""
    taught = []

    def corrected(points, before, worth):
        taught.append(len(points))
        return before

    monkeypatch.setattr(nuts, "_corrected", corrected)
    settings, target = PosteriorSettings(method="nuts", draws=5, warmup=30, chains=1), Long(tuple("abcdef"))
    draw_sample(target, np.zeros(6), settings)
    assert taught == []
    draw_sample(target, np.zeros(6), settings.model_copy(update={"warmup": 150}))
    assert len(taught) == 1
    draw_sample(Plain(target), np.zeros(6), settings)
    assert taught[1:] == [23]


def test_chains_begin_as_they_can_where_there_is_no_emulator():
    class Slopeless(Long):
        """Has derivatives of its features at the mode alone."""

        def feature_slopes(self, u):
            return self.residual_slopes(u) if np.linalg.norm(u) < 0.5 else None

    settings = PosteriorSettings(method="nuts", draws=20, warmup=20, chains=1)
    sample = draw_sample(Slopeless(tuple("ab")), np.zeros(2), settings)
    plain = draw_sample(Plain(Long(tuple("ab"))), np.zeros(2), settings)
    np.testing.assert_array_equal(sample.chains[0].u, plain.chains[0].u)


def test_chains_drawn_at_the_same_time_in_one_process_do_not_touch_each_other():
    one, other = Banana(), Normal(3)
    settings = PosteriorSettings(method="nuts", draws=60, warmup=20, chains=1)
    starts = {one: np.zeros(3), other: np.arange(1.0, 4.0)}

    def drawn(target):
        return draw_sample(target, starts[target], settings).chains[0].u

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(drawn, (one, other)))
    for target, u in zip((one, other), together, strict=True):
        np.testing.assert_array_equal(u, drawn(target))
