"""What tables of actions say between their nodes in energy, against the integrals that they are made of."""

import jax
import jax.numpy as jnp
import numpy as np

from galactions.actions.shells import energy_label
from galactions.actions.table import E_coordinate, L_coordinate
from galactions.actions.wells import radial_actions, vertical_actions

ELL, K = np.array([0.7, 0.9, 0.97]), np.array([0.01, 0.1, 0.4])
"""|L_z|/L_circ, and K/K_max of orbits that cross the midplane at their shell."""
NODES = 20
"""Of the integrals."""


@jax.jit
def told_and_integrated(table, R_circ):
    """J_r and J_z by the table and by integrals: each (2, R, ell, k)."""
    midplane, potential = table.midplane, table.potential
    R_circ = R_circ[:, None]
    phi, slope, _ = midplane.derivatives(R_circ)
    E, L_z = (phi + 0.5 * R_circ * slope) * jnp.ones_like(ELL), ELL * jnp.sqrt(R_circ**3 * slope)
    e, x = E_coordinate(energy_label(E, potential.central)), L_coordinate(ELL)
    R = table.shells(e, jnp.broadcast_to(x, e.shape), E, L_z, R_circ)[1]
    frame = table.frame(R, jnp.zeros_like(R), E, L_z)
    K_max, wide = frame.K_max[..., None], frame.with_axis()
    told = jnp.stack(table.actions(wide, (1 - K) * K_max, K * K_max))
    R, R_circ, K_u = R[..., None], R_circ[..., None], K_max * K
    J_r = radial_actions(midplane, *wide.motion, R, K_u, R_circ, NODES).J_r
    J_z, _, _ = vertical_actions(potential, wide.motion, R, K_u, NODES)
    return told, jnp.stack([J_r, J_z])


def test_actions_between_nodes_of_energy_are_those_of_the_integrals(initial):
    """Where they were off in waves from node to node, the density of a cold disc would be by several
    times as much, and a survey's likelihood rippled along its parameters."""
    R_circ = np.geomspace(4.0, 20.0, 200)
    told, integrated = told_and_integrated(initial.action_table, jnp.asarray(R_circ))
    off = np.asarray(told / integrated - 1)
    np.testing.assert_array_less(np.abs(off), 1.5e-3)
    smooth = np.polynomial.chebyshev.chebvander(np.linspace(-1.0, 1.0, len(R_circ)), 6)
    wave = off - np.einsum("ij,ajlk->ailk", smooth @ np.linalg.pinv(smooth), off)
    radial, vertical = np.sqrt(np.mean(wave**2, axis=(1, 2, 3)))
    assert radial < 1e-4
    assert vertical < 2e-4
