"""The zero point of Gaia's parallaxes (Lindegren et al. 2021, A&A 649, A4)."""

import warnings

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.progress import Share, chunks, untold
from galactions.survey.stars import FloatArray

CHUNK = 50_000
"""Stars handled at once."""

PARAMS_SOLVED = (31, 95)
"""`astrometric_params_solved` of the five- and six-parameter solutions, which have a parallax."""


def parallax_zero_point(
    g_mag: npt.ArrayLike,
    nu_eff: npt.ArrayLike,
    pseudocolour: npt.ArrayLike,
    ecl_lat: npt.ArrayLike,
    params_solved: npt.ArrayLike,
    share: Share = untold,
) -> FloatArray:
    """Zero point (N,) in mas, to be subtracted from the parallax, by the package `gaiadr3-zeropoint`.

    Arguments (N,): G (mag), effective wavenumber and pseudocolour (1/micron), ecliptic latitude (deg), and
    `astrometric_params_solved`. NaN for stars outside the range that the correction was calibrated for
    (G from 6 to 21; nu_eff 1.1 to 1.9 with five parameters, pseudocolour 1.24 to 1.72 with six), and for
    two-parameter solutions. `share` is told how much is done. Raises CatalogueError when the package is not
    installed.
    """
    try:
        from zero_point import zpt
    except ImportError:
        raise CatalogueError(
            "the zero point of parallaxes needs the package gaiadr3-zeropoint: "
            "pip install 'galactions[survey]', or set zero_point = false in [survey.distance]"
        ) from None
    G, nu, colour, beta, solved = (
        np.asarray(a, dtype=np.float64) for a in (g_mag, nu_eff, pseudocolour, ecl_lat, params_solved)
    )
    zero = np.full(len(G), np.nan)
    wave = np.where(solved == 95, colour, nu)
    low, high = np.where(solved == 95, [[1.24], [1.72]], [[1.1], [1.9]])
    with np.errstate(invalid="ignore"):
        good = np.isin(solved, PARAMS_SOLVED) & (G >= 6) & (G <= 21) & np.isfinite(beta)
        good &= (wave >= low) & (wave <= high)
    if good.any():
        zpt.load_tables()
    stars = np.flatnonzero(good)
    for some in chunks(len(stars), CHUNK, share):
        rows = stars[some]
        with warnings.catch_warnings():
            # the package warns at the limits themselves, or else gives NaN there
            warnings.simplefilter("ignore")
            zero[rows] = zpt.get_zpt(G[rows], nu[rows], colour[rows], beta[rows], solved[rows])
    return zero
