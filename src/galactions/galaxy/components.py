"""From parameters to densities and distribution functions."""

from collections.abc import Iterable, Mapping
from functools import partial

import jax.numpy as jnp
from jaxtyping import Array

from galactions.df.base import DistributionFunction as DistributionFunction
from galactions.galaxy.distribution import KINDS, Surroundings
from galactions.galaxy.spec import ComponentSpec
from galactions.galaxy.tabulated import DiskDensity, SpheroidDensity
from galactions.numerics.program import program
from galactions.potential.circumgalactic import CircumgalacticMedium, self_consistent_r200
from galactions.potential.contraction import ContractedHalo
from galactions.potential.densities import Disk, FlatDensity, SmoothDensity, Spheroid
from galactions.potential.epicycles import Epicycles
from galactions.potential.field import POISSON_GRID, Potential, solve_poisson
from galactions.potential.miyamoto_nagai import MiyamotoNagai
from galactions.potential.spherical import spherical_mean

Parameters = Mapping[str, Array]


AnalyticDensity = FlatDensity | SmoothDensity
Density = AnalyticDensity | DiskDensity | SpheroidDensity


def analytic_density(component: ComponentSpec, parameters: Parameters) -> Disk | MiyamotoNagai | Spheroid:
    """The component's density profile (eqs. 7-9), that of a contracted halo before its contraction.

    The circumgalactic medium has none of its own: see `analytic_densities`.
    """

    def get(name: str, default: float | None = None) -> Array:
        key = f"{name}_{component.suffix}"
        return jnp.asarray(parameters[key] if default is None else parameters.get(key, default), float)

    if component.density == "disk":
        return Disk(get("Sigma0"), get("R_d"), get("h"), get("R_cut", 0.0), component.vertical)
    if component.density == "miyamoto_nagai":
        return MiyamotoNagai(get("M"), get("a"), get("b"))
    r_cut = get("r_cut") if component.cutoff else jnp.asarray(1.0)
    return Spheroid(get("rho0"), get("r0"), get("gamma"), get("beta"), get("q"), r_cut, component.cutoff)


def analytic_densities(
    components: tuple[ComponentSpec, ...], parameters: Parameters
) -> dict[str, AnalyticDensity]:
    """The density profiles of all components, by name.

    The circumgalactic medium is scaled to the virial radius of the whole, and the halo contracted by all
    other components (eqs. 11-13).
    """
    plain = {c.name: analytic_density(c, parameters) for c in components if c.density != "cgm"}
    densities: dict[str, AnalyticDensity] = dict(plain)
    if not any(c.density in ("contracted", "cgm") for c in components):
        return densities
    f_bar = jnp.asarray(parameters["f_bar"], float)
    baryons = jnp.zeros(len(POISSON_GRID.r))
    halo = next((c for c in components if c.density == "contracted"), None)
    dark = None if halo is None else spherical_mean(plain[halo.name])
    relation = "fitted" if halo is None else halo.contraction
    for name, density in plain.items():
        if halo is None or name != halo.name:
            baryons = baryons + spherical_mean(density)
    for component in components:
        if component.density == "cgm":
            A, beta = (jnp.asarray(parameters[f"{p}_{component.suffix}"], float) for p in ("A", "beta"))
            r200 = self_consistent_r200(A, beta, f_bar, baryons, dark, relation)
            medium = CircumgalacticMedium(A, beta, f_bar, r200)
            densities[component.name] = medium
            baryons = baryons + spherical_mean(medium)
    if halo is not None:
        uncontracted = plain[halo.name]
        assert isinstance(uncontracted, Spheroid)
        densities[halo.name] = ContractedHalo.of(uncontracted, baryons, f_bar, relation)
    return {component.name: densities[component.name] for component in components}


def total_potential(densities: Iterable[Density]) -> Potential:
    """Potential of densities together."""
    densities = tuple(densities)
    flat = [d for d in densities if isinstance(d, FlatDensity)]
    return solve_poisson(_at_nodes(tuple(d for d in densities if not isinstance(d, FlatDensity))), flat)


@program()
def _at_nodes(densities: tuple[Density, ...]) -> Array:
    R, z = POISSON_GRID.Rz
    return sum((d.density(R, z) for d in densities), start=jnp.zeros(R.shape))


def distribution_functions(
    components: tuple[ComponentSpec, ...],
    parameters: Parameters,
    densities: Mapping[str, AnalyticDensity],
    potential: Potential,
) -> dict[str, DistributionFunction]:
    """The DFs of all components that have one, made for the initial `potential` and kept from then on."""

    def midplane_density(R: Array) -> Array:
        return sum((d.density(R, jnp.zeros_like(R)) for d in densities.values()), start=jnp.zeros_like(R))

    epicycles = Epicycles.of(potential, midplane_density)
    profile = potential.spherical_average()
    result: dict[str, DistributionFunction] = {}
    for component in components:
        if component.df is not None:
            mean = partial(spherical_mean, densities[component.name])
            own = component.own_parameters(parameters)
            around = Surroundings(epicycles, profile, potential.central, mean)
            result[component.name] = KINDS[component.df].make(own, around)
    return result
