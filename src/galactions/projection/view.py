"""From a galaxy to the density of its disc stars in the space of observables."""

from collections.abc import Mapping
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from galactions.actions.table import ActionTable
from galactions.galaxy.components import DistributionFunction
from galactions.galaxy.model import Galaxy
from galactions.numerics.program import program, traced
from galactions.numerics.together import PIECES, together
from galactions.potential.field import Potential
from galactions.survey.frame import from_heliocentric, heliocentric
from galactions.survey.sun import Sun

MILKY_WAY_SUN = {"z": 0.0208, "u": 11.10, "v": 12.24, "w": 7.25}
"""Height of the Sun (kpc; Bennett & Bovy 2019) and its peculiar motion (km/s; Schoenrich et al. 2010)."""


def model_sun(potential: Potential, parameters: Mapping[str, Array | float]) -> Sun:
    """The Sun at `d_sun` (kpc) from the centre, with the model's own circular velocity there as v0.

    Those of `z_sun`, `u_sun`, `v_sun`, `w_sun` and `v0_sun` that are among the parameters replace
    `MILKY_WAY_SUN` and v0.
    """
    d = jnp.asarray(parameters["d_sun"], float)
    own = {name: jnp.asarray(parameters.get(f"{name}_sun", MILKY_WAY_SUN[name]), float) for name in "zuvw"}
    v0 = parameters["v0_sun"] if "v0_sun" in parameters else potential.circular_velocity(d)
    return Sun(d=d, v0=jnp.asarray(v0, float), **own)


class View(eqx.Module):
    """All that the density of stars in observable space depends on: DFs of the discs, actions, the Sun, and
    the factor from a catalogue's distances to true ones."""

    dfs: dict[str, DistributionFunction]
    actions: ActionTable
    sun: Sun
    distance_scale: Array | float = 1.0

    @classmethod
    def of(cls, galaxy: Galaxy) -> "View":
        """The view from the Sun of a built galaxy, of all its discs that have a DF."""
        dfs = {name: galaxy.df(name) for name in galaxy.spec.stellar_disks}
        return cls.at(dfs, galaxy.action_table, galaxy.spec.parameters)

    @classmethod
    def at(
        cls,
        dfs: Mapping[str, DistributionFunction],
        actions: ActionTable,
        parameters: Mapping[str, Array | float],
    ) -> "View":
        """The view from the Sun of a model's parameters, with their distance scale (`spec.OBSERVER`)."""
        scale = jnp.asarray(parameters.get("distance_scale", 1.0), float)
        return cls(dict(dfs), actions, model_sun(actions.potential, parameters), scale)

    def phase_space_density(self, seen: Float[Array, "6 n"]) -> Float[Array, " n"]:
        """f in Msun / (kpc km/s)^3, summed over the components, at observed coordinates.

        `seen` holds l, b (deg), the catalogue's distance (kpc), v_los (km/s), mu_alpha* and mu_delta
        (mas/yr). Zero where a star would be unbound. In the catalogue's coordinates volumes change by
        distance_scale^5, which is the same for all stars and left out.
        """
        return self.density_of(heliocentric(*seen))

    def density_of(self, placed: Float[Array, "9 n"]) -> Float[Array, " n"]:
        """The same at `heliocentric` coordinates."""
        x, y, z, v_x, v_y, v_z = from_heliocentric(placed, self.sun, self.distance_scale)
        R = jnp.hypot(x, y)
        v_R, v_phi = (x * v_x + y * v_y) / R, (y * v_x - x * v_y) / R
        bound = self.actions.potential(R, z) + 0.5 * (v_R**2 + v_z**2 + v_phi**2) < -1.0
        # A star at rest is bound wherever there is a potential: it keeps NaN out of derivatives.
        J = self.actions(R, z, *(jnp.where(bound, v, 0.0) for v in (v_R, v_z, v_phi)))
        total = sum((df(*J) for df in self.dfs.values()), start=jnp.zeros_like(R))
        return jnp.where(bound, total, 0.0)


CHUNK = 8192
"""Nodes evaluated at once: few enough for the processor's caches, many enough to vectorise."""


def density_at(view: View, placed: Float[Array, "9 n"]) -> Float[Array, " n"]:
    """`View.density_of` in chunks, so that memory does not grow with n; half of them each by programs that
    run side by side."""
    n = placed.shape[1]
    if traced(view, placed) or n <= CHUNK:
        return _in_chunks(view, placed)
    parts = jnp.split(_padded(placed, -n % PIECES), PIECES, axis=1)
    return jnp.concatenate(together(_in_chunks, ((view, part) for part in parts)))[:n]


@program()
def _in_chunks(view: View, placed: Float[Array, "9 n"]) -> Float[Array, " n"]:
    n = placed.shape[1]
    chunks = _padded(placed, -n % CHUNK).reshape(9, -1, CHUNK).transpose(1, 0, 2)

    @partial(jax.checkpoint, prevent_cse=False)
    def of_chunk(placed: Array) -> Array:
        return view.density_of(placed)

    return jax.lax.map(of_chunk, chunks).reshape(-1)[:n]


def _padded(placed: Float[Array, "9 n"], more: int) -> Array:
    """With the first node once more as often as asked for."""
    return jnp.concatenate([placed, jnp.broadcast_to(placed[:, :1], (9, more))], axis=1)
