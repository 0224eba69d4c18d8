"""Circular orbits and their epicycle frequencies, tabulated against angular momentum."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.constants import G
from galactions.numerics.spline import Axis, Spline1D
from galactions.potential.field import Potential

LOG_L_AXIS = Axis.between(np.log(0.05), np.log(5e4), 256)


class CircularOrbit(NamedTuple):
    """Radius (kpc) and frequencies (km/s/kpc) of circular orbits: radial, vertical, azimuthal."""

    R: Array
    kappa: Array
    nu: Array
    Omega: Array


class Epicycles(eqx.Module):
    """R_c, kappa, nu and Omega as functions of L_z, from 0.05 to 50,000 kpc km/s (constant below)."""

    table: Spline1D

    @classmethod
    def of(cls, potential: Potential, midplane_density: Callable[[Array], Array]) -> "Epicycles":
        """Tabulate the circular orbits of `potential`.

        `midplane_density(R)` (Msun/kpc^3) gives nu by Poisson's equation, nu^2 = 4 pi G rho + 2 Omega^2 -
        kappa^2: exact also for a disc exponential in z, whose vertical force is not smooth in the
        midplane.
        """
        R = potential.circular_radius(jnp.exp(LOG_L_AXIS.nodes))
        kappa, _, Omega = potential.frequencies(R)
        nu = jnp.sqrt(4 * jnp.pi * G * midplane_density(R) + 2 * Omega**2 - kappa**2)
        return cls(Spline1D.fit(LOG_L_AXIS, jnp.log(jnp.stack([R, kappa, nu, Omega], axis=1))))

    def __call__(self, L_z: Array) -> CircularOrbit:
        """Circular orbits of angular momentum `L_z` >= 0 (kpc km/s)."""
        return CircularOrbit(*map(jnp.exp, self.table.all(log_angular_momentum(L_z))))

    def nodes(self) -> CircularOrbit:
        """The circular orbits at the nodes of `LOG_L_AXIS`."""
        return self(jnp.exp(LOG_L_AXIS.nodes))


def log_angular_momentum(L_z: Array) -> Array:
    """ln L_z, kept within the range of the tables."""
    return jnp.log(jnp.clip(L_z, np.exp(LOG_L_AXIS.start), np.exp(LOG_L_AXIS.nodes[-1])))
