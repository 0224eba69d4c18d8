"""From a galaxy to the density of its disc stars in the space of observables."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from galactions.actions.table import ActionTable
from galactions.galaxy.components import DistributionFunction
from galactions.galaxy.model import Galaxy
from galactions.potential.field import Potential
from galactions.survey.frame import galactocentric
from galactions.survey.sun import Sun

MILKY_WAY_SUN = {"z": 0.0208, "u": 11.10, "v": 12.24, "w": 7.25}
"""Height of the Sun (kpc; Bennett & Bovy 2019) and its peculiar motion (km/s; Schoenrich et al. 2010)."""


def model_sun(potential: Potential, d_sun: Array | float) -> Sun:
    """The Sun at `d_sun` (kpc) from the centre, with the model's own circular velocity there as v0."""
    d = jnp.asarray(d_sun, float)
    return Sun(d=d, v0=potential.circular_velocity(d), **MILKY_WAY_SUN)


class View(eqx.Module):
    """All that the density of stars in observable space depends on: DFs of the discs, actions, and the
    Sun."""

    dfs: dict[str, DistributionFunction]
    actions: ActionTable
    sun: Sun

    @classmethod
    def of(cls, galaxy: Galaxy) -> "View":
        """The view from the Sun of a built galaxy, of all its discs that have a DF."""
        dfs = {name: galaxy.df(name) for name in galaxy.spec.stellar_disks}
        return cls.at(dfs, galaxy.action_table, galaxy.spec.parameters["d_sun"])

    @classmethod
    def at(
        cls, dfs: Mapping[str, DistributionFunction], actions: ActionTable, d_sun: Array | float
    ) -> "View":
        """The view from a distance `d_sun` (kpc) to the centre."""
        return cls(dict(dfs), actions, model_sun(actions.potential, d_sun))

    def phase_space_density(self, seen: Float[Array, "6 n"]) -> Float[Array, " n"]:
        """f in Msun / (kpc km/s)^3, summed over the components, at observed coordinates.

        `seen` holds l, b (deg), distance (kpc), v_los (km/s), mu_alpha* and mu_delta (mas/yr). Zero where a
        star would be unbound.
        """
        x, y, z, v_x, v_y, v_z = galactocentric(*seen, self.sun).T
        R = jnp.hypot(x, y)
        v_R, v_phi = (x * v_x + y * v_y) / R, (y * v_x - x * v_y) / R
        bound = self.actions.potential(R, z) + 0.5 * (v_R**2 + v_z**2 + v_phi**2) < -1.0
        # A star at rest is bound wherever there is a potential: it keeps NaN out of derivatives.
        J = self.actions(R, z, *(jnp.where(bound, v, 0.0) for v in (v_R, v_z, v_phi)))
        total = sum((df(*J) for df in self.dfs.values()), start=jnp.zeros_like(R))
        return jnp.where(bound, total, 0.0)


CHUNK = 8192
"""Nodes evaluated at once: few enough for the processor's caches, many enough to vectorise."""


@jax.jit
def density_at(view: View, seen: Float[Array, "6 n"]) -> Float[Array, " n"]:
    """`View.phase_space_density` in chunks, so that memory does not grow with n."""
    n = seen.shape[1]
    padding = -n % CHUNK
    padded = jnp.concatenate([seen, jnp.broadcast_to(seen[:, :1], (6, padding))], axis=1)
    chunks = padded.reshape(6, -1, CHUNK).transpose(1, 0, 2)
    return jax.lax.map(view.phase_space_density, chunks).reshape(-1)[:n]
