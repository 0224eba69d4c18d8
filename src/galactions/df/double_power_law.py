"""The double power law distribution function of a spheroid, with core, cut-off, anisotropy and rotation."""

from typing import ClassVar, Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from galactions.df.base import SpheroidFunction
from galactions.df.mass import total_mass
from galactions.numerics.roots import interpolated_root

Scalar = Float[Array, ""]

_TINY = 1e-10
"""kpc km/s; stands for J = 0, where the shares of the actions have no value."""
_INNER, _OUTER = 1e-9, 1e13
"""The mass lies between these multiples of the smallest and of the largest scale."""
_CORE_GRID = np.linspace(-20.0, 30.0, 401)


class DoublePowerLaw(SpheroidFunction):
    """Double power law of Posti et al. (2015) as extended by Binney & Vasiliev (2023, MNRAS 520, 1832):

        f = e^log_norm (1 + J0/h)^slope_in (1 + h/J0)^-slope_out e^{-(h/J_cut)^cut_power}
            [1 - zeta J_core/h + (J_core/h)^2]^{-slope_in/2} [1 + rotation tanh(J_phi/J_rotation)].

    h(J) is a combination of the actions that shapes the velocity ellipsoid. With L = J_z + |J_phi|,
    c = L/(L + J_r), xi = q/(1 + q) for q = ((1.5 J_r + L)/L0)^alpha, F = (1 - xi) F_in + xi F_out and
    e = exp(beta sin(pi c/2)):

        h = J_r/e + (e/2) (1 + c xi) [J_z ((F + 1)/2 + (F - 1)/2 |J_phi|/L) + |J_phi|].

    `F` > 1 flattens the component, `beta` > 0 makes it radially anisotropic. The core (Cole & Binney 2017)
    makes f finite at J = 0; `zeta` keeps the mass what it is without the core (their eq. 5). Actions in
    kpc km/s; made by `of`.
    """

    rotates: ClassVar[bool] = True

    log_norm: Scalar
    J0: Scalar
    slope_in: Scalar
    slope_out: Scalar
    L0: Scalar
    alpha: Scalar
    beta: Scalar
    F_in: Scalar
    F_out: Scalar
    J_cut: Scalar
    cut_power: Scalar
    J_core: Scalar
    zeta: Scalar
    rotation: Scalar
    J_rotation: Scalar

    @classmethod
    def of(
        cls,
        *,
        mass: ArrayLike,
        J0: ArrayLike,
        slope_in: ArrayLike,
        slope_out: ArrayLike,
        L0: ArrayLike = 1e5,
        alpha: ArrayLike = 0.6,
        beta: ArrayLike = 0.0,
        F_in: ArrayLike = 1.0,
        F_out: ArrayLike = 1.0,
        J_cut: ArrayLike = np.inf,
        cut_power: ArrayLike = 2.0,
        J_core: ArrayLike = 0.0,
        rotation: ArrayLike = 0.0,
        J_rotation: ArrayLike = 1.0,
    ) -> Self:
        """The DF of a component of `mass` (Msun).

        The mass is finite for slope_in < 3 and, unless there is a cut-off, slope_out > 3. No cut-off where
        `J_cut` is infinite, no core where `J_core` = 0; `rotation` lies between -1 and 1.
        """
        shape = (J0, slope_in, slope_out, L0, alpha, beta, F_in, F_out, J_cut, cut_power, J_core)
        values = (0.0, *shape, 0.0, rotation, J_rotation)
        unit = cls(*(jnp.asarray(value, float) for value in values))
        unit = eqx.tree_at(lambda df: df.zeta, unit, _core_coefficient(unit))
        log_norm = jnp.log(jnp.asarray(mass, float) / total_mass(unit))
        return eqx.tree_at(lambda df: df.log_norm, unit, log_norm)

    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions (kpc km/s)."""
        h = self.combination(J_r, J_z, J_phi)
        y = self.J_core / h
        core = (1 + y * (y - self.zeta)) ** (-0.5 * self.slope_in)
        cut = jnp.exp(self.log_norm - (h / self.J_cut) ** self.cut_power)
        return self.power_law(h) * core * cut * (1 + self.rotation * jnp.tanh(J_phi / self.J_rotation))

    def combination(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """h(J) in kpc km/s, the one combination of the actions on which f depends (but for its rotation)."""
        J_r = jnp.maximum(J_r, _TINY)
        along = jnp.maximum(jnp.abs(J_phi), _TINY)
        L = J_z + along
        c = L / (L + J_r)
        q = ((1.5 * J_r + L) / self.L0) ** self.alpha
        xi = q / (1 + q)
        F = (1 - xi) * self.F_in + xi * self.F_out
        angular = J_z * 0.5 * (F + 1 + (F - 1) * along / L) + along
        e = jnp.exp(self.beta * jnp.sin(0.5 * jnp.pi * c))
        return J_r / e + 0.5 * e * (1 + c * xi) * angular

    def action_range(self) -> tuple[Array, Array]:
        """Sums of actions between which the mass lies, kpc km/s."""
        core = jnp.where(self.J_core > 0, self.J_core, self.J0)
        # Where e^-(h/J_cut)^cut_power is e^-40, and h is not less than an eighth of the sum of the actions.
        cut = 8 * jnp.minimum(self.J_cut, 1e30) * 40 ** (1 / self.cut_power) * jnp.exp(jnp.abs(self.beta))
        return _INNER * jnp.minimum(core, self.J0), jnp.minimum(cut, _OUTER * self.J0)

    def power_law(self, h: Array) -> Array:
        """f as a function of h without normalisation, core, cut-off and rotation."""
        return (1 + self.J0 / h) ** self.slope_in * (1 + h / self.J0) ** -self.slope_out


def _core_coefficient(df: DoublePowerLaw) -> Array:
    """zeta such that int h^2 f dh, without cut-off, is the same with and without the core.

    It goes to zero where the integral diverges (slope_out <= 2), and has no meaning where J_core = 0.
    """
    core = jnp.where(df.J_core > 0, df.J_core, 1.0)
    y = np.exp(-_CORE_GRID)
    h = core / y
    weight = df.power_law(h) * h**3
    weight = weight / jnp.sum(weight)

    def change(zeta: Array) -> Array:
        factor = (1 + y * (y - zeta[..., None])) ** (-0.5 * df.slope_in)
        return jnp.sum(weight * (factor - 1), axis=-1)

    low, high = jnp.zeros(()), jnp.full((), 2.0 - 1e-6)
    return interpolated_root(change, low, high, rising=True, iterations=50)
