"""Distances of giants from apparent and absolute magnitudes."""

import numpy as np
import numpy.typing as npt


def distance_modulus(distance_kpc: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """m - M (mag) at a distance (kpc), without extinction: 5 log10(d / 10 pc)."""
    return 5.0 * np.log10(np.asarray(distance_kpc, dtype=np.float64)) + 10.0


def photometric_distance(
    magnitude: npt.ArrayLike, absolute_magnitude: npt.ArrayLike, extinction: npt.ArrayLike = 0.0
) -> npt.NDArray[np.float64]:
    """Distance (kpc) of stars of apparent and absolute magnitude and extinction (mag, one band; arrays that
    broadcast).

    d = 10^((m - A - M)/5 - 2) kpc, as in Carlin et al. (2015) with K_s magnitudes.
    """
    m, M, A = (np.asarray(a, dtype=np.float64) for a in (magnitude, absolute_magnitude, extinction))
    return 10.0 ** ((m - A - M) / 5.0 - 2.0)
