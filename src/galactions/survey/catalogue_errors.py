"""How large the errors of real catalogues are, as functions of magnitude: for mock catalogues.

Gaia's laws are curves through published typical errors, and single stars scatter about them by `SCATTER`;
those of spectra are assumptions, in round numbers.
"""

import numpy as np
import numpy.typing as npt

from galactions.survey.stars import FloatArray

GAIA_PARALLAX = ((9.0, 0.02), (14.0, 0.02), (15.0, 0.03), (17.0, 0.07), (20.0, 0.5), (21.0, 1.3))
"""G (mag) and the typical error of parallax (mas) in Gaia EDR3: 0.02-0.03 at G < 15, 0.07 at 17, 0.5 at 20,
1.3 at 21 (Gaia Collaboration 2021, A&A 649, A1)."""

GAIA_PROPER_MOTION = ((9.0, 0.02), (14.0, 0.02), (15.0, 0.03), (17.0, 0.07), (20.0, 0.5), (21.0, 1.4))
"""G (mag) and the typical error of a component of proper motion (mas/yr), from the same paper."""

SCATTER = 0.2
"""Scatter of the natural logarithm of a star's error about the law."""


def gaia_error(g_mag: npt.ArrayLike, law: tuple[tuple[float, float], ...]) -> FloatArray:
    """The median error of stars of G magnitude (N,), by one of the laws: log-linear between its points."""
    magnitudes, errors = np.array(law).T
    return np.exp(np.interp(np.asarray(g_mag, dtype=np.float64), magnitudes, np.log(errors)))


def lamost_snr(g_mag: npt.ArrayLike, bright: float = 120.0, faint: float = 8.0) -> FloatArray:
    """S/N in the g band of stars of magnitude (N,): `bright` at 11 and brighter, falling to `faint` at 17.

    An assumption about a survey of plates for bright and for faint stars, not a measurement.
    """
    G = np.clip(np.asarray(g_mag, dtype=np.float64), 11.0, None)
    return bright * (faint / bright) ** ((G - 11.0) / 6.0)


def lamost_errors(snr_g: npt.ArrayLike) -> dict[str, FloatArray]:
    """Errors of v_los (km/s), T_eff (K), log g and [Fe/H] (dex) of spectra of S/N (N,): a floor and a part
    that falls with S/N, added in quadrature.

    Assumed: floors of 3 km/s, 50 K, 0.1 and 0.05 dex, and at S/N 10 in all 8 km/s, 130 K, 0.25 and 0.15 dex.
    """
    low = 10.0 / np.maximum(np.asarray(snr_g, dtype=np.float64), 1.0)
    return {
        "v_los": np.hypot(3.0, 7.5 * low),
        "teff": np.hypot(50.0, 120.0 * low),
        "logg": np.hypot(0.1, 0.23 * low),
        "feh": np.hypot(0.05, 0.14 * low),
    }
