"""From parameters to densities and distribution functions."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array

from galactions.df.quasi_isothermal import QuasiIsothermal
from galactions.df.quasi_spherical import QuasiSpherical
from galactions.galaxy.spec import ComponentSpec
from galactions.potential.densities import Disk, Spheroid
from galactions.potential.epicycles import Epicycles
from galactions.potential.field import POISSON_GRID, Potential, solve_poisson

SIGMA_MIN_FRACTION = 0.01
"""sigma_min as a fraction of (sigma_r0 + sigma_z0)/2 (paper, section 3.3)."""

Parameters = Mapping[str, Array]
DistributionFunction = QuasiIsothermal | QuasiSpherical


def analytic_density(component: ComponentSpec, parameters: Parameters) -> Disk | Spheroid:
    """The component's density profile (eqs. 7-9)."""

    def get(name: str, default: float | None = None) -> Array:
        key = f"{name}_{component.suffix}"
        return jnp.asarray(parameters[key] if default is None else parameters.get(key, default), float)

    if component.density == "disk":
        return Disk(get("Sigma0"), get("R_d"), get("h"), get("R_cut", 0.0), component.vertical)
    r_cut = get("r_cut") if component.cutoff else jnp.asarray(1.0)
    return Spheroid(get("rho0"), get("r0"), get("gamma"), get("beta"), get("q"), r_cut, component.cutoff)


def analytic_potential(densities: Mapping[str, Disk | Spheroid]) -> Potential:
    """Potential of the components' analytic densities together."""
    spheroids = [d.density(*POISSON_GRID.Rz) for d in densities.values() if isinstance(d, Spheroid)]
    disks = [d for d in densities.values() if isinstance(d, Disk)]
    return solve_poisson(sum(spheroids, start=jnp.zeros(POISSON_GRID.Rz[0].shape)), disks)


def spherical_mean(density: Spheroid) -> Array:
    """The density averaged over spheres, at the radii of the Poisson grid, Msun/kpc^3."""
    return density.density(*POISSON_GRID.Rz) @ POISSON_GRID.analysis[:, 0]


def distribution_functions(
    components: tuple[ComponentSpec, ...],
    parameters: Parameters,
    densities: Mapping[str, Disk | Spheroid],
    potential: Potential,
) -> dict[str, DistributionFunction]:
    """The DFs of all components that have one, made for the initial `potential` and kept from then on."""

    def midplane_density(R: Array) -> Array:
        return sum((d.density(R, jnp.zeros_like(R)) for d in densities.values()), start=jnp.zeros_like(R))

    epicycles = Epicycles.of(potential, midplane_density)
    profile = potential.spherical_average()
    result: dict[str, DistributionFunction] = {}
    for component in components:
        if component.df == "quasi_isothermal":
            result[component.name] = _quasi_isothermal(component, parameters, epicycles)
        elif component.df == "quasi_spherical":
            density = densities[component.name]
            assert isinstance(density, Spheroid)
            mean = spherical_mean(density)
            result[component.name] = QuasiSpherical.of(mean, POISSON_GRID, profile, potential.central)
    return result


def _quasi_isothermal(
    component: ComponentSpec, parameters: Parameters, epicycles: Epicycles
) -> QuasiIsothermal:
    suffix = component.suffix
    sigma_r0, sigma_z0 = parameters[f"sigma_r0_{suffix}"], parameters[f"sigma_z0_{suffix}"]
    return QuasiIsothermal.of(
        epicycles,
        Sigma0=parameters[f"Sigma0_{suffix}"],
        R_d=parameters.get(f"R_d_{suffix}_df", parameters[f"R_d_{suffix}"]),
        sigma_r0=sigma_r0,
        sigma_z0=sigma_z0,
        R_sigma_r=parameters[f"R_sigma_{suffix}"],
        R_sigma_z=parameters[f"R_sigma_{suffix}"],
        sigma_min=SIGMA_MIN_FRACTION * 0.5 * (sigma_r0 + sigma_z0),
        coef_jr=parameters.get(f"coef_jr_{suffix}", jnp.asarray(1.0)),
        coef_jz=parameters.get(f"coef_jz_{suffix}", jnp.asarray(0.25)),
    )
