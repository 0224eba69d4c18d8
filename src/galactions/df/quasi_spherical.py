"""Quasi-spherical distribution functions: Eddington's inversion carried as a function of the actions."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from galactions.actions.shells import circular_orbit, labelled_energy
from galactions.actions.wells import radial_actions
from galactions.df.base import InvertedFunction
from galactions.df.deficit import Deficit, deficit
from galactions.numerics.quadrature import gauss_legendre
from galactions.numerics.roots import bracketed_root, interpolated_root
from galactions.numerics.spline import Axis, Spline1D, Spline2D
from galactions.potential.field import RadialProfile
from galactions.potential.multipole import MultipoleGrid

Y_AXIS = Axis.between(-18.5, -7.2, 96)
_ELL_AXIS = Axis.between(0.0, 1.0, 24)
LOG_J_AXIS = Axis.between(np.log(0.05), np.log(3e5), 128)
SHARE_AXIS = Axis.between(0.0, 1.0, 20)
_FLOOR = 1e-40


class QuasiSpherical(InvertedFunction):
    """Isotropic DF of a spherical density in a spherical potential, written as f(J), in Msun / (kpc km/s)^3.

    In a spherical potential the energy is a function of J_r and L = J_z + |J_phi|; f(E(J_r, L)) with that
    function frozen is a DF for any other potential too, to which its model then adapts adiabatically. ln
    f is tabulated over ln(J_r + L) and L/(J_r + L).
    """

    table: Spline2D
    J_max: Float[Array, ""]
    deficit: Deficit

    @classmethod
    def of(
        cls, density: Float[Array, " n_r"], grid: MultipoleGrid, profile: RadialProfile, central: Array
    ) -> "QuasiSpherical":
        """DF of the spherical `density` (Msun/kpc^3 at the radii of `grid`) in the potential `profile`.

        `central` is the potential at the centre, (km/s)^2.
        """
        E_of_J = energy_of_actions(profile, central)
        f = eddington(density, grid, profile)
        log_f = jnp.log(jnp.maximum(f, 0.0) + _FLOOR * jnp.max(f))
        by_radius = Spline1D.fit(grid.axis, log_f)

        def excess(x: Array) -> tuple[Array, Array]:
            value, slope, _ = profile.derivatives(jnp.exp(x))
            return value - E_of_J, slope * jnp.exp(x)

        low, high = grid.axis.nodes[0], grid.axis.nodes[-1]
        ends = jnp.full_like(E_of_J, low), jnp.full_like(E_of_J, high)
        x = bracketed_root(excess, *ends, rising=True, iterations=40)
        table = Spline2D.fit(LOG_J_AXIS, SHARE_AXIS, by_radius(x))
        J_max, lost = largest_action(profile, central), deficit(f, grid.axis.nodes, profile)
        return cls(table=table, J_max=J_max, deficit=lost)

    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions (kpc km/s)."""
        L = J_z + jnp.abs(J_phi)
        total = jnp.clip(J_r + L, np.exp(LOG_J_AXIS.start), np.exp(LOG_J_AXIS.nodes[-1]))
        return jnp.exp(self.table(jnp.log(total), L / total))

    def action_range(self) -> tuple[Array, Array]:
        """From the inner end of the table to the angular momentum of its outermost circular orbit."""
        return jnp.exp(jnp.asarray(LOG_J_AXIS.start)), self.J_max


def eddington(
    density: Float[Array, " n_r"], grid: MultipoleGrid, profile: RadialProfile
) -> Float[Array, " n_r"]:
    """Isotropic DF f(E) at E = Phi(r) for the radii r of `grid` (Binney & Tremaine 2008, eq. 4.46b), Msun /
    (kpc km/s)^3.

    Negative where no isotropic DF exists.
    """
    log_rho = Spline1D.fit(grid.axis, jnp.log(density + 1e-250))
    t, w = gauss_legendre(96, 0.0, 1.0)
    # The outermost energies, whose integrals would leave the grid, take the value of the last complete one.
    x_E = np.minimum(grid.axis.nodes, grid.axis.nodes[-1] - 1.0)[:, None]
    span = np.sqrt(grid.axis.nodes[-1] - x_E)
    x = x_E + (span * t) ** 2
    r = jnp.exp(x)
    phi, slope, curvature = profile.derivatives(r)
    phi_x, phi_xx = r * slope, r * slope + r**2 * curvature
    rho, g = jnp.exp(log_rho(x)), log_rho(x, 1)
    rho_x, rho_xx = rho * g, rho * (g**2 + log_rho(x, 2))
    second = (rho_xx - rho_x * phi_xx / phi_x) / phi_x**2
    depth = phi - profile(np.exp(x_E))
    integrand = second * phi_x * 2 * span * t / jnp.sqrt(depth)
    return jnp.sum(w * span * integrand, axis=1) / (np.sqrt(8) * np.pi**2)


def largest_action(profile: RadialProfile, central: Array) -> Array:
    """Angular momentum (kpc km/s) of the circular orbit of the highest energy in the tables."""
    return circular_orbit(profile, labelled_energy(jnp.asarray(Y_AXIS.nodes[-1]), central))[1]


def energy_of_actions(profile: RadialProfile, central: Array) -> Array:
    """E(J_r, L), (km/s)^2, in the spherical potential `profile`, at the nodes of `LOG_J_AXIS` (ln(J_r + L))
    and `SHARE_AXIS` (L/(J_r + L)); `central` is the potential at the centre.
    """
    y = jnp.asarray(Y_AXIS.nodes)
    E = labelled_energy(y, central)
    R_circ, L_circ = circular_orbit(profile, E)
    ell = np.clip(_ELL_AXIS.nodes, 0.0, 1 - 1e-4)
    E_, R_, L_ = (a[:, None] for a in (E, R_circ, L_circ))
    L = L_ * np.maximum(ell, 1e-6)
    zero = jnp.zeros_like(L)
    J_r = radial_actions(profile, E_ + zero, L, zero, R_ + zero, zero, R_, 40).J_r
    ratio = Spline2D.fit(Y_AXIS, _ELL_AXIS, J_r / (L_ * (1 - ell)))
    log_L_circ = Spline1D.fit(Y_AXIS, jnp.log(L_circ))
    total, share = np.meshgrid(np.exp(LOG_J_AXIS.nodes), SHARE_AXIS.nodes, indexing="ij")

    def excess(y: Array) -> Array:
        # Where L exceeds L_circ, J_r goes on to negative values, so that circular orbits too have a root.
        L_c, L = jnp.exp(log_L_circ(y)), share * total
        J_r = ratio(y, jnp.minimum(L / L_c, 1.0)) * (L_c - L)
        return jnp.log(jnp.maximum((J_r + L) / total, 1e-6))

    low, high = jnp.full(total.shape, Y_AXIS.nodes[0]), jnp.full(total.shape, Y_AXIS.nodes[-1])
    return labelled_energy(interpolated_root(excess, low, high, rising=True, iterations=45), central)
