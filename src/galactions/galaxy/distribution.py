"""The kinds of distribution functions that a component can have: their parameters, and how each is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.df.base import DistributionFunction
from galactions.df.cuddeford import Cuddeford
from galactions.df.dispersions import Dispersion, ExponentialDispersion, Floor, ScaleHeightDispersion
from galactions.df.double_power_law import DoublePowerLaw
from galactions.df.exponential import Exponential
from galactions.df.quasi_isothermal import QuasiIsothermal
from galactions.df.quasi_spherical import QuasiSpherical
from galactions.df.tapered_exponential import TaperedExponential
from galactions.potential.epicycles import Epicycles
from galactions.potential.field import POISSON_GRID, RadialProfile

DFKind = Literal[
    "quasi_isothermal",
    "quasi_isothermal_height",
    "exponential",
    "tapered_exponential",
    "double_power_law",
    "quasi_spherical",
    "cuddeford",
]

SIGMA_MIN_FRACTION = 0.01
"""sigma_min as a fraction of (sigma_r0 + sigma_z0)/2 (paper, section 3.3)."""

_COEF_JR, _COEF_JZ = 1.0, 0.25
"""Defaults of AGAMA, with which the paper's models were run."""


@dataclass(frozen=True)
class Limits:
    """The values that a parameter can have: between `low` and `high`, the ends left out where `open`."""

    low: float = 0.0
    high: float = np.inf
    open: bool = True

    def allow(self, value: float) -> bool:
        """Whether `value` is one of them."""
        return self.low < value < self.high if self.open else self.low <= value <= self.high

    def __str__(self) -> str:
        if self.high == np.inf:
            words = {0.0: "must be positive" if self.open else "must not be negative"}
            return words.get(self.low, "must be a finite number")
        bound = f"below {self.high:g}" if self.low == -np.inf else f"between {self.low:g} and {self.high:g}"
        return f"must be {bound}"


POSITIVE, NOT_NEGATIVE = Limits(), Limits(open=False)
ANY = Limits(-np.inf)


class Surroundings(NamedTuple):
    """What a DF may be made for: circular orbits and spherically averaged `profile` of the initial potential,
    its `central` value ((km/s)^2), and the component's own initial density averaged over spheres, `mean`
    (Msun/kpc^3 at the radii of the Poisson grid; only the quasi-spherical kinds ask for it).
    """

    epicycles: Epicycles
    profile: RadialProfile
    central: Array
    mean: Callable[[], Array]


@dataclass(frozen=True)
class Kind:
    """A kind of DF: the limits of its required and its optional parameters, and its maker.

    Parameters are named without the component's suffix; `make` and `problem` take those that are given.
    `problem` says in words what is wrong with values that are each within their limits, or None.
    """

    required: Mapping[str, Limits]
    optional: Mapping[str, Limits]
    make: Callable[[Mapping[str, Array], Surroundings], DistributionFunction]
    problem: Callable[[Mapping[str, float]], str | None] = lambda _: None


def _quasi_isothermal(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    sigma_min = SIGMA_MIN_FRACTION * 0.5 * (p["sigma_r0"] + p["sigma_z0"])
    sigma_z = ExponentialDispersion(p["sigma_z0"], p["R_sigma"], _floor(p, "sigma_z_floor", sigma_min))
    return _disk(p, around, sigma_min, sigma_z)


def _quasi_isothermal_height(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    sigma_min = SIGMA_MIN_FRACTION * p["sigma_r0"]
    sigma_z = ScaleHeightDispersion(p["h_df"], _floor(p, "sigma_z_floor", sigma_min))
    return _disk(p, around, sigma_min, sigma_z)


def _disk(
    p: Mapping[str, Array], around: Surroundings, sigma_min: Array, sigma_z: Dispersion
) -> DistributionFunction:
    return QuasiIsothermal.of(
        around.epicycles,
        Sigma0=p["Sigma0"],
        R_d=p.get("R_d_df", p["R_d"]),
        sigma_r=ExponentialDispersion(p["sigma_r0"], p["R_sigma"], _floor(p, "sigma_r_floor", sigma_min)),
        sigma_z=sigma_z,
        coef_jr=p.get("coef_jr", jnp.asarray(_COEF_JR)),
        coef_jz=p.get("coef_jz", jnp.asarray(_COEF_JZ)),
    )


def _floor(p: Mapping[str, Array], name: str, sigma_min: Array) -> Floor:
    """The floor of the parameter `name`, which takes the place of sigma_min where it is given."""
    return Floor(p.get(name, sigma_min), p.get("R_flare", jnp.asarray(np.inf)))


def _own(p: Mapping[str, Array]) -> dict[str, Array]:
    """The DF's own parameters, which end in _df, by their names in the DF."""
    return {name.removesuffix("_df"): value for name, value in p.items() if name.endswith("_df")}


def _exponential(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    zero = {name: jnp.zeros(()) for name in ("p_r", "p_z", "J_vel")}
    return Exponential(**{**zero, **_own(p)})


def _tapered_exponential(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    return TaperedExponential.of(**_own(p))


def _double_power_law(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    return DoublePowerLaw.of(**_own(p))


def _infinite_mass(p: Mapping[str, float]) -> str | None:
    if "J_cut_df" in p or p["slope_out_df"] > 3:
        return None
    return f"slope_out = {p['slope_out_df']!r}: the mass is infinite; it must be above 3, or J_cut be given"


def _quasi_spherical(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    return QuasiSpherical.of(around.mean(), POISSON_GRID, around.profile, around.central)


def _cuddeford(p: Mapping[str, Array], around: Surroundings) -> DistributionFunction:
    own = {name: p[f"{name}_df"] for name in ("beta", "r_a") if f"{name}_df" in p}
    return Cuddeford.of(around.mean(), POISSON_GRID, around.profile, around.central, **own)


_FLOORS = {"sigma_r_floor": POSITIVE, "sigma_z_floor": POSITIVE, "R_flare": POSITIVE}
_DISK = {"Sigma0": POSITIVE, "R_d": POSITIVE, "sigma_r0": POSITIVE, "R_sigma": POSITIVE}
_DISK_OPTIONS = {"R_d_df": POSITIVE, "coef_jr": NOT_NEGATIVE, "coef_jz": NOT_NEGATIVE, **_FLOORS}
_EXPONENTIAL = {"mass_df": POSITIVE, "J_r0_df": POSITIVE, "J_z0_df": POSITIVE, "J_phi0_df": POSITIVE}
_RISES = {"p_r_df": ANY, "p_z_df": ANY, "J_vel_df": NOT_NEGATIVE}
_TAPERS = {
    "J_den_df": NOT_NEGATIVE,
    "J_taper_df": ANY,
    "J_trans_df": NOT_NEGATIVE,
    "J_cut_df": ANY,
    "J_width_df": NOT_NEGATIVE,
}
_POWER_LAW = {
    "mass_df": POSITIVE,
    "J0_df": POSITIVE,
    "slope_in_df": Limits(-np.inf, 3.0),
    "slope_out_df": POSITIVE,
}
_POWER_LAW_OPTIONS = {
    "L0_df": POSITIVE,
    "alpha_df": POSITIVE,
    "beta_df": ANY,
    "F_in_df": POSITIVE,
    "F_out_df": POSITIVE,
    "J_cut_df": POSITIVE,
    "cut_power_df": POSITIVE,
    "J_core_df": NOT_NEGATIVE,
    "rotation_df": Limits(-1.0, 1.0, open=False),
    "J_rotation_df": POSITIVE,
}

KINDS: Mapping[DFKind, Kind] = {
    "quasi_isothermal": Kind({**_DISK, "sigma_z0": POSITIVE}, _DISK_OPTIONS, _quasi_isothermal),
    "quasi_isothermal_height": Kind({**_DISK, "h_df": POSITIVE}, _DISK_OPTIONS, _quasi_isothermal_height),
    "exponential": Kind(_EXPONENTIAL, _RISES, _exponential),
    "tapered_exponential": Kind(_EXPONENTIAL, {**_RISES, **_TAPERS}, _tapered_exponential),
    "double_power_law": Kind(_POWER_LAW, _POWER_LAW_OPTIONS, _double_power_law, _infinite_mass),
    "quasi_spherical": Kind({}, {}, _quasi_spherical),
    "cuddeford": Kind({}, {"beta_df": Limits(-0.5, 1.0), "r_a_df": POSITIVE}, _cuddeford),
}
"""The kinds of DFs by name."""
