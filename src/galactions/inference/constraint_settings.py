"""Outside constraints in a configuration: the tables `[[fit.constraints]]`, one for each kind of data.

Numbers may be given singly or as arrays; single ones stand for all points. `R` is by default that of the
Sun. `sigma` is the data's own error; `systematic` (in the data's unit) and `systematic_fraction` (of the
value) are added to it in quadrature, as a floor under it.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from galactions.inference.table import Table

STANDARD_SOLAR_MOTION = (10.27, 15.32)
"""U and V (km/s) of the motion by which radio astronomers correct velocities to the "local standard of rest":
20 km/s towards 18 h, +30 deg (1900)."""


def _numbers(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,) if type(value) in (int, float) else value


Numbers = Annotated[tuple[float, ...], BeforeValidator(_numbers)]
Positive = Annotated[tuple[Annotated[float, Field(gt=0)], ...], BeforeValidator(_numbers)]


class ConstraintSettings(Table):
    """What all kinds share. `value` and `sigma` (m,); `name`: what reports call it."""

    kind: str
    name: str = ""
    value: Numbers = ()
    sigma: Positive = ()
    systematic: float = Field(default=0.0, ge=0)
    systematic_fraction: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _of_one_length(self) -> "ConstraintSettings":
        given = {key: item for key, item in self if isinstance(item, tuple) and key != "solar_motion"}
        sizes = {len(item) for item in given.values()} - {1}
        if len(sizes) > 1:
            told = ", ".join(f"{key} {len(item)}" for key, item in given.items())
            raise ValueError(f"arrays of different lengths ({told}); allowed: one length, or single numbers")
        if not getattr(self, "table", None):
            for key, item in given.items():
                if len(item) == 0:
                    raise ValueError(f"{key} is missing or empty; allowed: one or more numbers")
        return self

    @property
    def size(self) -> int:
        """Number of points m."""
        return max((len(item) for key, item in self if isinstance(item, tuple) and key != "solar_motion"))


class CircularVelocityData(ConstraintSettings):
    """`kind = "circular_velocity"`: v_circ (km/s) at R (kpc), of a published `table` by its name, between
    `r_min` and `r_max`, or as given. Points of a table whose errors are not to be trusted are left out, and
    of its two errors the mean is taken."""

    kind: Literal["circular_velocity"]
    table: str = ""
    R: Positive = ()
    r_min: float = Field(default=0.0, ge=0)
    r_max: float = Field(default=1000.0, gt=0)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "CircularVelocityData":
        if self.table and (self.R or self.value or self.sigma):
            raise ValueError("found both a table and points; allowed: table, or R, value and sigma")
        return self


Part = str
"""A component by its name, or "total", "stars", "gas", "baryons" or "dark" together."""


class LocalDensityData(ConstraintSettings):
    """`kind = "local_density"`: density (Msun/pc^3) of a component, or of several together, at R and z
    (kpc)."""

    kind: Literal["local_density"]
    of: Part = "total"
    R: Positive | None = None
    z: Numbers = (0.0,)


class SurfaceDensityData(ConstraintSettings):
    """`kind = "surface_density"`: Msun/pc^2 within |z| < z_max (kpc) at R (kpc)."""

    kind: Literal["surface_density"]
    of: Part = "total"
    R: Positive | None = None
    z_max: Positive = (1.1,)


class VerticalForceData(ConstraintSettings):
    """`kind = "vertical_force"`: |K_z|/(2 pi G) in Msun/pc^2 at R and z (kpc)."""

    kind: Literal["vertical_force"]
    R: Positive | None = None
    z: Positive


class TerminalVelocityData(ConstraintSettings):
    """`kind = "terminal_velocities"`: the extreme line-of-sight velocity (km/s) of gas on circular orbits at
    longitude l (deg) of the inner Galaxy, in the plane.

    As published, in the "local standard of rest": corrected for the `solar_motion` U and V ([0, 0] for
    heliocentric velocities). Non-circular motions of some 7 km/s make a `systematic`.
    """

    kind: Literal["terminal_velocities"]
    l: Numbers  # noqa: E741
    solar_motion: Annotated[tuple[float, float], BeforeValidator(_numbers)] = STANDARD_SOLAR_MOTION

    @model_validator(mode="after")
    def _inner_galaxy(self) -> "TerminalVelocityData":
        for l in self.l:  # noqa: E741
            folded = (l + 180.0) % 360.0 - 180.0
            if not 0 < abs(folded) < 90:
                raise ValueError(f"l = {l:g} deg has no terminal velocity; allowed: 0 < |l| < 90 deg")
        return self


class EnclosedMassData(ConstraintSettings):
    """`kind = "enclosed_mass"`: all mass (Msun) within the sphere of radius r (kpc)."""

    kind: Literal["enclosed_mass"]
    r: Positive


class VirialMassData(ConstraintSettings):
    """`kind = "m200"`: all mass (Msun) within the radius of 200 times the critical density."""

    kind: Literal["m200"]


class EscapeSpeedData(ConstraintSettings):
    """`kind = "escape_speed"`: km/s at R and z (kpc); to infinity, or to `limit_r200` virial radii."""

    kind: Literal["escape_speed"]
    R: Positive | None = None
    z: Numbers = (0.0,)
    limit_r200: float | None = Field(default=None, gt=0)


AnyConstraint = Annotated[
    CircularVelocityData
    | LocalDensityData
    | SurfaceDensityData
    | VerticalForceData
    | TerminalVelocityData
    | EnclosedMassData
    | VirialMassData
    | EscapeSpeedData,
    Field(discriminator="kind"),
]
