"""The self-consistent iteration (paper, section 3.1, steps i-v)."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.table import ActionTable
from galactions.actions.tabulate import tabulate_actions
from galactions.df.base import SpheroidFunction
from galactions.galaxy.components import (
    AnalyticDensity,
    Density,
    DistributionFunction,
    Parameters,
    analytic_densities,
    distribution_functions,
    total_potential,
)
from galactions.galaxy.spec import ComponentSpec
from galactions.galaxy.tabulated import (
    SPHEROID_ANGLES,
    DiskDensity,
    SpheroidDensity,
    disk_places,
    tabulate_density,
)
from galactions.galaxy.warm_start import Shapes, scaled, shape_of
from galactions.numerics.fixed_point import at_fixed_point, fixed
from galactions.numerics.program import Program, program, traced
from galactions.numerics.together import together
from galactions.potential.densities import SmoothDensity
from galactions.potential.field import Potential
from galactions.potential.spherical import spherical_mean

AUTO_TOLERANCE = 1e-4
"""Largest relative change of the force in an iteration at which a model has settled."""
AUTO_LIMIT = 30
"""Iterations after which a model is taken as it is."""

_CHECK_R, _CHECK_Z = (
    a.ravel() for a in np.meshgrid(np.geomspace(1.0, 50.0, 12), [0.0, 0.3, 1.0, 3.0], indexing="ij")
)

Tabulated = dict[str, DiskDensity | SpheroidDensity]
"""The densities of the components with a DF, as it makes them."""


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
# programs, and run side by side.
_tabulate_density = Program(tabulate_density, ["angles"])
_analytic_densities = Program(analytic_densities, ["components"])


# Backwards, the tables are made once more: what their making would have to keep is a gigabyte.
_tabulated_again = jax.jit(jax.checkpoint(tabulate_actions))


def _tabulate_actions(potential: Potential) -> ActionTable:
    return _tabulated_again(potential) if traced(potential) else tabulate_actions(potential)


@program("components")
def _ingredients(
    components: tuple[ComponentSpec, ...],
    parameters: Parameters,
    analytic: dict[str, AnalyticDensity],
    potential: Potential,
) -> Ingredients:
    dfs = distribution_functions(components, parameters, analytic, potential)
    static = {name: d for name, d in analytic.items() if name not in dfs}
    means = {
        name: spherical_mean(d)
        for name, d in analytic.items()
        if isinstance(dfs.get(name), SpheroidFunction) and isinstance(d, SmoothDensity)
    }
    return Ingredients(dfs, static, means)


@program()
def _at_disk_places(density: Density) -> Array:
    R, z = disk_places()
    return density.density(jnp.asarray(R), jnp.asarray(z))


@program()
def _scaled(shapes: Shapes, analytic: dict[str, AnalyticDensity], means: dict[str, Array]) -> Tabulated:
    return {name: scaled(shape, analytic[name], means.get(name)) for name, shape in shapes.items()}


def _arrays(parameters: Mapping[str, Any]) -> Parameters:
    """Arrays of one type, whatever the numbers are: another one would be compiled for anew."""
    return {name: jnp.asarray(value, float) for name, value in parameters.items()}


def initial_state(
    components: tuple[ComponentSpec, ...], parameters: Mapping[str, Any], shapes: Shapes | None = None
) -> tuple[Ingredients, State]:
    """The analytic densities with their potential, and the DFs made for it.

    With the `settled_shapes` of a model nearby the state is that of its densities, scaled to the parameters;
    the DFs are the same.
    """
    parameters = _arrays(parameters)
    analytic = _analytic_densities(components, parameters)
    potential = total_potential(analytic.values())
    ingredients = _ingredients(components, parameters, analytic, potential)
    if shapes is None:
        return ingredients, State(dict(analytic), _tabulate_actions(potential))
    return ingredients, _state(ingredients, _scaled(shapes, analytic, ingredients.means), list(analytic))


def settled_shapes(
    components: tuple[ComponentSpec, ...], parameters: Mapping[str, Any], state: State
) -> Shapes:
    """The shapes of the densities of a model after iterations."""
    analytic = _analytic_densities(components, _arrays(parameters))
    return {
        name: shape_of(density, analytic[name])
        for name, density in state.densities.items()
        if isinstance(density, DiskDensity | SpheroidDensity)
    }


def iterate(ingredients: Ingredients, state: State, angles: int = SPHEROID_ANGLES) -> State:
    """One iteration: densities of the DFs in the current potential, and the potential of these densities.

    Those of spheroids are computed at this number of `angles`.
    """
    tabulated = _tabulated(ingredients, state.actions, state.densities, angles)
    return _state(ingredients, tabulated, list(state.densities))


def settle(ingredients: Ingredients, state: State, tolerance: float = AUTO_TOLERANCE) -> State:
    """The state to which iterations lead, once one changes the force by less than `tolerance`, or after 30.

    Its derivatives are those of the fixed point (`at_fixed_point`): they cost those of a few iterations,
    however many it took to settle.
    """
    own, now = fixed(ingredients), fixed(state)
    for _ in range(AUTO_LIMIT):
        last, now = now, iterate(own, now)
        if residual(last, now)[0] < tolerance:
            break
    names = list(state.densities)

    def again(fixed_parts: tuple[Ingredients, dict[str, Density]], tabulated: Tabulated) -> Tabulated:
        ingredients, initial = fixed_parts
        return _tabulated(ingredients, _state(ingredients, tabulated, names).actions, initial)

    settled = {name: d for name, d in now.densities.items() if isinstance(d, DiskDensity | SpheroidDensity)}
    found = at_fixed_point(again, (ingredients, state.densities), settled)
    return _state(ingredients, found, names)


def _tabulated(
    ingredients: Ingredients,
    actions: ActionTable,
    before: Mapping[str, Density],
    angles: int = SPHEROID_ANGLES,
) -> Tabulated:
    """The densities of the DFs by a table of actions; of a disc `before` where it is negligible."""
    dfs, _, means = ingredients
    expected = {name: means[name] if name in means else _at_disk_places(before[name]) for name in dfs}
    found = together(
        partial(_tabulate_density, angles=angles),
        ((df, actions, expected[name]) for name, df in dfs.items()),
    )
    return dict(zip(dfs, found, strict=True))


def _state(ingredients: Ingredients, tabulated: Tabulated, names: list[str]) -> State:
    """The state of these densities of the components with a DF, and those of all others, in the order of
    `names`."""
    densities: dict[str, Density] = {name: {**tabulated, **ingredients.static}[name] for name in names}
    return State(densities, _tabulate_actions(total_potential(densities.values())))


@program()
def residual(old: State, new: State) -> Array:
    """Largest relative changes of force and total density, shape (2,), at R = 1-50, |z| <= 3 kpc."""
    R, z = jnp.asarray(_CHECK_R), jnp.asarray(_CHECK_Z)
    before, after = (jnp.stack(s.potential.gradient(R, z)) for s in (old, new))
    force = jnp.max(jnp.linalg.norm(after - before, axis=0) / jnp.linalg.norm(before, axis=0))
    total_before, total_after = (_total_density(s.densities, R, z) for s in (old, new))
    return jnp.stack([force, jnp.max(jnp.abs(total_after / total_before - 1))])


def _total_density(densities: Mapping[str, Density], R: Array, z: Array) -> Array:
    return sum((d.density(R, z) for d in densities.values()), start=jnp.zeros_like(R))
