"""Radial motions of the tables near L_z = 0, where A can have a second hump close to the centre."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from galactions.actions.tabulate import _shells
from galactions.actions.wells import RadialMotions, radial_actions

SHARES = np.linspace(0.01, 0.99, 491)
"""K/K_max."""


@pytest.fixture(scope="module")
def motions(initial) -> Callable[[Array], RadialMotions]:
    """Of energies and angular momenta that the tables have where circular orbits of that energy are at 4 to
    20 kpc and |L_z| < 0.15 L_circ, (n_E, n_L, 491), with Delta^2 greater by a share of it."""
    midplane, _, _, (orbits, *shells) = _shells(initial.total_potential)
    circular, ell = np.asarray(orbits.R_circ)[:, 0], np.asarray(orbits.ell)[0]
    rows = np.ix_((circular > 4) & (circular < 20), ell < 0.15)
    E, L_z, R_circ, delta2, s_shell, K_max = (
        a[rows][..., None] for a in (orbits.E, orbits.ell * orbits.L_circ, orbits.R_circ, *shells[:3])
    )
    return jax.jit(
        lambda more: radial_actions(
            midplane, E, L_z, (1 + more) * delta2, s_shell, K_max * SHARES, R_circ, 40
        )
    )


def test_second_humps_are_there(motions):
    found = motions(0.0)
    wide = np.asarray(found.second_out > 1.5 * found.second_in).any(axis=-1)
    assert 0.1 < wide.mean() < 0.9


def test_actions_do_not_jump_where_the_way_to_a_second_hump_opens(motions):
    J_r = motions(0.0).J_r
    ratio = np.asarray(J_r / J_r[..., :1])
    assert np.all(np.diff(ratio) < 0)
    assert np.max(np.abs(np.diff(ratio))) < 0.02


def test_derivatives_know_of_second_humps(motions):
    """Up to 0.9 K_max; J_r bends so sharply next to a dip that a step of 1e-5 would be too long."""
    step = 1e-7
    exact = jax.jvp(lambda more: motions(more).J_r, (0.0,), (1.0,))[1]
    difference = (motions(step).J_r - motions(-step).J_r) / (2 * step)
    error = np.asarray(jnp.abs(exact - difference) / motions(0.0).J_r)
    assert np.max(error[..., SHARES < 0.9]) < 1e-6
