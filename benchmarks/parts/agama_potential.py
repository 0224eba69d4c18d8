"""The benchmark's galaxy in AGAMA."""

from pathlib import Path
from typing import Any

from galactions.galaxy import Galaxy
from galactions.interop import to_agama


def in_agama(galaxy: Galaxy, folder: Path) -> Any:
    """The potential as an expansion of AGAMA's; units are kpc, km/s, Msun."""
    import agama

    agama.setUnits(length=1, velocity=1, mass=1)
    return agama.Potential(str(to_agama(galaxy, folder / "agama")))


def disc_in_agama(galaxy: Galaxy, potential: Any, disc: str) -> Any:
    """A disc's quasi-isothermal DF in AGAMA."""
    import agama

    p, disc = galaxy.spec.parameters, disc.removesuffix("_disk")
    sigma_r0, sigma_z0, R_sigma = (p[f"{name}_{disc}"] for name in ("sigma_r0", "sigma_z0", "R_sigma"))
    return agama.DistributionFunction(
        type="QuasiIsothermal",
        potential=potential,
        Sigma0=p[f"Sigma0_{disc}"],
        Rdisk=p[f"R_d_{disc}"],
        sigmar0=sigma_r0,
        sigmaz0=sigma_z0,
        Rsigmar=R_sigma,
        Rsigmaz=R_sigma,
        sigmamin=0.005 * (sigma_r0 + sigma_z0),
    )
