"""Actions by galpy: its compiled Staeckel fudge, and its grid of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.actions import DIRECT, N_DIRECT, TABULATED
from benchmarks.parts.galpy_potential import DELTA, RO, VO, in_galpy
from benchmarks.parts.model import settled_galaxy
from benchmarks.parts.stars import Floats, cylindrical, difference, disc_stars, orbits, scatter


def figures(folder: Path, repeats: int) -> list[Measured]:
    """The same stars, with one focal distance for all of them.

    The fudge is evaluated in C in the same potential; the grid, for which C code needs an analytic potential,
    in galpy's MWPotential2014: what a look-up costs does not depend on that.
    """
    from galpy.actionAngle import actionAngleStaeckel, actionAngleStaeckelGrid
    from galpy.potential import MWPotential2014

    galaxy = settled_galaxy(folder)
    potential, delta = in_galpy(galaxy)
    sample, along = disc_stars(N_DIRECT), orbits(galaxy)
    fudge = _finder(actionAngleStaeckel(pot=potential, delta=delta, c=True))
    about: dict[str, Any] = {"program": "galpy", "size": N_DIRECT, "unit": "star"}
    direct, _ = measure(DIRECT, lambda: fudge(sample), repeats, **about)
    told = scatter(fudge(along.reshape(-1, 6)).reshape(*along.shape[:2], 2))
    grid = _finder(actionAngleStaeckelGrid(pot=MWPotential2014, delta=DELTA, c=True))
    looked_up, J = measure(TABULATED, lambda: grid(sample), repeats, **about)
    own = _finder(actionAngleStaeckel(pot=MWPotential2014, delta=DELTA, c=True))(sample)
    off = f"in MWPotential2014: off direct ones {difference(J, own)}"
    return [replace(direct, error=told), replace(looked_up, error=off)]


def _finder(galpys: Any) -> Callable[[Floats], Floats]:
    """J_r and J_z (n, 2) in kpc km/s of stars (n, 6), by one of galpy's finders."""

    def actions(xv: Floats) -> Floats:
        R, z, v_R, v_z, v_phi = cylindrical(xv)
        J_r, _, J_z = galpys(R / RO, v_R / VO, v_phi / VO, z / RO, v_z / VO)
        return RO * VO * np.stack([J_r, J_z], axis=1)

    return actions
