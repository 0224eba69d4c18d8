"""A built galaxy and what can be asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from galactions.actions.fudge import fudge_actions
from galactions.actions.table import ActionTable
from galactions.constants import G
from galactions.errors import ModelError
from galactions.galaxy import eccentricity, predictions
from galactions.galaxy.components import Density, DistributionFunction, total_potential
from galactions.galaxy.iteration import Ingredients, State
from galactions.galaxy.moments import velocity_moments
from galactions.galaxy.spec import ModelSpec
from galactions.galaxy.star_coordinates import checked_stars, meridional_motion
from galactions.numerics.program import Program, program
from galactions.numerics.quadrature import gauss_legendre
from galactions.potential.field import Potential

_ACTION_BATCH = 4096


class Virial(NamedTuple):
    """Virial radius (kpc) and mass (Msun): 200 times the critical density, H0 = 67.66 km/s/Mpc, all mass."""

    r200: float
    m200: float


class VelocityMoments(NamedTuple):
    """Arrays of one shape: density (Msun/kpc^3), mean v_phi (positive along rotation), dispersions (km/s)."""

    density: Array
    mean_v_phi: Array
    sigma_R: Array
    sigma_z: Array
    sigma_phi: Array


@dataclass(frozen=True)
class Galaxy:
    """A model after `iterations` self-consistent iterations (0: its analytic initial state), made by
    `build`.

    `history` holds a dictionary per iteration: `residual` (largest relative change of the force),
    `residual_density`, `v_circ_sun_kms`, `r200_kpc`, `m200_msun`, `density_sun_msun_pc3` by component,
    `profiles` (see `galactions.galaxy.profiles`), and `seconds`; `initial` is the same of the initial state,
    without residuals. Arguments are scalars or arrays in kpc and km/s that broadcast together; results have
    their shape. The model is axisymmetric and symmetric about z = 0.
    """

    spec: ModelSpec
    ingredients: Ingredients
    state: State
    iterations: int
    history: tuple[dict[str, Any], ...] = field(default=())
    initial: dict[str, Any] = field(default_factory=dict)

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components."""
        return tuple(c.name for c in self.spec.components)

    @property
    def total_potential(self) -> Potential:
        """The potential as a differentiable object."""
        return self.state.potential

    @property
    def action_table(self) -> ActionTable:
        """The tabulated action finder of the potential."""
        return self.state.actions

    def df(self, component: str) -> DistributionFunction:
        """Distribution function f(J_r, J_z, J_phi) of a component, Msun/(kpc km/s)^3.

        Raises `ModelError` for a component without one (gas).
        """
        if component not in self.ingredients.dfs:
            raise ModelError(
                f"{self._known(component)!r} has no distribution function; "
                f"those with one: {', '.join(self.ingredients.dfs) or 'there is none'}"
            )
        return self.ingredients.dfs[component]

    def potential(self, R: ArrayLike, z: ArrayLike) -> Array:
        """Gravitational potential, (km/s)^2."""
        return _potential(self.total_potential, *_floats(R, z))

    def force(self, R: ArrayLike, z: ArrayLike) -> tuple[Array, Array]:
        """Accelerations (F_R, F_z), (km/s)^2/kpc."""
        return _force(self.total_potential, *_floats(R, z))

    def circular_velocity(self, R: ArrayLike) -> Array:
        """Circular velocity in the midplane, km/s, for R > 0."""
        return _circular_velocity(self.total_potential, *_floats(R))

    def circular_velocity_squared(self, component: str, R: ArrayLike) -> Array:
        """Contribution of one component to v_circ^2, (km/s)^2 (negative where its force points outwards)."""
        (R,) = _floats(R)
        potential = total_potential([self.state.densities[self._known(component)]])
        return R * potential.gradient(R, jnp.zeros_like(R))[0]

    def frequencies(self, R: ArrayLike) -> tuple[Array, Array, Array]:
        """Radial and vertical epicycle and circular frequency (kappa, nu, Omega), km/s/kpc, for R > 0."""
        return _frequencies(self.total_potential, self.state.densities, *_floats(R))

    def density(self, component: str, R: ArrayLike, z: ArrayLike) -> Array:
        """Density of a component, Msun/kpc^3: the one that the potential was computed from."""
        return _density(self.state.densities[self._known(component)], *_floats(R, z))

    def surface_density(self, component: str, R: ArrayLike, z_max: float = 20.0) -> Array:
        """Surface density of a component within |z| < `z_max` (kpc), Msun/kpc^2."""
        (R,) = _floats(R)
        t, w = gauss_legendre(64, 0.0, float(np.arcsinh(z_max / 0.1)))
        return 2 * self.density(component, R[..., None], 0.1 * np.sinh(t)) @ (w * 0.1 * np.cosh(t))

    def virial(self) -> Virial:
        """Virial radius and mass."""
        return Virial(*(float(x) for x in _virial(self.total_potential)))

    def actions(self, xv: Float[ArrayLike, "n 6"]) -> Float[Array, "n 3"]:
        """Actions (J_r, J_z, J_phi) in kpc km/s of stars (x, y, z, v_x, v_y, v_z) in the paper's frame, by
        the direct Staeckel fudge.

        The frame is right-handed with the Sun at x = -d_sun and the disc turning clockwise seen from the
        north (v_phi < 0), as astropy's Galactocentric; J_phi > 0 along the rotation. Unbound or
        non-finite stars get NaN. Raises `ModelError` for a wrong shape.
        """
        xv = checked_stars(xv, "actions")
        padding = -len(xv) % min(_ACTION_BATCH, max(len(xv), 1))
        padded = jnp.concatenate([xv, jnp.ones((padding, 6))])
        return _actions(self.action_table, padded)[: len(xv)]

    def velocity_moments(self, component: str, R: ArrayLike, z: ArrayLike) -> VelocityMoments:
        """Density, mean rotation and velocity dispersions of a component, from its DF in the present
        potential (eqs. 1-4).
        """
        R, z = jnp.broadcast_arrays(*_floats(R, z))
        m = _moments(self.df(component), self.action_table, R.ravel(), z.ravel())
        mean = m.v_phi / m.density
        squares = (m.v_R2 / m.density, m.v_z2 / m.density, m.v_phi2 / m.density - mean**2)
        results = (m.density, mean, *(jnp.sqrt(s) for s in squares))
        return VelocityMoments(*(a.reshape(R.shape) for a in results))

    midplane_densities = predictions.midplane_densities
    vertical_densities = predictions.vertical_densities
    circular_velocity_split = predictions.circular_velocity_split
    mean_streaming = predictions.mean_streaming
    dispersion_ratios = predictions.dispersion_ratios
    escape_speed = predictions.escape_speed
    toomre_q = predictions.toomre_q
    eccentricities = eccentricity.eccentricities

    def sample(
        self, n: int, components: Sequence[str] | None = None, seed: int = 0
    ) -> Float[np.ndarray, "n 6"]:
        """`n` stars of equal mass drawn from the DFs of `components`, or of all discs that have one: x, y, z
        (kpc), v_x, v_y, v_z (km/s) in the paper's frame.

        The draws are exact and independent: rejection from f(J(x, v)) in the present potential, for discs
        within R < 60, |z| < 40 kpc, for spheroids within 1500 kpc. A `seed` stands for one endless sequence,
        of which these are the first n. For more stars than memory holds see
        `galactions.galaxy.star_files.write_stars`. Raises `ModelError` for unknown components, those
        without a DF, and an `n` or `seed` that is no whole number.
        """
        from galactions.galaxy.sampling import Sampler

        return Sampler(self, components).sample(n, seed).xv

    def _known(self, component: str) -> str:
        if component not in self.components:
            raise ModelError(
                f"no component {component!r}; model {self.spec.name} has {', '.join(self.components)}"
            )
        return component


def _floats(*values: ArrayLike) -> list[Array]:
    return [jnp.asarray(value, float) for value in values]


_potential = Program(Potential.__call__)
_circular_velocity = Program(Potential.circular_velocity)
_moments = Program(velocity_moments)


@program()
def _force(potential: Potential, R: Array, z: Array) -> tuple[Array, Array]:
    F_R, F_z = potential.gradient(R, z)
    return -F_R, -F_z


@program()
def _density(density: Density, R: Array, z: Array) -> Array:
    return density.density(jnp.maximum(R, 1e-6), z)


@program()
def _frequencies(potential: Potential, densities: dict[str, Density], R: Array) -> tuple[Array, Array, Array]:
    kappa, _, Omega = potential.frequencies(R)
    rho = sum((d.density(R, jnp.zeros_like(R)) for d in densities.values()), start=jnp.zeros_like(R))
    # By Poisson's equation: exact also for a disc whose vertical force has a kink in the midplane.
    return kappa, jnp.sqrt(4 * jnp.pi * G * rho + 2 * Omega**2 - kappa**2), Omega


@program()
def _virial(potential: Potential) -> tuple[Array, Array]:
    r200 = potential.virial_radius()
    return r200, potential.enclosed_mass(r200)


@program()
def _actions(table: ActionTable, xv: Array) -> Array:
    batches = xv.reshape(-1, min(_ACTION_BATCH, len(xv)), 6)

    def batch(xv: Array) -> Array:
        R, z, v_R, v_z, L_z, kinetic = meridional_motion(xv)
        E = table.potential(R, z) + kinetic
        bound = E < 0
        delta2 = table.frame(R, z, jnp.where(bound, E, -1.0), L_z).motion.delta2
        potential = table.potential
        J_r, J_z = fudge_actions(potential, potential.gradient, R, z, v_R, v_z, L_z, delta2)
        return jnp.stack([J_r, J_z, jnp.where(bound, L_z, jnp.nan)], axis=1)

    return jax.lax.map(batch, batches).reshape(-1, 3)
