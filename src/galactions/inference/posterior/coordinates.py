"""The coordinates that samplers move in: without bounds, and straight along the valley of a spheroid's
scales."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from galactions.inference.parameters import FreeParameters

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Parameters = Mapping[str, float | NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Coordinates u (..., n) of free values (..., n), over all real numbers; n of each point last, in what
    follows as well.

    They are those of `FreeParameters.to_unbounded`, but for the density scale rho0 of a spheroid whose r0 is
    free as well: data hold its density near the Sun, not that at r0, so that rho0 and r0 lie in a valley that
    bends. In its place stands rho0 times the double power law (paper, eq. 8) at the Sun's radius: ln of that
    is added to the coordinate. Each rho0 is shifted by a function of the others, so volumes do not change.
    parameters: of the whole model, those held fixed included.
    """

    free: FreeParameters
    parameters: Mapping[str, float]

    def of(self, values: Vector) -> Vector:
        """Coordinates of values. Infinite on a bound."""
        u = self.free.to_unbounded(values)
        for shift in self._shifts:
            u[..., shift.density] += shift.log_power_law(self.free.completed(self.parameters, values))
        return u

    def values(self, u: Vector) -> Vector:
        """The inverse of `of`."""
        return self.free.from_unbounded(self._apart(u))

    def slopes(self, u: Vector) -> Matrix:
        """Derivatives (..., n, n) of the values by the coordinates."""
        apart = self._apart(u)
        return self.free.unbounded_slopes(apart)[..., None] * self._turn(apart)

    def log_prior(self, u: Vector) -> tuple[Vector, Vector]:
        """ln of the prior density (...,) per volume of the coordinates, and its derivatives (..., n)."""
        apart = self._apart(u)
        value, slope = self.free.log_prior_unbounded(apart)
        return value, np.einsum("...i,...ij->...j", slope, self._turn(apart))

    def prior_curvature(self, u: Vector, step: float) -> Matrix:
        """Minus the second derivative of `log_prior` (n, n) at one point, by differences over `step`, where
        it is positive; what the bend of the coordinates adds is left out."""
        apart = self._apart(u)
        turn = self._turn(apart)
        # Each parameter has a prior of its own: the second derivative is diagonal before the turn.
        ahead, behind = (self.free.log_prior_unbounded(apart + sign * step)[1] for sign in (1.0, -1.0))
        return _positive_part((behind - ahead) / (2.0 * step), turn)

    def bend(self, u: Vector, gradient: Vector) -> Matrix:
        """What the bend of the coordinates adds to the second derivative (n, n) of a function of the values,
        of which `gradient` (n,) is that by the coordinates; where it is positive, and without that of the
        shifts.

        Near a bound it is most of the curvature at a mode: there a likelihood that still rises is held by the
        volume alone.
        """
        apart = self._apart(u)
        turn = self._turn(apart)
        by_apart = np.linalg.solve(turn.T, gradient)
        return _positive_part(by_apart * self.free.unbounded_bends(apart), turn)

    def _apart(self, u: Vector) -> Vector:
        """Coordinates of `FreeParameters.to_unbounded`."""
        apart = np.array(u, dtype=float)
        if self._shifts:
            # Right but for the densities, which no shift depends on.
            parameters = self.free.completed(self.parameters, self.free.from_unbounded(apart))
            for shift in self._shifts:
                apart[..., shift.density] -= shift.log_power_law(parameters)
        return apart

    def _turn(self, apart: Vector) -> Matrix:
        """Derivatives (..., n, n) of `_apart`."""
        turn = np.zeros((*apart.shape, apart.shape[-1])) + np.eye(apart.shape[-1])
        if not self._shifts:
            return turn
        values, slopes = self.free.from_unbounded(apart), self.free.unbounded_slopes(apart)
        parameters = self.free.completed(self.parameters, values)
        for shift in self._shifts:
            by_name = shift.slopes(parameters)
            for name, by_free in zip(self.free.moved, self.free.moves, strict=True):
                if name in by_name:
                    turn[..., shift.density, :] -= by_name[name][..., None] * by_free * slopes
        return turn

    @cached_property
    def _shifts(self) -> tuple["_Shift", ...]:
        names = self.free.names
        spheroids = [name.removeprefix("rho0_") for name in names if name.startswith("rho0_")]
        return tuple(
            _Shift(names.index(f"rho0_{name}"), name, float(self.parameters["d_sun"]))
            for name in spheroids
            if f"r0_{name}" in names
            and all(key in self.parameters for key in (f"gamma_{name}", f"beta_{name}", "d_sun"))
        )


def _positive_part(diagonal: Vector, turn: Matrix) -> Matrix:
    """What is positive of a second derivative that is diagonal (n,) before the `turn` (n, n)."""
    return turn.T @ (np.maximum(diagonal, 0.0)[:, None] * turn)


@dataclass(frozen=True)
class _Shift:
    """ln of (r/r0)^-gamma (1 + r/r0)^(gamma - beta) of one spheroid at the radius r (kpc); density: which
    coordinate it is added to."""

    density: int
    spheroid: str
    r: float

    def log_power_law(self, parameters: Parameters) -> Vector:
        x, gamma, beta = self._scaled(parameters)
        return np.asarray(-gamma * np.log(x) - (beta - gamma) * np.log1p(x))

    def slopes(self, parameters: Parameters) -> dict[str, Vector]:
        """Its derivatives (...,) by the parameters it depends on."""
        x, gamma, beta = self._scaled(parameters)
        by_log_r0 = gamma + (beta - gamma) * x / (1.0 + x)
        return {
            f"r0_{self.spheroid}": by_log_r0 / parameters[f"r0_{self.spheroid}"],
            f"gamma_{self.spheroid}": np.log1p(x) - np.log(x),
            f"beta_{self.spheroid}": -np.log1p(x),
        }

    def _scaled(self, parameters: Parameters) -> tuple[Vector, Vector, Vector]:
        r0, gamma, beta = (
            np.asarray(parameters[f"{kind}_{self.spheroid}"]) for kind in ("r0", "gamma", "beta")
        )
        return self.r / r0, gamma, beta
