"""What the history of an iteration keeps of a galaxy's structure (paper, figs. 6 and 7)."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from galactions.df.base import DiskFunction
from galactions.numerics.program import Program
from galactions.potential.field import Potential

if TYPE_CHECKING:
    from galactions.galaxy.model import Galaxy

MASS_RADII = np.geomspace(0.5, 400.0, 48)
"""kpc; spherical radii."""
DISPERSION_RADII = np.arange(2.0, 24.1, 2.0)
"""kpc; in the midplane."""


def profiles(galaxy: "Galaxy") -> dict[str, Any]:
    """Enclosed mass, and the velocity dispersions of all discs in the midplane, as plain numbers.

    `r_kpc` with `mass_within_msun`; `R_kpc` with `dispersions_kms`, which holds for each component whose DF
    is that of a disc the lists `sigma_R`, `sigma_z` and `sigma_phi`.
    """
    mass = _enclosed_mass(galaxy.total_potential, jnp.asarray(MASS_RADII))
    dispersions = {}
    for name in galaxy.components:
        if isinstance(galaxy.ingredients.dfs.get(name), DiskFunction):
            moments = galaxy.velocity_moments(name, DISPERSION_RADII, 0.0)._asdict()
            dispersions[name] = {key: np.asarray(moments[key]).tolist() for key in _DISPERSIONS}
    return {
        "r_kpc": MASS_RADII.tolist(),
        "mass_within_msun": np.asarray(mass).tolist(),
        "R_kpc": DISPERSION_RADII.tolist(),
        "dispersions_kms": dispersions,
    }


_DISPERSIONS = ("sigma_R", "sigma_z", "sigma_phi")
_enclosed_mass = Program(Potential.enclosed_mass)
