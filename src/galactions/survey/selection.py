"""The stars that a model of the disc is compared with: K giants, metal-rich, moving with the disc (section
2)."""

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.config import Cuts
from galactions.survey.cutflow import CutFlow
from galactions.survey.frame import cylindrical_velocity
from galactions.survey.stars import Stars
from galactions.survey.sun import PAPER_SUN, Sun

Mask = npt.NDArray[np.bool_]


def is_k_giant(teff: npt.ArrayLike, logg: npt.ArrayLike) -> Mask:
    """K giants by Liu et al. (2014), as in section 2: arrays (N,) of K and dex; NaN is none.

    4000 K < Teff <= 4600 K with log g < 3.5, or 4600 K < Teff < 5600 K with log g < 4.
    """
    T, g = np.asarray(teff, dtype=np.float64), np.asarray(logg, dtype=np.float64)
    cool = (T > 4000) & (T <= 4600) & (g < 3.5)
    warm = (T > 4600) & (T < 5600) & (g < 4.0)
    return cool | warm


def moves_with_disc(stars: Stars, sun: Sun = PAPER_SUN, cuts: Cuts | None = None) -> Mask:
    """Which stars satisfy the velocity limits of section 2.2 (V_R, V_phi, V_z, |V|; km/s; V_phi < 0 along
    rotation).

    Raises CatalogueError when the stars have no proper motions.
    """
    cuts = cuts or Cuts()
    velocity = np.asarray(cylindrical_velocity(stars.phase_space(sun)))
    inside = np.linalg.norm(velocity, axis=1) < cuts.v_total_max
    for component, (low, high) in zip(velocity.T, (cuts.v_R, cuts.v_phi, cuts.v_z), strict=True):
        inside &= (component > low) & (component < high)
    return inside


def select_disc_giants(
    stars: Stars, cuts: Cuts, flow: CutFlow, sun: Sun = PAPER_SUN
) -> tuple[Stars, CutFlow]:
    """The stars that pass the cuts of section 2, and the cut flow with a step for each.

    A cut that is on by default and for which the stars lack a column is passed over, with a note in the
    flow; for a cut that was set by name this is a CatalogueError.
    """

    def lacks(key: str, *columns: str) -> str:
        missing = [name for name in columns if getattr(stars, name) is None]
        if missing and key in cuts.model_fields_set:
            raise CatalogueError(
                f"cut {key!r} needs the columns {', '.join(columns)}: the catalogue has no "
                f"{', '.join(missing)} (map them in [survey.columns], or set {key} = false)"
            )
        return f"not applied: no {', '.join(missing)}" if missing else ""

    if cuts.k_giants:
        note = lacks("k_giants", "teff", "logg")
        if not note and stars.teff is not None and stars.logg is not None:
            stars = stars.select(is_k_giant(stars.teff, stars.logg))
        flow = flow.after("K giants", len(stars), note)
    if cuts.feh_min is not False:
        note = lacks("feh_min", "feh")
        if not note and stars.feh is not None:
            stars = stars.select(stars.feh > cuts.feh_min)
        flow = flow.after(f"[Fe/H] > {cuts.feh_min:g}", len(stars), note)
    if cuts.disc_velocities:
        note = lacks("disc_velocities", "pm_ra", "pm_dec")
        if not note and len(stars):
            stars = stars.select(moves_with_disc(stars, sun, cuts))
        flow = flow.after("velocity limits of the disc", len(stars), note)
    return stars, flow
