"""Published circular-velocity curves of the Milky Way, and what the paper prints for its own models."""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CircularVelocityCurve:
    """A published circular-velocity curve with n points.

    Attributes
    ----------
    name, reference, tracers, note
        Short name ("Eilers+2019"), the paper, what was observed, and what to beware of (may be empty).
    R, v_c, err_minus, err_plus
        (n,) Galactocentric radius (kpc), circular velocity and its lower and upper error (km/s).
    reliable
        (n,) `False` for points whose error is not to be trusted.
    """

    name: str
    reference: str
    tracers: str
    note: str
    R: NDArray[np.float64]
    v_c: NDArray[np.float64]
    err_minus: NDArray[np.float64]
    err_plus: NDArray[np.float64]
    reliable: NDArray[np.bool_]


@dataclass(frozen=True)
class PaperResult:
    """A model's row of Table 2, v_circ at the Sun (km/s) and M200 (Msun), and of Table 4, densities at the
    Sun by component (Msun/pc^3; empty for a model that is not in it).
    """

    v_circ_sun: float
    m200: float
    density_sun: dict[str, float] = field(default_factory=dict)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("galactions.data").joinpath(name).read_text(encoding="utf-8"))


def circular_velocity_curves() -> tuple[CircularVelocityCurve, ...]:
    """All published curves in the package, each with its reference (`data/vc_curves.toml`)."""
    return tuple(
        CircularVelocityCurve(
            name=c["name"],
            reference=c["reference"],
            tracers=c["tracers"],
            note=c.get("note", ""),
            R=np.array(c["R"]),
            v_c=np.array(c["v_c"]),
            err_minus=np.array(c["err_minus"]),
            err_plus=np.array(c["err_plus"]),
            reliable=~np.isin(c["R"], c.get("suspect", [])),
        )
        for c in _read("vc_curves.toml")["curve"]
    )


def paper_result(model: str) -> PaperResult | None:
    """What Tables 2 and 4 of the paper give for a model; `None` for a model that is in neither."""
    row = _read("paper_results.toml").get(model)
    return None if row is None else PaperResult(**row)
