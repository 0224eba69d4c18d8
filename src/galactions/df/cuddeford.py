"""Anisotropic spherical distribution functions, by the inversion of Cuddeford (1991)."""

from typing import Self

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, ArrayLike, Float

from galactions.actions.shells import energy_label, labelled_energy
from galactions.df.base import InvertedFunction
from galactions.df.deficit import Deficit, deficit
from galactions.df.quasi_spherical import (
    LOG_J_AXIS,
    SHARE_AXIS,
    Y_AXIS,
    energy_of_actions,
    largest_action,
)
from galactions.numerics.quadrature import gauss_legendre
from galactions.numerics.roots import bracketed_root
from galactions.numerics.spline import Axis, Spline1D, Spline2D
from galactions.potential.field import RadialProfile
from galactions.potential.multipole import MultipoleGrid

_Q_AXIS = Axis.between(Y_AXIS.start, Y_AXIS.nodes[-1], 240)
_NEAREST = 1e-7
"""First step in ln r of the inversion; what lies closer is integrated in closed form."""
_N_STEPS = 128
_FLOOR = 1e-40
_L_LEAST = 1e-3
"""kpc km/s; below it, L^(-2 beta) stays what it is there."""


class Cuddeford(InvertedFunction):
    """DF f = L^(-2 beta) F(Q), Q = E + L^2/(2 r_a^2), of a spherical density, in Msun / (kpc km/s)^3.

    Its anisotropy 1 - sigma_t^2/sigma_r^2 is (r^2 + beta r_a^2)/(r^2 + r_a^2): `beta` in the centre and,
    where r_a is finite, radial outside (Cuddeford 1991, MNRAS 253, 414; `beta` = 0 is the model of Osipkov
    and Merritt, both without r_a the isotropic one). F vanishes for Q >= 0. As in `QuasiSpherical`, E is
    the function of J_r and L = J_z + |J_phi| that it is in the spherical potential the DF was made for, and
    stays so in any other: its label y is tabulated over ln(J_r + L) and L/(J_r + L), and ln F over y(Q).
    """

    label: Spline2D
    log_F: Spline1D
    central: Float[Array, ""]
    J_max: Float[Array, ""]
    beta: Float[Array, ""]
    r_a: Float[Array, ""]
    deficit: Deficit

    @classmethod
    def of(
        cls,
        density: Float[Array, " n_r"],
        grid: MultipoleGrid,
        profile: RadialProfile,
        central: Array,
        beta: ArrayLike = 0.0,
        r_a: ArrayLike = np.inf,
    ) -> Self:
        """DF of the spherical `density` (Msun/kpc^3 at the radii of `grid`) in the potential `profile`.

        `central` is the potential at the centre, (km/s)^2, -1/2 < `beta` < 1 the central anisotropy and
        `r_a` > 0 (kpc) the radius beyond which the model is radial.
        """
        beta, r_a = jnp.asarray(beta, float), jnp.asarray(r_a, float)
        y_of_J = energy_label(energy_of_actions(profile, central), central)
        Q = labelled_energy(jnp.asarray(_Q_AXIS.nodes), central)

        def excess(x: Array) -> tuple[Array, Array]:
            value, slope, _ = profile.derivatives(jnp.exp(x))
            return value - Q, slope * jnp.exp(x)

        ends = (jnp.full_like(Q, end) for end in (grid.axis.nodes[0], grid.axis.nodes[-1]))
        x = bracketed_root(excess, *ends, rising=True, iterations=40)
        F = cuddeford_inversion(density, grid, profile, x, beta, r_a)
        log_F = jnp.log(jnp.maximum(F, 0.0) + _FLOOR * jnp.max(F))
        label = Spline2D.fit(LOG_J_AXIS, SHARE_AXIS, y_of_J)
        return cls(
            label=label,
            log_F=Spline1D.fit(_Q_AXIS, log_F),
            central=central,
            J_max=largest_action(profile, central),
            beta=beta,
            r_a=r_a,
            deficit=deficit(F, x, profile, beta, r_a),
        )

    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions (kpc km/s)."""
        L = J_z + jnp.abs(J_phi)
        total = jnp.clip(J_r + L, *(np.exp(LOG_J_AXIS.nodes[i]) for i in (0, -1)))
        E = labelled_energy(self.label(jnp.log(total), jnp.minimum(L / total, 1.0)), self.central)
        Q = E + 0.5 * (L / self.r_a) ** 2
        inside = Q < 0
        y = energy_label(jnp.where(inside, Q, 0.5 * self.central), self.central)
        F = jnp.exp(self.log_F(jnp.clip(y, _Q_AXIS.start, _Q_AXIS.nodes[-1])))
        return jnp.where(inside, F * jnp.maximum(L, _L_LEAST) ** (-2 * self.beta), 0.0)

    def action_range(self) -> tuple[Array, Array]:
        """From the inner end of the table to the angular momentum of its outermost circular orbit."""
        return jnp.exp(jnp.asarray(LOG_J_AXIS.start)), self.J_max


def cuddeford_inversion(
    density: Float[Array, " n_r"],
    grid: MultipoleGrid,
    profile: RadialProfile,
    x: Float[Array, " n"],
    beta: Array,
    r_a: Array,
) -> Float[Array, " n"]:
    """F(Q) at Q = Phi(r) for ln r = `x`, in Msun / (kpc km/s)^(3 - 2 beta). Negative where no such DF exists.

    With the augmented density q = r^(2 beta) (1 + r^2/r_a^2)^(1 - beta) rho, F is the fractional derivative

        (2 pi)^(3/2) 2^-beta Gamma(1 - beta) Gamma(1/2 + beta) F(Q)
            = int d^2 q/d Phi^2 (Phi - Q)^(beta - 1/2) d Phi    from Phi = Q to 0

    for q that falls to zero outwards (Cuddeford 1991, eq. 33, integrated by parts where beta > -1/2).
    """
    log_rho = Spline1D.fit(grid.axis, jnp.log(density + 1e-250))
    # The outermost energies, whose integrals would leave the grid, take the value of the last complete one.
    x = jnp.minimum(x, grid.axis.nodes[-1] - 1.0)[:, None]
    power = beta + 0.5

    def integrand(step: Array) -> tuple[Array, Array]:
        """q'' dPhi/dx, and the depth (Phi - Q)/step, at the distance `step` in ln r."""
        here = x + step
        r = jnp.exp(here)
        phi, slope, curvature = profile.derivatives(r)
        phi_x, phi_xx = r * slope, r * slope + r**2 * curvature
        outer = (r / r_a) ** 2 / (1 + (r / r_a) ** 2)
        g = log_rho(here, 1) + 2 * beta + 2 * (1 - beta) * outer
        g_x = log_rho(here, 2) + 4 * (1 - beta) * outer * (1 - outer)
        q = jnp.exp(log_rho(here) + 2 * beta * here) * (1 + (r / r_a) ** 2) ** (1 - beta)
        second = q * (g_x + g**2 - g * phi_xx / phi_x) / phi_x
        return second, (phi - profile(jnp.exp(x))) / step

    # Equal in ln(step): the weight step^(beta - 1/2) has no end point there, whatever beta is.
    t, w = gauss_legendre(_N_STEPS, 0.0, 1.0)
    span = jnp.log((grid.axis.nodes[-1] - x) / _NEAREST)
    step = _NEAREST * jnp.exp(span * t)
    second, depth = integrand(step)
    total = jnp.sum(w * span * step**power * second * depth ** (beta - 0.5), axis=1)
    total += _NEAREST**power / power * second[:, 0] * depth[:, 0] ** (beta - 0.5)
    norm = 1.5 * jnp.log(2 * jnp.pi) - beta * jnp.log(2.0) + gammaln(1 - beta) + gammaln(power)
    return total * jnp.exp(-norm)
