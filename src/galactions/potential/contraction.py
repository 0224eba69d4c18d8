"""The dark halo's contraction by the baryons (paper, section 3.4, eq. 11; Cautun et al. 2020)."""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from galactions.numerics.spline import Spline1D
from galactions.potential.densities import Coordinate, SmoothDensity, Spheroid
from galactions.potential.field import POISSON_GRID
from galactions.potential.spherical import mass_within, spherical_mean

Relation = Literal["fitted", "implicit"]
"""How much the baryons contract a halo: by the formula of eq. (11), or by the relation between total masses,
M_DM/M_DM^DMO = 1.023 (M_tot/M_tot^DMO)^0.54, which that formula approximates to some 5%.
"""

_NEWTON_STEPS = 8


def contraction_factor(eta: Array, f_bar: Array, relation: Relation = "fitted") -> Array:
    """`M_DM(<r) / M_DM^DMO(<r)` for `eta = M_bar(<r) / M_bar^DMO(<r)`."""
    if relation == "fitted":
        return 0.45 + 0.38 * (eta + 1.16) ** 0.53
    # With x the factor sought, M_tot/M_tot^DMO is (1 - f_bar) x + f_bar eta: convex in x, Newton converges.
    x = jnp.ones_like(eta)
    for _ in range(_NEWTON_STEPS):
        total = (1 - f_bar) * x + f_bar * eta
        power = 1.023 * total**0.54
        x = x - (x - power) / (1 - 0.54 * (1 - f_bar) * power / total)
    return x


def baryon_excess(baryons: Array, dark: Array, f_bar: Array) -> Array:
    """eta_bar of eq. (11): `baryons` against those that the run of dark matter only has beside `dark`.

    The run's total mass is dark/(1 - f_bar), of which the fraction `f_bar` stands for baryons.
    """
    return baryons / dark * (1 - f_bar) / f_bar


class ContractedHalo(SmoothDensity):
    """A dark halo that baryons have contracted.

    Masses within spheres follow the relation exactly: the density of the `uncontracted` halo is multiplied
    by a function of the spherical radius, so an oblate halo keeps the flattening it has on each sphere.
    """

    uncontracted: Spheroid
    log_boost: Spline1D

    @classmethod
    def of(
        cls,
        uncontracted: Spheroid,
        baryons: Float[Array, " n_r"],
        f_bar: Float[Array, ""],
        relation: Relation = "fitted",
    ) -> "ContractedHalo":
        """The halo of a run of dark matter only, contracted.

        `baryons` is the spherical mean of all baryons (Msun/kpc^3 at the radii of the Poisson grid),
        `f_bar` the cosmic fraction of baryons.
        """
        dark = spherical_mean(uncontracted)
        eta = baryon_excess(mass_within(baryons), mass_within(dark), f_bar)
        factor, slope = jax.jvp(
            lambda eta: contraction_factor(eta, f_bar, relation), (eta,), (jnp.ones_like(eta),)
        )
        # dM_DM/dM_DM^DMO at a radius, by the product rule on M_DM = factor(eta) M_DM^DMO.
        boost = factor + slope * (baryon_excess(baryons, dark, f_bar) - eta)
        return cls(uncontracted, Spline1D.fit(POISSON_GRID.axis, jnp.log(boost)))

    def density(self, R: Coordinate, z: Coordinate) -> Array:
        """Density in Msun/kpc^3, away from the origin."""
        nodes = POISSON_GRID.axis.nodes
        x = jnp.clip(0.5 * jnp.log(R**2 + z**2), nodes[0], nodes[-1])
        return self.uncontracted.density(R, z) * jnp.exp(self.log_boost(x))
