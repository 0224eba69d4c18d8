"""The density of a quasi-isothermal disc by integration over velocities."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.model import settled_galaxy
from galactions.galaxy.moments import DISK_RULE, VelocityRule, density

TASK = "density of the thin disc's DF"
DISC = "thin_disk"
FINE = VelocityRule(60, 36, 12)

R, Z = (a.ravel() for a in np.meshgrid(np.linspace(4.0, 14.0, 8), np.linspace(0.0, 1.4, 8), indexing="ij"))
"""Places in kpc, the same for all programs."""


def figures(folder: Path, repeats: int) -> list[Measured]:
    """At 64 places; the error is from three times as many nodes in each dimension."""
    galaxy = settled_galaxy(folder)
    at_places = jax.jit(density, static_argnames="rule")
    R_, Z_ = jnp.asarray(R), jnp.asarray(Z)
    df, table = galaxy.df(DISC), galaxy.action_table
    figure, found = measure(
        TASK, lambda: at_places(df, table, R_, Z_, rule=DISK_RULE), repeats, size=len(R), unit="place"
    )
    fine = at_places(df, table, R_, Z_, rule=FINE)
    return [replace(figure, error=largest(np.asarray(found), np.asarray(fine)))]


def largest(found: np.ndarray, fine: np.ndarray) -> str:
    """Median and largest relative difference."""
    off = np.abs(found / fine - 1)
    return f"median {np.median(off):.1e}, largest {np.max(off):.1e}"
