"""The circumgalactic medium (paper, section 3.5, eqs. 12-13; Cautun et al. 2020)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.constants import RHO_CRIT
from galactions.numerics.roots import interpolated_root
from galactions.numerics.spline import Spline1D
from galactions.potential.contraction import Relation, baryon_excess, contraction_factor
from galactions.potential.densities import Coordinate, SmoothDensity
from galactions.potential.field import POISSON_GRID
from galactions.potential.spherical import mass_within

_SMALLEST, _LARGEST = 10.0, 2000.0


class CircumgalacticMedium(SmoothDensity):
    """Hot gas around the Galaxy: the power law of eq. (12) within the virial radius `r200` (kpc).

    `A` is its normalisation, `beta` its exponent (between -3 and 0) and `f_bar` the cosmic fraction of
    baryons. Beyond `r200` the power law, whose mass would diverge, falls like a Gaussian of that width.
    """

    A: Float[Array, ""]
    beta: Float[Array, ""]
    f_bar: Float[Array, ""]
    r200: Float[Array, ""]

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3, away from the origin."""
        x = jnp.sqrt(R**2 + z**2) / self.r200
        truncation = jnp.exp(-(jnp.maximum(x - 1, 0.0) ** 2))
        return 200 * RHO_CRIT * self.A * self.f_bar * x**self.beta * truncation


def mass_fraction(A: Array, beta: Array, f_bar: Array) -> Array:
    """Share of the medium in the virial mass M200 (eq. 13 at r = R200)."""
    return 3 * A / (beta + 3) * f_bar


def self_consistent_r200(
    A: Array,
    beta: Array,
    f_bar: Array,
    others: Float[Array, " n_r"],
    contracted: Float[Array, " n_r"] | None,
    relation: Relation = "fitted",
) -> Array:
    """The virial radius (kpc) of a galaxy whose circumgalactic medium is scaled to that same radius.

    `others` is the spherical mean density (Msun/kpc^3 at the radii of the Poisson grid) of all that is
    there but the medium and a halo to be contracted; `contracted` that of such a halo before its
    contraction by `relation`, to which the medium contributes too.
    """
    share = mass_fraction(A, beta, f_bar)
    log_others = Spline1D.fit(POISSON_GRID.axis, jnp.log(mass_within(others)))
    log_dark = None
    if contracted is not None:
        log_dark = Spline1D.fit(POISSON_GRID.axis, jnp.log(mass_within(contracted)))

    def log_overdensity(x: Array) -> Array:
        m200 = 800 * np.pi / 3 * RHO_CRIT * jnp.exp(3 * x)
        total = jnp.exp(log_others(x)) + share * m200
        if log_dark is not None:
            dark = jnp.exp(log_dark(x))
            total = total + dark * contraction_factor(baryon_excess(total, dark, f_bar), f_bar, relation)
        return jnp.log(total / m200)

    ends = jnp.log(jnp.asarray(_SMALLEST)), jnp.log(jnp.asarray(_LARGEST))
    return jnp.exp(interpolated_root(log_overdensity, *ends, rising=False, iterations=60))
