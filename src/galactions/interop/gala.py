"""The potential for gala (Price-Whelan 2017, JOSS 2, 388)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from galactions.interop.table import Floats, TablePotential, total_density

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy


def to_gala(galaxy: "Galaxy") -> Any:
    """The total potential as a gala potential, in the unit system `gala.units.galactic`.

    It offers energy, gradient, density and orbits in Python. The values are those of `Galaxy.potential`, not
    an approximation of it. Needs gala (`pip install galactions[interop]`).
    """
    from astropy import units
    from gala.potential import PotentialBase
    from gala.units import galactic

    table = TablePotential.of(galaxy)
    speed = (1 * units.km / units.s).decompose(galactic).value  # kpc/Myr

    class GalactionsPotential(PotentialBase):
        """Potential of a galaxy built by galactions."""

        ndim = 3

        def _energy(self, q: Floats, t: Any = 0.0) -> Floats:
            x, y, z = q.T
            return table(np.hypot(x, y), z) * speed**2

        def _gradient(self, q: Floats, t: Any = 0.0) -> Floats:
            x, y, z = q
            R = np.hypot(x, y)
            by_R, by_z = table.gradient(R, z)
            # On the axis dPhi/dR vanishes, and with it the components in the plane.
            slope = by_R / np.where(R > 0, R, 1.0)
            return np.stack([slope * x, slope * y, by_z]) * speed**2

        def _density(self, q: Floats, t: Any = 0.0) -> Floats:
            x, y, z = q.T
            return total_density(galaxy, np.hypot(x, y), z)

    return GalactionsPotential(units=galactic)
