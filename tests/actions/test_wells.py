"""Wells of the radial motion near L_z = 0, some with two humps, and focal distances that come to zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.actions.table import E_AXIS, L_coordinate, positive_delta2
from galactions.actions.tabulate import _L_AXIS, _orbits
from galactions.actions.wells import radial_actions

K = np.linspace(0.01, 0.99, 491)


@pytest.fixture(scope="module")
def wells(initial):
    """A(s, 0) over what it is at the shell (E, L_z, 200), from there inwards, and J_r at the `K` over J_r at
    the least of them (E, L_z, K): of energies at which orbits reach 3 to 12 kpc, and of small L_z."""
    table = initial.action_table

    @jax.jit
    def found():
        e, E, ell, L_circ, R_circ = (
            a[29:37, -6:] for a in _orbits(table.potential, table.circular, E_AXIS, _L_AXIS)
        )
        delta2, s_shell, _ = table.shells(e, L_coordinate(ell), R_circ)
        E, L_z, delta2, s_shell, R_circ = (a[..., None] for a in (E, ell * L_circ, delta2, s_shell, R_circ))

        def well(s):
            return (s**2 + delta2) * (E - table.midplane(s) - 0.5 * (L_z / s) ** 2)

        heights = well(s_shell * np.geomspace(1.0, 0.02, 200))
        J_r, *_ = radial_actions(table.midplane, E, L_z, delta2, s_shell, well(s_shell) * K, R_circ, 14)
        return heights / heights[..., :1], J_r / J_r[..., :1]

    return tuple(np.asarray(a) for a in found())


def test_some_wells_have_two_humps(wells):
    heights, _ = wells
    rises = np.max(heights - np.minimum.accumulate(heights, axis=-1), axis=-1)
    assert np.max(rises) > 0.1


def test_actions_do_not_jump_where_the_way_to_the_inner_hump_opens(wells):
    _, actions = wells
    steps = -np.diff(actions, axis=-1)
    assert np.all(steps > -1e-6)
    assert np.max(steps) < 0.02


def test_focal_distances_go_to_zero_smoothly():
    share = jnp.linspace(-0.1, 0.4, 5001)
    values = positive_delta2(share)
    slopes = jax.vmap(jax.grad(positive_delta2))(share)
    assert np.all(values[share <= 0] == 0.0)
    np.testing.assert_allclose(values[share > 0.1], share[share > 0.1], rtol=0.01)
    assert np.max(np.abs(np.diff(slopes))) < 0.02
    assert np.all(slopes >= 0.0)
