"""The noun of this room: stars with observed positions and velocities."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.frame import galactocentric, observed
from galactions.survey.sun import Sun

FloatArray = npt.NDArray[np.float64]

OBSERVABLES = ("v_los", "pm_ra", "pm_dec")
"""Velocities that can be binned: km/s, and mu_alpha*, mu_delta in mas/yr (ICRS)."""

UNITS = {
    "l": "deg",
    "b": "deg",
    "distance": "kpc",
    "v_los": "km/s",
    "pm_ra": "mas/yr",
    "pm_dec": "mas/yr",
    "e_v_los": "km/s",
    "e_pm_ra": "mas/yr",
    "e_pm_dec": "mas/yr",
    "e_distance": "kpc",
    "pm_corr": "",
    "parallax": "mas",
    "e_parallax": "mas",
    "parallax_pm_ra_corr": "",
    "parallax_pm_dec_corr": "",
    "feh": "dex",
    "teff": "K",
    "logg": "dex",
    "weight": "",
}
"""Unit of each column of `Stars` (and of a catalogue in galactions' own columns)."""


@dataclass(frozen=True)
class Stars:
    """N stars as arrays (N,): Galactic l, b (deg), distance (kpc), v_los (km/s), and what else is known of
    them.

    `pm_ra` (mu_alpha*, cos dec included) and `pm_dec` are in mas/yr, ICRS; `e_*` are standard errors in the
    unit of what they belong to, `pm_corr` is the correlation of the two proper motions' errors,
    `parallax_pm_*_corr` that of each with the parallax; `parallax` (mas) is corrected for its zero point, if
    that was asked for; `feh` and `logg` in dex, `teff` in K;
    `weight` is the number of stars of the sky that a star stands for (all alike when it is `None`); `ident`
    is the catalogue's own identifier. `None` where the catalogue has no such column. Raises CatalogueError
    when the lengths differ.
    """

    l: FloatArray  # noqa: E741 - the field's name for Galactic longitude
    b: FloatArray
    distance: FloatArray
    v_los: FloatArray
    pm_ra: FloatArray | None = None
    pm_dec: FloatArray | None = None
    e_v_los: FloatArray | None = None
    e_pm_ra: FloatArray | None = None
    e_pm_dec: FloatArray | None = None
    e_distance: FloatArray | None = None
    pm_corr: FloatArray | None = None
    parallax: FloatArray | None = None
    e_parallax: FloatArray | None = None
    parallax_pm_ra_corr: FloatArray | None = None
    parallax_pm_dec_corr: FloatArray | None = None
    feh: FloatArray | None = None
    teff: FloatArray | None = None
    logg: FloatArray | None = None
    weight: FloatArray | None = None
    ident: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name, column in list(self.columns()):
            array = np.asarray(column) if name == "ident" else np.asarray(column, dtype=np.float64)
            object.__setattr__(self, name, array)
        shapes = {name: column.shape for name, column in self.columns()}
        if any(shape != (len(self),) for shape in shapes.values()):
            raise CatalogueError(f"columns of stars must have one and the same length: found {shapes}")

    def __len__(self) -> int:
        return len(np.atleast_1d(self.l))

    def columns(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        """Pairs (name, array) of the columns that are there."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value

    @property
    def observables(self) -> tuple[str, ...]:
        """Those of v_los, pm_ra, pm_dec that these stars have."""
        return tuple(name for name in OBSERVABLES if getattr(self, name) is not None)

    @property
    def has_proper_motions(self) -> bool:
        """Whether both components of the proper motion are there, so that the stars are known in 6D."""
        return self.pm_ra is not None and self.pm_dec is not None

    def select(self, which: npt.NDArray[Any] | slice) -> "Stars":
        """The stars that a mask (N,), an array of indices, or a slice picks out."""
        return replace(self, **{name: column[which] for name, column in self.columns()})

    def phase_space(self, sun: Sun) -> FloatArray:
        """(N, 6): x, y, z (kpc), v_x, v_y, v_z (km/s); CatalogueError where proper motions are missing."""
        if self.pm_ra is None or self.pm_dec is None:
            raise CatalogueError(
                "these stars have no proper motions (pm_ra, pm_dec), so no 6D phase-space positions"
            )
        return np.array(
            galactocentric(self.l, self.b, self.distance, self.v_los, self.pm_ra, self.pm_dec, sun),
            dtype=np.float64,
        )


def stars_from_phase_space(xv: npt.ArrayLike, sun: Sun) -> Stars:
    """Stars at phase-space points (N, 6) (kpc, km/s), as seen without error from the Sun."""
    return Stars(
        *(np.array(column, dtype=np.float64) for column in observed(np.asarray(xv, dtype=np.float64), sun))
    )
