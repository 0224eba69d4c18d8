"""A galaxy's potential for programs that work with NumPy arrays and single numbers."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import NdBSpline

from galactions.numerics.spline import Axis
from galactions.potential.field import R_SCALE, Z_SCALE, Potential

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

Floats = NDArray[np.float64]


class TablePotential:
    """The spline of a `Potential`, evaluated by SciPy: the same numbers, without a compiler.

    Arguments are R >= 0 and z in kpc that broadcast together.
    """

    def __init__(self, potential: Potential) -> None:
        table = potential.table
        knots = _knots(table.x_axis), _knots(table.y_axis)
        self._spline = NdBSpline(knots, np.asarray(table.coefficients), 3)

    @classmethod
    def of(cls, galaxy: "Galaxy") -> "TablePotential":
        """The total potential of a galaxy."""
        return cls(galaxy.total_potential)

    def __call__(self, R: ArrayLike, z: ArrayLike) -> Floats:
        """Potential, (km/s)^2."""
        return self._derivative(R, z, 0, 0)

    def gradient(self, R: ArrayLike, z: ArrayLike) -> tuple[Floats, Floats]:
        """(dPhi/dR, dPhi/dz) in (km/s)^2/kpc."""
        R, z = np.asarray(R, float), np.asarray(z, float)
        by_R = self._derivative(R, z, 1, 0) / np.hypot(R, R_SCALE)
        return by_R, np.sign(z) * self._derivative(R, z, 0, 1) / np.hypot(z, Z_SCALE)

    def hessian(self, R: ArrayLike, z: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """(d2Phi/dR2, d2Phi/dz2, d2Phi/dRdz) in (km/s/kpc)^2."""
        R, z = np.asarray(R, float), np.asarray(z, float)
        R_width2, z_width2 = R**2 + R_SCALE**2, z**2 + Z_SCALE**2
        by_R, by_z = (self._derivative(R, z, *order) for order in ((1, 0), (0, 1)))
        R2, z2 = (self._derivative(R, z, *order) for order in ((2, 0), (0, 2)))
        mixed = np.sign(z) * self._derivative(R, z, 1, 1) / np.sqrt(R_width2 * z_width2)
        by_R2 = (R2 - by_R * R / np.sqrt(R_width2)) / R_width2
        by_z2 = (z2 - by_z * np.abs(z) / np.sqrt(z_width2)) / z_width2
        return by_R2, by_z2, mixed

    def _derivative(self, R: ArrayLike, z: ArrayLike, R_order: int, z_order: int) -> Floats:
        X, Z = np.broadcast_arrays(
            np.arcsinh(np.divide(R, R_SCALE)), np.arcsinh(np.divide(np.abs(z), Z_SCALE))
        )
        value: Floats = self._spline(np.stack([X, Z], axis=-1), nu=(R_order, z_order))
        return value


def _knots(axis: Axis) -> Floats:
    """Knots of the cubic B-splines of which those centred on the nodes, and one beyond each end, are used."""
    return np.asarray(axis.start + axis.step * (np.arange(axis.n + 6) - 3.0), np.float64)


def total_density(galaxy: "Galaxy", R: Floats, z: Floats) -> Floats:
    """Density of all components together, Msun/kpc^3."""
    return sum(
        (np.asarray(galaxy.density(name, R, z)) for name in galaxy.components), start=np.zeros(R.shape)
    )
