"""The density of galpy's quasi-isothermal DF."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.disc_density import DISC, TASK, R, Z, largest
from benchmarks.parts.galpy_potential import DELTA, RO, VO
from benchmarks.parts.model import NAME
from galactions.galaxy import named_model

FINE = 24


def figures(folder: Path, repeats: int) -> list[Measured]:
    """A DF with the same parameters at the same 64 places, by Gauss-Legendre rules of galpy's default order,
    actions in C; the error is from rules of order 24, at 8 places.

    In galpy's MWPotential2014: with an interpolated potential the DF does not work (galpy 1.12). What a place
    costs does not depend on that.
    """
    from galpy.actionAngle import actionAngleStaeckel
    from galpy.df import quasiisothermaldf
    from galpy.potential import MWPotential2014

    p, disc = named_model(NAME).parameters, DISC.removesuffix("_disk")
    R_d, R_sigma, sigma_r0, sigma_z0 = (p[f"{n}_{disc}"] for n in ("R_d", "R_sigma", "sigma_r0", "sigma_z0"))
    at_ro = np.exp(-RO / R_sigma) / VO
    df = quasiisothermaldf(
        R_d / RO,
        sigma_r0 * at_ro,
        sigma_z0 * at_ro,
        R_sigma / RO,
        R_sigma / RO,
        pot=MWPotential2014,
        aA=actionAngleStaeckel(pot=MWPotential2014, delta=DELTA, c=True),
    )

    def densities(places: slice, **rule: int) -> np.ndarray:
        at = zip(R[places] / RO, Z[places] / RO, strict=True)
        return np.array([df.density(r, z, gl=True, **rule) for r, z in at])

    densities(slice(1))
    figure, found = measure(
        TASK, lambda: densities(slice(None)), repeats=0, program="galpy", size=len(R), unit="place"
    )
    some = slice(None, None, 8)
    off = largest(found[some], densities(some, ngl=FINE))
    return [replace(figure, seconds=figure.first, error=f"in MWPotential2014: {off}")]
