"""The hyperbolas along which the tables of J_r are changed."""

import jax
import jax.numpy as jnp
import numpy as np

from galactions.actions.separation import Motion
from galactions.actions.table import L_coordinate, shell_width
from galactions.actions.tabulate import _E_COARSE, _L_COARSE, _orbits
from galactions.actions.wells import hyperbolas

SHARES, K = np.array([0.5, 1.0]), np.array([0.01, 0.1, 0.5, 0.9])


@jax.jit
def missed(table):
    """W along the hyperbolas that were found, over what was asked for, less one: (24, 16, 4, 2)."""
    e, E, ell, L_circ, R_circ = _orbits(table.potential, table.circular, _E_COARSE, _L_COARSE)
    x, L_z = L_coordinate(ell), ell * L_circ
    frame = (e, x, ell, E, L_z, *table.shells(e, x, E, L_z, R_circ))
    e, x, ell, E, L_z, delta2, s_shell, bend = (a[..., None, None] for a in frame)
    motion, k = Motion(E, L_z, delta2), jnp.asarray(K[:, None] * SHARES)
    highest = motion.momenta2(table.potential, s_shell, jnp.zeros_like(s_shell))
    W = highest * k
    top2, _ = table.top(e, x, ell, shell_width(delta2, s_shell), k)
    s, c = hyperbolas(table.potential, motion, s_shell, bend, W, top2)
    return (highest - motion.momenta2(table.potential, s, c)) / W - 1


def test_hyperbolas_are_found_down_to_no_angular_momentum(initial):
    np.testing.assert_allclose(missed(initial.action_table), 0.0, atol=1e-5)
