"""A selected sample as a table: what was observed, and positions and velocities in the Galaxy with errors."""

from pathlib import Path

import numpy as np

from galactions.survey.frame import cylindrical_velocity
from galactions.survey.progress import Share, part_of, untold
from galactions.survey.propagate import phase_space_errors
from galactions.survey.stars import UNITS, Stars
from galactions.survey.sun import PAPER_SUN, Sun
from galactions.survey.write_table import write_columns

SAMPLES = 64
"""Samples of each star's errors: the standard errors are known to 9 %."""

PHASE_SPACE = ("x", "y", "z", "v_x", "v_y", "v_z")
CYLINDRICAL = ("V_R", "V_phi", "V_z")


def write_sample(
    stars: Stars,
    path: str | Path,
    sun: Sun = PAPER_SUN,
    seed: int = 0,
    by_parallax: bool = False,
    share: Share = untold,
) -> Path:
    """Writes stars in galactions' own columns, and, where they have proper motions, x, y, z (kpc), v_x, v_y,
    v_z and V_R, V_phi, V_z (km/s) of the observed values, and standard errors e_x ... e_v_z.

    The errors are by `phase_space_errors`, with the correlations of Gaia that the stars have; `by_parallax`:
    distances are inverse parallaxes, whose errors are correlated with those of the proper motions. The ending
    of the name chooses the format, as in `write_catalogue`; the file is written whole or not at all. `share`
    is told how much is done.
    """
    columns = dict(stars.columns())
    units = dict(UNITS)
    if stars.has_proper_motions:
        xv = stars.phase_space(sun)
        correlations = (stars.parallax_pm_ra_corr, stars.parallax_pm_dec_corr)
        errors = phase_space_errors(
            stars,
            sun,
            SAMPLES,
            seed,
            parallax=stars.parallax if by_parallax else None,
            e_parallax=stars.e_parallax if by_parallax else None,
            parallax_correlations=None
            if not by_parallax or correlations[0] is None or correlations[1] is None
            else np.stack([correlations[0], correlations[1]]),
            share=part_of(share, 0.0, 0.9),
        )
        for names, values in (
            (PHASE_SPACE, xv),
            (CYLINDRICAL, np.asarray(cylindrical_velocity(xv))),
            (tuple(f"e_{name}" for name in PHASE_SPACE), errors.sigma),
        ):
            columns |= dict(zip(names, values.T, strict=True))
            units |= {name: "km/s" if "v" in name.lower() else "kpc" for name in names}
    return write_columns(columns, path, units)
