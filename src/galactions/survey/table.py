"""Stars on the way from catalogues to a sample: named columns of one length, before they are complete enough
to be `Stars`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError

AnyArray = npt.NDArray[Any]

QUANTITIES = {
    "spec_id": "",
    "gaia_id": "",
    "plate": "",
    "ra": "deg",
    "dec": "deg",
    "l": "deg",
    "b": "deg",
    "ecl_lat": "deg",
    "parallax": "mas",
    "e_parallax": "mas",
    "pm_ra": "mas/yr",
    "pm_dec": "mas/yr",
    "e_pm_ra": "mas/yr",
    "e_pm_dec": "mas/yr",
    "parallax_pm_ra_corr": "",
    "parallax_pm_dec_corr": "",
    "pm_corr": "",
    "gof_al": "",
    "excess_noise_sig": "",
    "ruwe": "",
    "g_mag": "mag",
    "nu_eff": "1/micron",
    "pseudocolour": "1/micron",
    "params_solved": "",
    "v_los": "km/s",
    "e_v_los": "km/s",
    "snr_g": "",
    "teff": "K",
    "e_teff": "K",
    "logg": "dex",
    "e_logg": "dex",
    "feh": "dex",
    "e_feh": "dex",
    "j_mag": "mag",
    "h_mag": "mag",
    "k_mag": "mag",
    "e_k_mag": "mag",
    "w2_mag": "mag",
    "a_k": "mag",
    "ebv": "mag",
}
"""Quantities that catalogues of spectra and of astrometry can have, with the unit they are kept in."""

IDENTIFIERS = frozenset({"spec_id", "gaia_id", "plate"})
"""Those of them that are names, not numbers: kept exactly as the file has them."""


@dataclass(frozen=True)
class StarTable:
    """Columns (N,) by the names of `QUANTITIES`, in their units. Raises CatalogueError for unequal
    lengths.
    """

    columns: Mapping[str, AnyArray]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise CatalogueError(f"columns of stars must have one and the same length: found {lengths}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self.columns:
            raise CatalogueError(
                f"these stars have no {name}; they have {', '.join(sorted(self.columns)) or 'no columns'}"
            )
        return self.columns[name]

    def require(self, what: str, *names: str) -> None:
        """Raises CatalogueError that says what needs the columns, when one of them is not there."""
        if missing := [name for name in names if name not in self.columns]:
            raise CatalogueError(
                f"{what} needs {', '.join(names)}: the catalogues give no {', '.join(missing)} (map columns "
                "in [survey.spectra.columns] or [survey.astrometry.columns])"
            )

    def select(self, which: npt.NDArray[Any] | slice) -> "StarTable":
        """The stars that a mask (N,), an array of indices, or a slice picks out."""
        return StarTable({name: column[which] for name, column in self.columns.items()})

    def with_columns(self, **columns: npt.ArrayLike) -> "StarTable":
        """The same stars with columns added or replaced."""
        return StarTable({**self.columns, **{name: np.asarray(c) for name, c in columns.items()}})
