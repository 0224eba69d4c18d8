"""Physical constants in the package's internal units: kpc, km/s, Msun (actions in kpc km/s)."""

from typing import Final

G: Final = 4.30091727067736e-6
"""Gravitational constant, kpc (km/s)^2 / Msun (CODATA 2018 G, IAU nominal solar mass parameter)."""

KMS_PER_MASYR_KPC: Final = 4.740470463533349
"""Transverse velocity in km/s of a proper motion of 1 mas/yr at 1 kpc (1 au per Julian year)."""

H0: Final = 67.66
"""Hubble constant, km/s/Mpc (Planck Collaboration 2020), used for the virial radius."""

RHO_CRIT: Final = 3.0 * (H0 * 1e-3) ** 2 / (8.0 * 3.141592653589793 * G)
"""Critical density, Msun/kpc^3."""
