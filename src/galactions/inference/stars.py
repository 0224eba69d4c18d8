"""The unbinned likelihood: ln p(velocity | position) of each star.

Which stars a survey takes depends on where they are, hardly on how they move: given its position, a star's
velocity tells of the model whatever the selection was. With the discs' DF f and its density rho, both of
the same model, p(v_los, mu | l, b, d) = f (k d)^2/rho, k d being km/s per mas/yr, and the integral over all
velocities is one. Errors of distance, v_los and proper motions are integrated over by a fixed quasi-random
rule, stars without proper motions over all of them, so the likelihood is a smooth function of the model.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from galactions.constants import KMS_PER_MASYR_KPC
from galactions.errors import CatalogueError
from galactions.galaxy.tabulated import DiskDensity, SpheroidDensity, tabulate_density
from galactions.inference.settings import OUTLIERS
from galactions.numerics.program import Program, program
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import CHUNK, View
from galactions.survey.frame import galactocentric
from galactions.survey.stars import Stars
from galactions.survey.sun import Sun

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

Floats = NDArray[np.float64]

_NEAREST = 0.1
"""Least observed over true distance (the far tail of large errors)."""
_BATCH = 2**16
"""Nodes laid at once."""


class StarNodes(eqx.Module):
    """n stars with m fixed nodes each.

    seen (6, n, m): what each star may be without errors: l, b (deg), the catalogue's distance (kpc), v_los
    (km/s), mu_alpha*, mu_delta (mas/yr). in_velocity (n, m): weights of f at the nodes; in_position: those of
    the density there. observed (6, n): the stars as they are in the catalogue (proper motions zero where
    unknown). whole (n,): whether the proper motions are known.
    """

    seen: Float[Array, "6 n m"]
    in_velocity: Float[Array, "n m"]
    in_position: Float[Array, "n m"]
    observed: Float[Array, "6 n"]
    whole: Array

    @classmethod
    def of(cls, stars: Stars, galaxy: "Galaxy", nodes: int = 64, seed: int = 0) -> "StarNodes":
        """Nodes for stars, by a `galaxy` that is not too far from the models to be compared with them.

        Distances follow the law of `galactions.survey.observe`. Missing errors count as zero; where all are
        zero and no proper motion is unknown one node is enough. `nodes` and `seed` fix the rule.

        Raises CatalogueError for stars without v_los, and where there are none at all.
        """
        columns = _columns(stars)
        sun = View.of(galaxy).sun
        exact = not any(columns[name].any() for name in ("f", "e_v_los", "e_pm_ra", "e_pm_dec"))
        lacking = not columns["whole"].all()
        velocities = VelocityProposal.of(galaxy) if lacking else None
        m = 1 if exact and not lacking else nodes
        from scipy.stats import qmc

        rng = np.random.default_rng(seed)
        rule = qmc.Sobol(5, scramble=True, seed=rng).random(m)
        shifts = rng.random((len(stars), 1, 5))
        step = max(1, _BATCH // m)
        parts = []
        for start in range(0, len(stars), step):
            some = {name: column[start : start + step, None] for name, column in columns.items()}
            u = (rule + shifts[start : start + step]) % 1.0
            parts.append(_lay(some, np.clip(u, 1e-9, 1 - 1e-9), velocities, sun))
        seen, in_velocity, in_position = (np.concatenate(p, axis=-2) for p in zip(*parts, strict=True))
        observed = np.stack([columns[name] for name in ("l", "b", "distance", "v_los", "pm_ra", "pm_dec")])
        arrays = (seen, in_velocity, in_position, observed, columns["whole"])
        return cls(*(jnp.asarray(a) for a in arrays))


def _columns(stars: Stars) -> dict[str, NDArray]:
    """What is needed of the stars, each (n,); unknown proper motions and errors are zero."""
    n = len(stars)
    if n == 0:
        raise CatalogueError("a likelihood of stars needs at least one: found none")
    if bad := int(np.sum(~np.isfinite(stars.v_los))):
        raise CatalogueError(f"{bad} of {n} stars have no v_los; their likelihood cannot be computed")

    def known(name: str) -> Floats:
        column = getattr(stars, name)
        return np.zeros(n) if column is None else np.nan_to_num(column, nan=0.0)

    whole = np.zeros(n, dtype=bool)
    if stars.pm_ra is not None and stars.pm_dec is not None:
        whole = np.isfinite(stars.pm_ra) & np.isfinite(stars.pm_dec)
    names = ("l", "b", "distance", "v_los", "e_v_los", "pm_ra", "pm_dec", "e_pm_ra", "e_pm_dec", "pm_corr")
    columns: dict[str, NDArray] = {name: known(name) for name in names}
    for name in ("pm_ra", "pm_dec", "e_pm_ra", "e_pm_dec"):
        columns[name] = np.where(whole, columns[name], 0.0)
    return columns | {"whole": whole, "f": known("e_distance") / columns["distance"]}


def _lay(
    stars: Mapping[str, NDArray], u: Floats, velocities: VelocityProposal | None, sun: Sun
) -> tuple[Floats, Floats, Floats]:
    """Nodes (6, n, m) of some stars (columns (n, 1)) at points `u` (n, m, 5) of the unit cube, and their two
    weights (n, m). `velocities` are needed where proper motions are unknown."""
    from scipy.special import ndtri

    xi = ndtri(u)
    d = stars["distance"] / np.maximum(1.0 + stars["f"] * xi[..., 0], _NEAREST)
    v_los = stars["v_los"] + stars["e_v_los"] * xi[..., 1]
    rho = stars["pm_corr"]
    pm_ra = stars["pm_ra"] + stars["e_pm_ra"] * xi[..., 2]
    pm_dec = stars["pm_dec"] + stars["e_pm_dec"] * (rho * xi[..., 2] + np.sqrt(1 - rho**2) * xi[..., 3])
    l, b = (np.broadcast_to(stars[name], d.shape) for name in ("l", "b"))  # noqa: E741
    k = KMS_PER_MASYR_KPC * d
    in_position = d**3 / d.shape[1]  # d^2 of the volume, and d of the law of the distances
    per_pm = k**2
    lacking = np.broadcast_to(~stars["whole"], d.shape)
    if velocities is not None and lacking.any():
        at = tuple(a[lacking] for a in (l, b, d, v_los))
        tangential, density = _tangential(at, u[lacking][:, 2:], velocities, sun)
        pm_ra[lacking], pm_dec[lacking] = tangential / k[lacking]
        per_pm = np.where(lacking, 1.0, per_pm)
        per_pm[lacking] /= density
    return np.stack([l, b, d, v_los, pm_ra, pm_dec]), in_position * per_pm, in_position


def _tangential(
    at: tuple[Floats, ...], u: Floats, velocities: VelocityProposal, sun: Sun
) -> tuple[Floats, Floats]:
    """Tangential velocities (2, n), km/s, of stars at l, b, d with a given v_los (each (n,)), drawn at `u`
    (n, 3) from what `velocities` says of them, and their density (n,) in (km/s)^-2."""
    from scipy.special import ndtri

    l, b, d, v_los = at  # noqa: E741
    n = np.arange(len(d))
    zero, one = np.zeros_like(d), np.ones_like(d)
    unit = one / (KMS_PER_MASYR_KPC * d)
    still = np.asarray(galactocentric(l, b, d, zero, zero, zero, sun))
    steps = [(one, zero, zero), (zero, unit, zero), (zero, zero, unit)]
    x, y, z = still[:, :3].T
    R = np.hypot(x, y)
    turn = np.zeros((len(d), 3, 3))  # from v_x, v_y, v_z to v_R, v_phi along rotation, v_z
    turn[:, 0, :2], turn[:, 1, :2] = np.stack([x, y], 1) / R[:, None], np.stack([y, -x], 1) / R[:, None]
    turn[:, 2, 2] = 1.0
    moved = [np.asarray(galactocentric(l, b, d, *step, sun))[:, 3:] - still[:, 3:] for step in steps]
    axes = turn @ np.stack(moved, axis=-1)  # orthonormal: line of sight, east, north in cylindrical axes
    drift = np.einsum("nij,nj->ni", turn, still[:, 3:])
    share, mean_phi, sigma = (np.asarray(a) for a in velocities.mixture(jnp.asarray(R), jnp.asarray(z)))
    mean = np.zeros(sigma.shape)
    mean[..., 1] = mean_phi
    mean = np.einsum("nij,nci->ncj", axes, mean - drift[:, None])
    covariance = np.einsum("nij,nci,nik->ncjk", axes, sigma**2, axes)
    # Each part of the mixture given v_los: a normal distribution of the two tangential velocities.
    variance = covariance[..., 0, 0]
    offset = v_los[:, None] - mean[..., 0]
    log_share = np.log(share) - 0.5 * offset**2 / variance - 0.5 * np.log(variance)
    share = np.exp(log_share - log_share.max(axis=1, keepdims=True))
    share = share / share.sum(axis=1, keepdims=True)
    slope = covariance[..., 1:, 0] / variance[..., None]
    centre = mean[..., 1:] + slope * offset[..., None]
    rest = covariance[..., 1:, 1:] - slope[..., :, None] * covariance[..., None, 0, 1:]
    which = np.sum(np.cumsum(share, axis=1)[:, :-1] < u[:, :1], axis=1)
    root = np.linalg.cholesky(rest)
    drawn = centre[n, which] + np.einsum("nij,nj->ni", root[n, which], ndtri(u[:, 1:]))
    scaled = np.linalg.solve(root, (drawn[:, None] - centre)[..., None])[..., 0]
    each = np.exp(-0.5 * np.sum(scaled**2, axis=-1)) / (2 * np.pi * root[..., 0, 0] * root[..., 1, 1])
    return drawn.T, np.sum(share * each, axis=1)


def log_likelihood(
    nodes: StarNodes,
    view: View,
    outlier_fraction: Array | float = OUTLIERS["outlier_fraction"],
    outlier_sigma: Array | float = OUTLIERS["outlier_sigma"],
    chunk: int = CHUNK,
) -> Float[Array, " n"]:
    """ln p(velocity | position) of each star: a JAX function of the view and of the outliers.

    In (km/s)^-1 (mas/yr)^-2, or (km/s)^-1 for stars without proper motions. `chunk` nodes are evaluated at
    once, forwards and backwards, so that memory does not grow with the number of stars.
    """
    densities = [_tabulate_density(df, view.actions) for df in view.dfs.values()]
    return _log_likelihood(nodes, view, densities, outlier_fraction, outlier_sigma, chunk)


# Compiled apart from what follows: it is the same for all numbers of stars, and for all discs.
_tabulate_density = Program(tabulate_density)


@program("chunk")
def _log_likelihood(
    nodes: StarNodes,
    view: View,
    densities: list[DiskDensity | SpheroidDensity],
    outlier_fraction: Array | float,
    outlier_sigma: Array | float,
    chunk: int,
) -> Array:
    n, m = nodes.in_velocity.shape
    stars = max(1, chunk // m)
    padding = -n % stars

    def cut(a: Array) -> Array:
        """(..., n, *rest) -> (chunks, ..., stars, *rest), for n along the first axis."""
        return jnp.concatenate([a, jnp.repeat(a[:1], padding, axis=0)]).reshape(-1, stars, *a.shape[1:])

    @jax.checkpoint
    def of_chunk(part: tuple[Array, ...]) -> Array:
        seen, in_velocity, in_position, observed, whole = part
        flat = jnp.moveaxis(seen, 1, 0).reshape(6, -1)
        f = view.phase_space_density(flat).reshape(stars, m)
        still = jnp.zeros_like(flat[2])
        where = galactocentric(flat[0], flat[1], view.distance_scale * flat[2], still, still, still, view.sun)
        R, z = jnp.hypot(where[:, 0], where[:, 1]), where[:, 2]
        rho = sum((d.density(R, z) for d in densities), start=jnp.zeros_like(R)).reshape(stars, m)
        mass, phase = jnp.sum(in_position * rho, axis=1), jnp.sum(in_velocity * f, axis=1)
        there = mass > 0
        disc = jnp.where(there, view.distance_scale**2 * phase / jnp.where(there, mass, 1.0), 0.0)
        others = _outliers(observed.T, whole, view, jnp.asarray(outlier_sigma, float))
        return jnp.log((1.0 - outlier_fraction) * disc + outlier_fraction * others)

    columns = (
        jnp.moveaxis(nodes.seen, 0, 1),
        nodes.in_velocity,
        nodes.in_position,
        nodes.observed.T,
        nodes.whole,
    )
    return jax.lax.map(of_chunk, tuple(cut(a) for a in columns)).reshape(-1)[:n]


def _outliers(observed: Array, whole: Array, view: View, sigma: Array) -> Array:
    """Density of normal velocities in the Galaxy's rest frame at the observed ones (6, n)."""
    l, b, d, v_los, pm_ra, pm_dec = observed  # noqa: E741
    d = view.distance_scale * d
    v = galactocentric(l, b, d, v_los, pm_ra, pm_dec, view.sun)[:, 3:]
    outwards = galactocentric(l, b, d, v_los + 1.0, pm_ra, pm_dec, view.sun)[:, 3:] - v
    along = jnp.sum(v * outwards, axis=1)
    k2 = (KMS_PER_MASYR_KPC * d) ** 2
    normal = jnp.sqrt(2 * jnp.pi) * sigma
    three = jnp.exp(-0.5 * jnp.sum(v**2, axis=1) / sigma**2) * k2 / normal**3
    return jnp.where(whole, three, jnp.exp(-0.5 * (along / sigma) ** 2) / normal)
