"""Extinction in 2MASS K_s of each star, from what a catalogue has."""

from typing import Literal

import numpy as np

from galactions.survey.stars import FloatArray
from galactions.survey.table import StarTable

ExtinctionFrom = Literal["a_k", "ebv", "rjce", "none"]

A_K_PER_EBV = 0.306
"""A_Ks / E(B-V), E(B-V) as in Schlegel, Finkbeiner & Davis (1998): Yuan, Liu & Xiang (2013), table 2."""

RJCE_SLOPE, RJCE_COLOUR = 0.918, 0.08
"""A_Ks = 0.918 (H - W2 - 0.08), Rayleigh-Jeans colour excess: Majewski, Zasowski & Nidever (2011), eq. 1."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "a_k": ("a_k",),
    "ebv": ("ebv",),
    "rjce": ("h_mag", "w2_mag"),
    "none": (),
}


def extinction_k(stars: StarTable, source: ExtinctionFrom) -> FloatArray:
    """A_Ks (N,) in mag: a column of it, or from E(B-V), or from H and W2; zero for "none".

    Negative colour excesses count as no extinction. Raises CatalogueError when columns are missing.
    """
    stars.require(f"extinction = {source!r}", *_NEEDS[source])
    if source == "a_k":
        return np.asarray(stars["a_k"], dtype=np.float64)
    if source == "ebv":
        return A_K_PER_EBV * stars["ebv"]
    if source == "rjce":
        excess = stars["h_mag"] - stars["w2_mag"] - RJCE_COLOUR
        return RJCE_SLOPE * np.maximum(excess, 0.0)
    return np.zeros(len(stars))
