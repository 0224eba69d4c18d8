"""The self-consistent iteration (paper, section 3.1, steps i-v)."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.table import ActionTable
from galactions.actions.tabulate import tabulate_actions
from galactions.df.base import SpheroidFunction
from galactions.galaxy.components import (
    AnalyticDensity,
    DistributionFunction,
    Parameters,
    analytic_densities,
    analytic_potential,
    distribution_functions,
)
from galactions.galaxy.spec import ComponentSpec
from galactions.galaxy.tabulated import (
    SPHEROID_ANGLES,
    DiskDensity,
    SpheroidDensity,
    disk_places,
    tabulate_density,
)
from galactions.potential.densities import FlatDensity, SmoothDensity
from galactions.potential.field import POISSON_GRID, Potential, solve_poisson
from galactions.potential.spherical import spherical_mean

Density = AnalyticDensity | DiskDensity | SpheroidDensity

_CHECK_R, _CHECK_Z = (
    a.ravel() for a in np.meshgrid(np.geomspace(1.0, 50.0, 12), [0.0, 0.3, 1.0, 3.0], indexing="ij")
)


class State(NamedTuple):
    """A model between two iterations: all densities, the potential they make, and its action table."""

    densities: dict[str, Density]
    actions: ActionTable

    @property
    def potential(self) -> Potential:
        """The total potential."""
        return self.actions.potential


class Ingredients(NamedTuple):
    """What stays fixed through the iterations: DFs, the densities of components without a DF, and the
    spheroids' initial mean densities.
    """

    dfs: dict[str, DistributionFunction]
    static: dict[str, AnalyticDensity]
    means: dict[str, Array]


# The steps are compiled one by one, not as a whole: components of one kind and all iterations share their
# programs.
_tabulate_actions = jax.jit(tabulate_actions)
_tabulate_density = jax.jit(tabulate_density, static_argnames="angles")


@partial(jax.jit, static_argnums=0)
def _prepare(
    components: tuple[ComponentSpec, ...], parameters: Parameters
) -> tuple[Ingredients, dict[str, Density], Potential]:
    analytic = analytic_densities(components, parameters)
    potential = analytic_potential(analytic)
    dfs = distribution_functions(components, parameters, analytic, potential)
    static = {name: d for name, d in analytic.items() if name not in dfs}
    means = {
        name: spherical_mean(d)
        for name, d in analytic.items()
        if isinstance(dfs.get(name), SpheroidFunction) and isinstance(d, SmoothDensity)
    }
    return Ingredients(dfs, static, means), dict(analytic), potential


@jax.jit
def _at_disk_places(density: Density) -> Array:
    R, z = disk_places()
    return density.density(jnp.asarray(R), jnp.asarray(z))


@jax.jit
def _total_potential(
    tabulated: dict[str, DiskDensity | SpheroidDensity], static: dict[str, AnalyticDensity]
) -> Potential:
    zero = jnp.zeros(POISSON_GRID.Rz[0].shape)
    smooth = [*tabulated.values(), *(d for d in static.values() if isinstance(d, SmoothDensity))]
    total = sum((d.density(*POISSON_GRID.Rz) for d in smooth), start=zero)
    return solve_poisson(total, [d for d in static.values() if isinstance(d, FlatDensity)])


def initial_state(components: tuple[ComponentSpec, ...], parameters: Parameters) -> tuple[Ingredients, State]:
    """The analytic densities with their potential, and the DFs made for it."""
    ingredients, densities, potential = _prepare(components, parameters)
    return ingredients, State(densities, _tabulate_actions(potential))


def iterate(ingredients: Ingredients, state: State, angles: int = SPHEROID_ANGLES) -> State:
    """One iteration: densities of the DFs in the current potential, and the potential of these densities.

    Those of spheroids are computed at this number of `angles`.
    """
    dfs, static, means = ingredients
    expected = {
        name: means[name] if name in means else _at_disk_places(state.densities[name]) for name in dfs
    }
    tabulated = {
        name: _tabulate_density(df, state.actions, expected[name], angles=angles) for name, df in dfs.items()
    }
    potential = _total_potential(tabulated, static)
    densities: dict[str, Density] = {name: {**tabulated, **static}[name] for name in state.densities}
    return State(densities, _tabulate_actions(potential))


@jax.jit
def residual(old: State, new: State) -> Array:
    """Largest relative changes of force and total density, shape (2,), at R = 1-50, |z| <= 3 kpc."""
    R, z = jnp.asarray(_CHECK_R), jnp.asarray(_CHECK_Z)
    before, after = (jnp.stack(s.potential.gradient(R, z)) for s in (old, new))
    force = jnp.max(jnp.linalg.norm(after - before, axis=0) / jnp.linalg.norm(before, axis=0))
    total_before, total_after = (_total_density(s.densities, R, z) for s in (old, new))
    return jnp.stack([force, jnp.max(jnp.abs(total_after / total_before - 1))])


def _total_density(densities: Mapping[str, Density], R: Array, z: Array) -> Array:
    return sum((d.density(R, z) for d in densities.values()), start=jnp.zeros_like(R))
