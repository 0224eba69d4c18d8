"""Variants of the halo of Ca20d, for the mass that the paper's loses in its first iteration.

    python -m benchmarks.halo_of_ca20d     # the table; benchmarks.paper_models puts it on its page

Each changes the distribution function of the halo alone: its initial density, and so the initial potential,
stays what the model says.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

import galactions as ga
from benchmarks.markdown import table
from galactions.constants import RHO_CRIT
from galactions.data.published import paper_result
from galactions.df.quasi_spherical import LOG_J_AXIS, SHARE_AXIS, QuasiSpherical, energy_of_actions
from galactions.galaxy import Galaxy, ModelSpec
from galactions.galaxy.components import analytic_density, total_potential
from galactions.galaxy.iteration import Density, initial_state, iterate
from galactions.numerics.spline import Spline2D
from galactions.potential.circumgalactic import CircumgalacticMedium, mass_fraction
from galactions.potential.contraction import Relation
from galactions.potential.densities import Spheroid
from galactions.potential.field import POISSON_GRID, Potential
from galactions.potential.spherical import spherical_mean

ITERATIONS = 5
_WIDTH = 0.025
"""Relative width in energy over which a DF ends."""

HaloDF = Callable[[ModelSpec, QuasiSpherical, Potential], QuasiSpherical]


class Summary(NamedTuple):
    """v_circ (km/s) and dark density (Msun/pc^3) at the Sun, and M200 with and without the medium (Msun)."""

    v_circ: float
    dark: float
    m200: float
    m200_without: float


def course(spec: ModelSpec, change: HaloDF | None = None) -> list[Summary]:
    """The model with its halo's DF changed: initially and after each iteration."""
    ingredients, now = initial_state(spec.components, _parameters(spec))
    if change is not None:
        halo = ingredients.dfs["halo"]
        assert isinstance(halo, QuasiSpherical)
        dfs = {**ingredients.dfs, "halo": change(spec, halo, now.potential)}
        ingredients = ingredients._replace(dfs=dfs)
    result = []
    for number in range(ITERATIONS + 1):
        if number:
            now = iterate(ingredients, now)
        result.append(_summary(Galaxy(spec, ingredients, now, number), now.densities["CGM"]))
    return result


def _summary(galaxy: Galaxy, medium: Density) -> Summary:
    sun = galaxy.spec.parameters["d_sun"]
    assert isinstance(medium, CircumgalacticMedium)
    r200 = float(medium.r200)
    whole = float(mass_fraction(medium.A, medium.beta, medium.f_bar)) * 800 * np.pi / 3 * RHO_CRIT * r200**3

    def excess(r: float) -> float:
        """Mean density over 200 rho_crit of all but the medium, within its power law; less one."""
        gas = whole * (r / r200) ** (3 + float(medium.beta))
        mass = float(galaxy.total_potential.enclosed_mass(jnp.asarray(r)))
        return (mass - gas) / (800 * np.pi / 3 * RHO_CRIT * r**3) - 1

    without = 800 * np.pi / 3 * RHO_CRIT * brentq(excess, 20.0, r200) ** 3
    dark = 1e-9 * float(galaxy.density("halo", sun, 0.0))
    return Summary(float(galaxy.circular_velocity(sun)), dark, galaxy.virial().m200, without)


def ending_at(radius: float) -> HaloDF:
    """No orbits of more energy than what is at rest at this radius (kpc) has in the initial potential."""

    def change(_: ModelSpec, halo: QuasiSpherical, potential: Potential) -> QuasiSpherical:
        return _ended(halo, potential, jnp.asarray(radius))

    return change


@jax.jit
def _ended(halo: QuasiSpherical, potential: Potential, radius: jax.Array) -> QuasiSpherical:
    profile = potential.spherical_average()
    E, end = energy_of_actions(profile, potential.central), profile(radius)
    kept = jax.nn.log_sigmoid((end - E) / (_WIDTH * jnp.abs(end)))
    log_f = halo.table(*jnp.meshgrid(LOG_J_AXIS.nodes, SHARE_AXIS.nodes, indexing="ij"))
    ended = Spline2D.fit(LOG_J_AXIS, SHARE_AXIS, jnp.maximum(log_f + kept, -300.0))
    return eqx.tree_at(lambda df: df.table, halo, ended)


def of_the_uncontracted(spec: ModelSpec, _: QuasiSpherical, potential: Potential) -> QuasiSpherical:
    """The DF of the NFW halo of Table 2, in the initial potential of the contracted one."""
    return _of_nfw(spec, potential)


def of_dark_matter_only(spec: ModelSpec, _: QuasiSpherical, __: Potential) -> QuasiSpherical:
    """The DF that the NFW halo has in the run of dark matter only; its actions are conserved."""
    whole = _nfw(spec)
    whole = eqx.tree_at(lambda nfw: nfw.rho0, whole, whole.rho0 / (1 - spec.parameters["f_bar"]))
    return _of_nfw(spec, total_potential([whole]))


def _of_nfw(spec: ModelSpec, potential: Potential) -> QuasiSpherical:
    density = spherical_mean(_nfw(spec))
    made: QuasiSpherical = _quasi_spherical(density, potential)
    return made


@jax.jit
def _quasi_spherical(density: jax.Array, potential: Potential) -> QuasiSpherical:
    return QuasiSpherical.of(density, POISSON_GRID, potential.spherical_average(), potential.central)


def _nfw(spec: ModelSpec) -> Spheroid:
    nfw = analytic_density(next(c for c in spec.components if c.name == "halo"), _parameters(spec))
    assert isinstance(nfw, Spheroid)
    return nfw


def _parameters(spec: ModelSpec) -> dict[str, jax.Array]:
    return {name: jnp.asarray(value, float) for name, value in spec.parameters.items()}


def contracted_by(relation: Relation) -> ModelSpec:
    """Ca20d with its halo contracted by this relation."""
    spec = ga.named_model("Ca20d")
    components = (
        replace(c, contraction=relation) if c.density == "contracted" else c for c in spec.components
    )
    return replace(spec, components=tuple(components))


VARIANTS: Sequence[tuple[str, Relation, HaloDF | None]] = (
    ("as built", "fitted", None),
    ("DF of the uncontracted halo", "fitted", of_the_uncontracted),
    ("DF of the run of dark matter only", "fitted", of_dark_matter_only),
    *((f"DF that ends at Phi({radius} kpc)", "fitted", ending_at(radius)) for radius in (50, 80, 100)),
    ("as built", "implicit", None),
    *((f"DF that ends at Phi({radius} kpc)", "implicit", ending_at(radius)) for radius in (50, 80, 100)),
)
_RELATIONS = {"fitted": "eq. (11)", "implicit": "implicit"}


def variants() -> str:
    """The table of all variants, with what the paper prints in its last line."""
    rows = []
    for label, relation, change in VARIANTS:
        first, second, *_, last = course(contracted_by(relation), change)
        masses = [f"{x / 1e12:.3f}" for x in (first.m200, second.m200, last.m200, last.m200_without)]
        rows.append([label, _RELATIONS[relation], f"{last.v_circ:.1f}", f"{last.dark:.4f}", *masses])
        print(*rows[-1], file=sys.stderr, flush=True)
    paper = paper_result("Ca20d")
    assert paper is not None
    sun = [f"{paper.v_circ_sun:.1f}", f"{paper.density_sun['halo']:.4f}"]
    headings = ("halo of Ca20d", "contraction", "v_circ", "dark density", "M200 initial", "after one", "last")
    rows.append(["paper", "", *sun, "", "", f"{paper.m200 / 1e12:.2f}", ""])
    return table((*headings, "without the CGM"), rows)


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    print(variants())
