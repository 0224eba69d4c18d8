"""Walkers on an emulator: draws of densities whose moments are known, and that forget where they began."""

import numpy as np
import pytest
from targets import Banana, Normal

from galactions.errors import ModelError
from galactions.inference.posterior import trajectories
from galactions.inference.posterior.emulator import QuadraticEmulator, emulator
from galactions.inference.posterior.journal import RecordedTarget
from galactions.inference.posterior.laplace import Laplace, laplace
from galactions.inference.posterior.optimum import find_mode
from galactions.inference.posterior.trajectories import Walk, Walkers, drawn, travelled
from galactions.inference.posterior.value_emulator import learnt_emulator


@pytest.fixture(scope="module")
def banana():
    """The banana, emulated exactly."""
    at = RecordedTarget(Banana())
    return emulator(at, laplace(find_mode(at, np.array([0.3, 0.2, 0.1])), at.names))


def moments(u):
    """Terms (k, 4) with the expectations 0, 0, 0 and 0, and their variances."""
    x, y = u[:, 0], u[:, 1]
    terms = np.stack([x, y, x**2 - 1.0, x**2 * y - 1.0], axis=1)
    return terms, np.array([1.0, 0.75, 2.0, 19.25])


def test_ends_are_draws_of_the_density_wherever_they_began(banana):
    rng = np.random.default_rng(1)
    begin = banana.start.z(np.tile([3.0, 4.0, -2.0], (600, 1)))
    found = travelled(banana, begin, rng)
    assert found.settled
    terms, variances = moments(banana.start.u(found.walkers.z))
    np.testing.assert_array_less(np.abs(terms.mean(axis=0)), 4.5 * np.sqrt(variances / len(begin)))
    value, gradient = banana.value_and_gradient(found.walkers.z)
    np.testing.assert_allclose(found.walkers.value, value, rtol=1e-12)
    np.testing.assert_allclose(found.walkers.gradient, gradient, rtol=1e-9, atol=1e-12)


def test_a_walk_forgets_where_it_began(banana):
    rng = np.random.default_rng(2)
    found = travelled(banana, rng.standard_normal((400, 3)), rng)
    before = banana.start.u(found.walkers.z)
    after = banana.start.u(found.walk.end(banana, found.walkers, rng).z)
    between = np.corrcoef(before.T, after.T)[:3, 3:]
    assert np.max(np.abs(between)) < 4.0 / np.sqrt(400)
    terms, variances = moments(after)
    np.testing.assert_array_less(np.abs(terms.mean(axis=0)), 4.5 * np.sqrt(variances / len(after)))


def test_walkers_learn_how_wide_a_density_is():
    """A normal that is ten times as wide along one axis as its approximation says."""
    width = np.array([10.0, 1.0, 1.0])
    start = Laplace(np.zeros(3), np.eye(3), np.eye(3), 0.0)
    wide = QuadraticEmulator(Normal(3), start, np.zeros(3), np.diag(1.0 / width), np.zeros((3, 3, 3)))
    rng = np.random.default_rng(3)
    found = travelled(wide, rng.standard_normal((100, 3)), rng)
    assert found.settled
    np.testing.assert_allclose(np.std(found.walkers.z, axis=0) / width, 1.0, atol=0.25)
    assert found.walk.factor[0, 0] == pytest.approx(10.0, rel=0.5)
    assert found.walk.count <= 10


def test_where_there_is_no_density_walkers_begin_nearer_to_the_mode(banana):
    class Cut:
        start = banana.start

        def value_and_gradient(self, z):
            value, gradient = banana.value_and_gradient(z)
            inside = np.linalg.norm(z, axis=-1) < 1.5
            return np.where(inside, value, -np.inf), np.where(inside[..., None], gradient, 0.0)

    begin = np.array([[4.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, -20.0]])
    walkers = Walkers.near(Cut(), begin)
    np.testing.assert_array_equal(walkers.z, [[1.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, -1.25]])
    rng = np.random.default_rng(4)
    ends = Walk(0.5, np.eye(3), 200).end(Cut(), walkers, rng)
    assert np.all(np.linalg.norm(ends.z, axis=1) < 1.5)


def test_walkers_that_have_not_gone_far_say_so(banana, monkeypatch):
    monkeypatch.setattr(trajectories, "MOST", 25)
    monkeypatch.setattr(trajectories, "FAR", 100.0)
    rng = np.random.default_rng(5)
    found = travelled(banana, rng.standard_normal((32, 3)), rng)
    assert not found.settled
    assert found.walk.count <= trajectories.LONGEST_WALK


def test_no_density_even_at_the_mode_is_said(banana):
    class Nowhere:
        start = banana.start

        def value_and_gradient(self, z):
            return np.full(len(z), -np.inf), np.zeros_like(z)

    with pytest.raises(ModelError, match="no density at the mode"):
        Walkers.near(Nowhere(), np.ones((4, 3)))


def test_many_points_are_answered_as_each_alone(banana):
    at = RecordedTarget(Banana())
    rng = np.random.default_rng(6)
    u = banana.start.u(rng.standard_normal((20, 3)))
    mode = find_mode(at, np.array([0.3, 0.2, 0.1]))
    learnt = learnt_emulator(Banana(), mode, banana.start, u, [at.features(x) for x in u])
    z = rng.standard_normal((5, 3))
    for each in (banana, learnt):
        values, gradients = each.value_and_gradient(z)
        for row, value, gradient in zip(z, values, gradients, strict=True):
            alone = each.value_and_gradient(row)
            assert alone[0] == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(alone[1], gradient, rtol=1e-9, atol=1e-12)


def test_more_draws_than_walkers_come_from_longer_walks(banana):
    rng = np.random.default_rng(7)
    found = drawn(banana, rng.standard_normal((20, 3)), 650, rng)
    assert found.settled
    assert found.z.shape == (650, 3)
    np.testing.assert_allclose(found.value, banana.log_density(found.z), rtol=1e-12)
    terms, variances = moments(banana.start.u(found.z))
    np.testing.assert_array_less(np.abs(terms.mean(axis=0)), 4.5 * np.sqrt(variances / 600))
    few = drawn(banana, rng.standard_normal((20, 3)), 5, rng)
    assert few.z.shape == (5, 3)
