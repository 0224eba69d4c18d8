"""Giants for mock catalogues: temperatures, gravities, metallicities, and the luminosities that go with them.

A first-ascent giant branch in four straight lines. It is no stellar evolution: what counts is that colours
and luminosities are near those of real K giants, and that the truth is known exactly.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.survey.isochrones import Isochrones
from galactions.survey.stars import FloatArray

SUN_LOG_G, SUN_TEFF, SUN_M_BOL = 4.438, 5772.0, 4.74
"""IAU 2015 nominal values."""

MASS = 1.1
"""Msun, of all mock giants."""


def giant_teff(logg: npt.ArrayLike, feh: npt.ArrayLike) -> FloatArray:
    """Temperature (K) on the mock giant branch at log g and [Fe/H] (dex, (N,))."""
    g, z = np.asarray(logg, dtype=np.float64), np.asarray(feh, dtype=np.float64)
    return 4750.0 + 380.0 * (g - 2.5) - 250.0 * z


def bolometric_correction_K(teff: npt.ArrayLike) -> FloatArray:
    """Of K_s (mag), for giants of T_eff (K): a straight line, 2.1 mag at 4800 K."""
    return 2.1 - 9.0e-4 * (np.asarray(teff, dtype=np.float64) - 4800.0)


def giant_M_K(teff: npt.ArrayLike, logg: npt.ArrayLike) -> FloatArray:
    """Absolute K_s magnitude of a star of `MASS` with T_eff (K) and log g (dex): L from g M T^-4 by Stefan
    and Boltzmann, with `bolometric_correction_K`.
    """
    T, g = np.asarray(teff, dtype=np.float64), np.asarray(logg, dtype=np.float64)
    log_L = np.log10(MASS) + 4.0 * np.log10(T / SUN_TEFF) - (g - SUN_LOG_G)
    return SUN_M_BOL - 2.5 * log_L - bolometric_correction_K(T)


def giant_colour(teff: npt.ArrayLike) -> FloatArray:
    """G - K_s (mag) at T_eff (K): 2.1 at 4800 K, redder by 0.15 mag in 100 K."""
    return 2.1 - 1.5e-3 * (np.asarray(teff, dtype=np.float64) - 4800.0)


@dataclass(frozen=True)
class GiantProperties:
    """`teff` (K), `logg`, `feh` (dex), `M_K` and G - K_s `colour` (mag) of N giants."""

    teff: FloatArray
    logg: FloatArray
    feh: FloatArray
    M_K: FloatArray
    colour: FloatArray

    def select(self, which: npt.NDArray[Any]) -> "GiantProperties":
        """The giants that a mask (N,) or an array of indices picks out."""
        return GiantProperties(*(getattr(self, field.name)[which] for field in fields(self)))


def draw_giants(feh_mean: FloatArray, rng: np.random.Generator) -> GiantProperties:
    """Giants along the branch, one for each mean metallicity (N,) of its population (dex): log g between 0.8
    and 3.3 with numbers rising as 10^(0.32 log g), [Fe/H] normal with 0.25 dex about its mean, and 40 K of
    scatter in T_eff.
    """
    n = len(feh_mean)
    rise, low, high = 0.32 * np.log(10.0), 0.8, 3.3
    u = rng.uniform(size=n)
    logg = np.log(np.exp(rise * low) + u * (np.exp(rise * high) - np.exp(rise * low))) / rise
    feh = rng.normal(feh_mean, 0.25, n)
    teff = giant_teff(logg, feh) + rng.normal(0.0, 40.0, n)
    return GiantProperties(teff, logg, feh, giant_M_K(teff, logg), giant_colour(teff))


def giant_isochrones(step_logg: float = 0.02, step_feh: float = 0.05) -> Isochrones:
    """The mock giant branch as isochrones, so that photometric distances of mock stars can be made.

    Points lie at -1.5 to 0.8 dex in [Fe/H], 0.5 to 3.8 in log g, and within 120 K of the branch.
    """
    logg, feh, offset = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(0.5, 3.8, step_logg), np.arange(-1.5, 0.8, step_feh), np.linspace(-120.0, 120.0, 13)
        )
    )
    teff = giant_teff(logg, feh) + offset
    weight = np.exp(-0.5 * (offset / 40.0) ** 2) * 10.0 ** (0.32 * logg)
    return Isochrones(teff, logg, feh, giant_M_K(teff, logg), weight)
