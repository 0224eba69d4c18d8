"""The potential for galpy (Bovy 2015, ApJS 216, 29)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from galactions.interop.table import TablePotential, total_density

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy


def to_galpy(galaxy: "Galaxy", ro: float | None = None, vo: float | None = None) -> Any:
    """The total potential as a galpy `Potential`, with all derivatives that galpy's orbits and actions use.

    `ro` (kpc) and `vo` (km/s) are galpy's units of length and velocity: by default the galaxy's d_sun and
    its circular velocity there. The values are those of `Galaxy.potential`, not an approximation of
    it. Needs galpy (`pip install galactions[interop]`).
    """
    from galpy.potential import Potential
    from galpy.util import conversion

    length = galaxy.spec.parameters["d_sun"] if ro is None else float(ro)
    velocity = float(galaxy.circular_velocity(length)) if vo is None else float(vo)
    table = TablePotential.of(galaxy)
    density_unit = 1e9 * conversion.dens_in_msolpc3(velocity, length)

    class GalactionsPotential(Potential):
        """Potential of a galaxy built by galactions, in galpy's natural units."""

        def __init__(self) -> None:
            Potential.__init__(self, amp=1.0, ro=length, vo=velocity)
            self.isNonAxi = False
            self.hasC = False
            self.hasC_dxdv = False

        def _evaluate(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            return table(R * length, z * length) / velocity**2

        def _Rforce(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            return -table.gradient(R * length, z * length)[0] * length / velocity**2

        def _zforce(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            return -table.gradient(R * length, z * length)[1] * length / velocity**2

        def _R2deriv(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            return table.hessian(R * length, z * length)[0] * (length / velocity) ** 2

        def _z2deriv(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            return table.hessian(R * length, z * length)[1] * (length / velocity) ** 2

        def _Rzderiv(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            return table.hessian(R * length, z * length)[2] * (length / velocity) ** 2

        def _dens(self, R: Any, z: Any, phi: Any = 0.0, t: Any = 0.0) -> Any:
            R, z = np.broadcast_arrays(np.asarray(R, float), np.asarray(z, float))
            return total_density(galaxy, R * length, z * length) / density_unit

    return GalactionsPotential()
