"""Potentials of single components."""

import jax
import jax.numpy as jnp

from galactions.galaxy.iteration import Density
from galactions.potential.densities import FlatDensity
from galactions.potential.field import POISSON_GRID, Potential, solve_poisson


@jax.jit
def component_potential(density: Density) -> Potential:
    """The potential that one component makes."""
    if isinstance(density, FlatDensity):
        return solve_poisson(jnp.zeros(POISSON_GRID.Rz[0].shape), [density])
    return solve_poisson(density.density(*POISSON_GRID.Rz))
