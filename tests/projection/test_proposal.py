"""Where points are drawn: their density integrates to what it should, and pairs share one f."""

import jax
import numpy as np
import pytest

from galactions.projection.distance_selection import DistanceSelection, chance_inside
from galactions.projection.positions import PositionProposal
from galactions.projection.proposal import Proposal, reference_sun
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import View, density_at
from galactions.survey import ErrorModel, observe
from galactions.survey.frame import galactocentric, heliocentric
from galactions.survey.stars import Stars

N = 16384


@pytest.fixture(scope="module", params=[0, 2])
def drawn(request, galaxy, boxes):
    """A region, the Sun, and points in it."""
    region, sun = boxes[request.param], reference_sun(galaxy)
    proposal = Proposal(
        PositionProposal.of(region, galaxy, sun, 0.0, DistanceSelection.of_region(region)),
        VelocityProposal.of(galaxy),
        sun,
    )
    u = np.random.default_rng(1).random((7, N))
    return region, sun, jax.jit(Proposal.draw)(proposal, u)


def test_weights_integrate_a_known_distribution(drawn):
    """Stars of constant density with normal velocities about rotation: their mass is the volume."""
    region, sun, pairs = drawn
    x, y, _, *v = np.asarray(galactocentric(*pairs.seen, sun)).T
    R = np.hypot(x, y)
    mean = np.stack([200 * y / R, -200 * x / R, 0 * R])
    density = np.exp(-0.5 * np.sum((np.stack(v) - mean) ** 2, axis=0) / 40**2) / (2 * np.pi * 40**2) ** 1.5
    mass = density * np.asarray(pairs.weight)
    assert mass.mean() == pytest.approx(region.volume, abs=4 * mass.std() / np.sqrt(N))
    assert mass.std() < 4 * mass.mean()


def test_points_lie_in_the_region(drawn):
    region, _, pairs = drawn
    assert np.all(region.contains(*np.asarray(pairs.seen)[:3]))


def test_mirror_images_have_the_same_density(drawn, galaxy):
    _, _, pairs = drawn
    f, mirrored = (
        np.asarray(density_at(View.of(galaxy), heliocentric(*at))) for at in (pairs.seen, pairs.mirrored)
    )
    np.testing.assert_allclose(mirrored, f, rtol=1e-6, atol=1e-9 * f.max())
    assert np.median(np.abs(pairs.seen - pairs.mirrored)[3]) > 10.0


@pytest.mark.parametrize("limits", [(0.0, 2.0), (3.0, 4.0)])
def test_the_chance_to_be_seen_inside_is_that_of_the_mock_errors(limits):
    for distance in (0.5 * limits[1], limits[1]):
        some = np.full(40_000, distance)
        still = np.zeros_like(some)
        stars = observe(Stars(still, still, some, still, still, still), ErrorModel(distance_fraction=0.3), 2)
        share = np.mean((stars.distance >= limits[0]) & (stars.distance < limits[1]))
        assert float(chance_inside(limits, distance, 0.3)) == pytest.approx(share, abs=0.012)


def test_without_errors_the_chance_is_zero_or_one():
    found = chance_inside((1.0, 2.0), np.array([0.5, 1.0, 1.9, 2.0]), 0.0)
    assert found.tolist() == [0.0, 1.0, 1.0, 0.0]
