"""Actions of stars: direct, and tabulated."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.model import settled_galaxy
from benchmarks.parts.stars import cylindrical, difference, disc_stars, orbits, scatter

DIRECT, TABULATED = "actions, direct", "actions, tabulated"
N_DIRECT, N_TABLE = 20_000, 400_000


@jax.jit
def tabulated(table, R, z, v_R, v_z, v_phi):  # type: ignore[no-untyped-def]
    """Actions (n, 3) from a table."""
    return jnp.stack(table(R, z, v_R, v_z, v_phi), axis=1)


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Both finders of actions in the same potential."""
    galaxy = settled_galaxy(folder)
    sample = disc_stars(N_TABLE)
    along = orbits(galaxy)
    few, many = sample[:N_DIRECT], [jnp.asarray(a) for a in cylindrical(sample)]
    direct, J = measure(DIRECT, lambda: galaxy.actions(few), repeats, size=N_DIRECT, unit="star")
    table, J_table = measure(
        TABULATED, lambda: tabulated(galaxy.action_table, *many), repeats, size=N_TABLE, unit="star"
    )
    flat = along.reshape(-1, 6)
    shape = (*along.shape[:2], 3)
    of_table = tabulated(galaxy.action_table, *cylindrical(flat))
    off = difference(np.asarray(J_table)[:N_DIRECT], np.asarray(J))
    return [
        replace(direct, error=scatter(np.reshape(galaxy.actions(flat), shape))),
        replace(table, error=f"{scatter(np.reshape(of_table, shape))}; off direct ones {off}"),
    ]
