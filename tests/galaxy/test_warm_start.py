"""Iterations begun with the densities of a settled model nearby, against those begun with analytic ones."""

import numpy as np
import pytest

import galactions as ga

R = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
NEARBY = {"sigma_r0_thin": 70.0, "Sigma0_thick": 2.1e8, "r0_halo": 21.0, "h_thin": 0.36}


@pytest.fixture(scope="module")
def settled():
    return ga.build("Mc17a", iterations="auto")


@pytest.fixture(scope="module")
def nearby():
    return ga.build(ga.named_model("Mc17a").replace(**NEARBY), iterations="auto")


def off(galaxy, truth):
    """Largest relative differences of v_circ, and of the discs' densities where there are stars."""
    speed = np.abs(galaxy.circular_velocity(R) / truth.circular_velocity(R) - 1).max()
    densities = [
        np.abs(galaxy.density(name, R[1:], z) / truth.density(name, R[1:], z) - 1).max()
        for name, z in (("thin_disk", 0.1), ("thick_disk", 0.8))
    ]
    return speed, max(densities)


def test_a_settled_model_begun_with_itself_is_there_at_once(settled):
    again = ga.build("Mc17a", iterations=1, near=settled)
    assert again.initial["v_circ_sun_kms"] == pytest.approx(settled.history[-1]["v_circ_sun_kms"], rel=1e-6)
    assert again.history[0]["residual"] < 1e-4
    speed, density = off(again, settled)
    assert speed < 5e-5
    assert density < 1e-3


def test_one_iteration_does_more_than_three_from_the_beginning(settled, nearby):
    warm = off(ga.build(nearby.spec, iterations=1, near=settled), nearby)
    cold = off(ga.build(nearby.spec, iterations=3), nearby)
    assert warm[0] < 0.5 * cold[0]
    assert warm[0] < 0.01
    assert warm[1] < 0.05


def test_both_come_to_the_same_end(settled, nearby):
    warm = ga.build(nearby.spec, iterations="auto", near=settled)
    assert warm.iterations < nearby.iterations
    speed, density = off(warm, nearby)
    assert speed < 3e-4
    assert density < 2e-3


def test_what_cannot_be_near_is_told(settled):
    with pytest.raises(ga.ModelError, match="components are not those of Ca20e"):
        ga.build("Ca20e", iterations=1, near=settled)
    with pytest.raises(ga.ModelError, match="at least one iteration"):
        ga.build("Mc17a", iterations=0, near=settled)
