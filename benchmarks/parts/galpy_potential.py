"""The benchmark's galaxy as a potential that galpy's compiled code knows."""

from typing import Any

import numpy as np

from galactions.galaxy import Galaxy
from galactions.interop import to_galpy

RO, VO = 8.0, 220.0
"""galpy's units of length (kpc) and velocity (km/s)."""


DELTA = 0.45
"""Focal distance that galpy's documentation gives for its MWPotential2014, units of RO."""


def in_galpy(galaxy: Galaxy) -> tuple[Any, float]:
    """The potential interpolated by galpy's C code, and a focal distance for disc stars (units of RO): the
    median of galpy's estimates at 4-14 kpc.
    """
    from galpy.actionAngle import estimateDeltaStaeckel
    from galpy.potential import interpRZPotential

    exact = to_galpy(galaxy, ro=RO, vo=VO)
    potential = interpRZPotential(
        RZPot=exact,
        rgrid=(np.log(1e-3), np.log(50.0), 301),
        logR=True,
        zgrid=(0.0, 4.0, 401),
        interpPot=True,
        interpRforce=True,
        interpzforce=True,
        enable_c=True,
        zsym=True,
    )
    R, z = np.linspace(0.5, 1.75, 20), np.tile([0.05, 0.15], 10)
    delta = [float(estimateDeltaStaeckel(exact, r, h, use_physical=False)) for r, h in zip(R, z, strict=True)]
    return potential, float(np.nanmedian(delta))
