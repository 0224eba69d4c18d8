"""Making the tables of `ActionTable` for a potential."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from galactions.actions.separation import Motion
from galactions.actions.shells import (
    circular_orbit,
    focal_distance2,
    labelled_energy,
    largest_focal_distance2,
    reachable_delta2,
    shell_on_hyperbola,
    shell_top,
)
from galactions.actions.table import (
    E_AXIS,
    LARGEST_BEND,
    ActionTable,
    E_nodes,
    K_coordinate,
    L_coordinate,
    energy_axis,
    expected_radial,
    expected_top2,
    expected_vertical,
    shell_width,
)
from galactions.actions.wells import actions_along_hyperbolas, hyperbolas, radial_actions, vertical_actions
from galactions.numerics.program import program
from galactions.numerics.spline import Axis, Spline1D, Spline2D, Spline3D
from galactions.numerics.together import PIECES, together
from galactions.potential.field import Potential, RadialProfile

Rows = TypeVar("Rows")

_E_FINE, _E_COARSE, _E_FOCAL = energy_axis(320), energy_axis(24), energy_axis(32)
_L_AXIS, _L_COARSE, _L_FOCAL = (
    Axis.between(0.0, 1.0, 22),
    Axis.between(0.0, 1.0, 16),
    Axis.between(0.0, 1.0, 20),
)
_K_AXIS, _K_COARSE = Axis.between(0.0, 1.0, 28), Axis.between(0.0, 1.0, 12)
_FINER_E = 4
"""How many times as fine the splines of actions are in energy as the values. A quadratic spline of these
would err by 1e-4 and more, in waves of one to a node, which the density of cold discs magnifies: likelihoods
of tens of thousands of stars see them."""
_LAST_K = 0.97
"""The largest K/K_max at which the change of J_r along hyperbolas is computed."""
_SHARES = np.array([0.5, 1.0])
"""Values of W/K_u at which the change of J_r is computed."""
_LARGEST_CHANGE = 0.6
"""Larger relative changes of J_r, met only where the fudge fails, are cut to this."""
_BEND_AT = 0.7
"""Where s_shell(c) is fitted, in units of the largest c of the shell."""

_LOWEST_ELL = 0.005
"""Stands for L_z = 0, where the centrifugal barrier is too thin for the tables to resolve."""
_LEAST_SHELL_ELL, _LARGEST_SHELL_ELL = 0.2, 0.998
"""The least and the largest |L_z|/L_circ of a shell orbit whose focal distance is taken."""
_LIMIT_GROWTH = 2.0
"""How the limit of Delta^2/R_circ^2 grows with (L_z/L_circ)^2 away from L_z = 0."""
_LEAST_K = 1e-9
"""The least K, in units of |Phi(0)| (R_circ^2 + Delta^2), of a vertical motion in the tables: smaller ones,
which are harmonic, would drown in the potential's rounding."""
_EDGE = 1e-4
"""Where a ratio of two vanishing quantities is tabulated instead of at the edge itself."""


def _ell_nodes(axis: Axis) -> np.ndarray:
    ell = _at_nodes(axis, L_coordinate, 1 - np.linspace(0.0, 1.0, 4097) ** 2)
    return np.clip(ell, _LOWEST_ELL, 1 - _EDGE)


def _k_nodes(axis: Axis) -> np.ndarray:
    k = _at_nodes(axis, K_coordinate, np.linspace(0.0, 1.0, 8193) ** 2)
    return np.clip(k, 0.01 * _EDGE, 1 - 10 * _EDGE)


def _at_nodes(axis: Axis, coordinate: Callable[[Array], Array], trial: np.ndarray) -> np.ndarray:
    """Where the `coordinate`, which rises along `trial`, is that of the nodes."""
    with jax.ensure_compile_time_eval():
        x = np.asarray(coordinate(jnp.asarray(trial)))
    return np.interp(axis.nodes, x, trial)


def _blunted(ell: Array) -> Array:
    """|L_z|/L_circ of the shell orbit whose focal distance is taken: one of smaller L_z, passing close to the
    axis, may have none, and one that hardly leaves the midplane does not tell it."""
    return jnp.minimum(jnp.sqrt(ell**2 + _LEAST_SHELL_ELL**2 * (1 - ell**2)), _LARGEST_SHELL_ELL)


def _smaller(a: Array, b: Array) -> Array:
    """The smaller of two positive numbers, smoothed where they are within some 5% of each other."""
    return 0.5 * (a + b - jnp.sqrt((a - b) ** 2 + (0.05 * b) ** 2))


class _Orbits(NamedTuple):
    """Energies and angular momenta on a grid of two axes: coordinate and value of the energy, |L_z|/L_circ,
    and L_circ and R_circ (kpc km/s, kpc)."""

    e: Array
    E: Array
    ell: Array
    L_circ: Array
    R_circ: Array


class _Shells(NamedTuple):
    """Orbits of the tables, squared focal distance (kpc^2), radius of the shell in the midplane (kpc),
    largest K ((kpc km/s)^2), and bend of the shell."""

    orbits: _Orbits
    delta2: Array
    s_shell: Array
    K_max: Array
    bend: Array


def tabulate_actions(potential: Potential, radial_nodes: int = 14, vertical_nodes: int = 10) -> ActionTable:
    """Tables of focal distances, shells and actions of `potential`.

    `radial_nodes` and `vertical_nodes` are those of the action integrals. Energies are shared out among
    programs that run side by side.
    """
    midplane, circular, focal, shells = _shells(potential)
    parts = together(
        partial(_actions, radial_nodes=radial_nodes, vertical_nodes=vertical_nodes),
        ((potential, midplane, rows) for rows in _pieces(shells)),
    )
    table, orbits = _fitted(potential, midplane, circular, focal, shells, parts)
    changes = together(
        partial(_radial_changes, nodes=radial_nodes), ((table, rows) for rows in _pieces(orbits))
    )
    return _with_changes(table, changes)


def _pieces(rows: Rows) -> list[Rows]:
    """The same for parts of the energies each, which lie along the first axis."""
    cut = [jnp.split(leaf, PIECES) for leaf in jax.tree.leaves(rows)]
    return [jax.tree.unflatten(jax.tree.structure(rows), part) for part in zip(*cut, strict=True)]


@program()
def _shells(potential: Potential) -> tuple[RadialProfile, Spline1D, Spline2D, _Shells]:
    """Midplane, circular orbits and focal distances of a potential, and the shells of the tables."""
    midplane = potential.midplane_profile()
    E_fine = labelled_energy(jnp.asarray(E_nodes(_E_FINE)), potential.central)
    R_fine, L_fine = circular_orbit(midplane, E_fine)
    circular = Spline1D.fit(_E_FINE, jnp.stack([jnp.log(L_fine), jnp.log(R_fine)], axis=1))

    _, E, ell, L_circ, R_circ = _orbits(potential, circular, _E_FOCAL, _L_FOCAL)
    delta2 = focal_distance2(potential, E, _blunted(ell) * L_circ, R_circ) / R_circ**2
    limit = largest_focal_distance2(midplane, E, R_circ) / R_circ**2 + _LIMIT_GROWTH * ell**2
    focal = Spline2D.fit(_E_FOCAL, _L_FOCAL, _smaller(delta2, limit))

    orbits = _orbits(potential, circular, E_AXIS, _L_AXIS)
    e, E, ell, L_circ, R_circ = orbits
    L_z = ell * L_circ
    delta2 = reachable_delta2(focal(e, L_coordinate(ell)) * R_circ**2, E, L_z, potential.central)
    motion = Motion(E, L_z, delta2)
    s_shell, K_max = shell_on_hyperbola(potential, motion, R_circ, jnp.zeros_like(E))
    c_fit = _BEND_AT * shell_top(potential, E, L_z, ell, s_shell, delta2)
    bend = (shell_on_hyperbola(potential, motion, R_circ, c_fit)[0] / s_shell - 1) / c_fit**2
    return midplane, circular, focal, _Shells(orbits, delta2, s_shell, jnp.maximum(K_max, 1e-20), bend)


@program("radial_nodes", "vertical_nodes")
def _actions(
    potential: Potential, midplane: RadialProfile, shells: _Shells, radial_nodes: int, vertical_nodes: int
) -> Array:
    """J_r, J_z and the square of cos v where the vertical motion turns, each over what is expected of it
    (`expected_radial` and so on), and the depth of the vertical motion half-way to there: (n_E, n_L, n_K,
    4)."""
    (_, E, ell, L_circ, R_circ), delta2, s_shell, K_max, _ = shells
    k = jnp.asarray(_k_nodes(_K_AXIS))
    motion = Motion(E, ell * L_circ, delta2)
    wide, s_, R_ = motion.with_axis(), s_shell[..., None], R_circ[..., None]
    J_r = radial_actions(midplane, *wide, s_, K_max[..., None] * k, R_, radial_nodes).J_r
    least_K = -_LEAST_K * potential.central * (R_circ**2 + delta2)
    k_z = jnp.maximum(k, (least_K / K_max)[..., None])
    J_z, c_top, depth = vertical_actions(potential, wide, s_, K_max[..., None] * k_z, vertical_nodes)
    ell, scale = ell[..., None], K_max[..., None] / L_circ[..., None]
    # Near L_z = 0 the fudge can fail (no oscillation about the shell, or about the midplane): what is far
    # above its value in a spherical potential is cut.
    widths = shell_width(delta2, s_shell)[..., None]
    ratio_r = jnp.minimum(J_r / (expected_radial(ell, widths, k) * (1 - k) * scale), 4.0 * widths)
    ratio_z = jnp.minimum(J_z / (expected_vertical(ell, widths, k_z) * k_z * scale), 4.0 * widths)
    ratio_top = jnp.minimum(c_top**2 / expected_top2(ell, widths, k_z), 2.0 * widths)
    return jnp.stack([ratio_r, ratio_z, ratio_top, depth], axis=-1)


@program()
def _fitted(
    potential: Potential,
    midplane: RadialProfile,
    circular: Spline1D,
    focal: Spline2D,
    shells: _Shells,
    parts: list[Array],
) -> tuple[ActionTable, _Orbits]:
    """The tables but for the changes of J_r along hyperbolas, and the orbits of which these are wanted."""
    values = jnp.concatenate(parts)
    table = ActionTable(
        potential,
        midplane,
        circular,
        focal,
        Spline2D.fit(E_AXIS, _L_AXIS, (shells.s_shell / shells.orbits.R_circ) ** 2),
        Spline2D.fit(E_AXIS, _L_AXIS, jnp.clip(shells.bend, -LARGEST_BEND, LARGEST_BEND)),
        Spline3D.fit(E_AXIS, _L_AXIS, _K_AXIS, values[..., :1], _FINER_E),
        _fit_changes(jnp.zeros((_E_COARSE.n, _L_COARSE.n, _K_COARSE.n, len(_SHARES)))),
        Spline3D.fit(E_AXIS, _L_AXIS, _K_AXIS, values[..., 1:2], _FINER_E),
        Spline3D.fit(E_AXIS, _L_AXIS, _K_AXIS, values[..., 2:], _FINER_E),
    )
    return table, _orbits(potential, circular, _E_COARSE, _L_COARSE)


@program()
def _with_changes(table: ActionTable, changes: list[Array]) -> ActionTable:
    return eqx.tree_at(lambda t: t.radial_change, table, _fit_changes(jnp.concatenate(changes)))


def _fit_changes(values: Array) -> Spline3D:
    return Spline3D.fit(_E_COARSE, _L_COARSE, _K_COARSE, values, _FINER_E)


def _orbits(potential: Potential, circular: Spline1D, energies: Axis, momenta: Axis) -> _Orbits:
    e, ell = np.meshgrid(energies.nodes, _ell_nodes(momenta), indexing="ij")
    log_L, log_R = circular.all(jnp.asarray(e))
    E = labelled_energy(jnp.asarray(E_nodes(energies)), potential.central)
    E = jnp.broadcast_to(E[:, None], e.shape)
    return _Orbits(jnp.asarray(e), E, jnp.asarray(ell), jnp.exp(log_L), jnp.exp(log_R))


@program("nodes")
def _radial_changes(table: ActionTable, orbits: _Orbits, nodes: int) -> Array:
    """How J_r changes with the share W/K_u of K_u: coefficients of its first two powers,
    (n_E, n_L, n_K, 2)."""
    potential = table.potential
    e, E, ell, L_circ, R_circ = orbits
    shells = table.shells(e, L_coordinate(ell), E, ell * L_circ, R_circ)
    delta2, s_shell, bend = (a[..., None] for a in shells)
    R_circ = R_circ[..., None]
    motion = Motion(E[..., None], (ell * L_circ)[..., None], delta2)
    K_max = jnp.maximum(motion.momenta2(potential, s_shell, jnp.zeros_like(s_shell)), 1e-20)
    all_k = _k_nodes(_K_COARSE)
    k = all_k[all_k <= _LAST_K]
    in_plane = radial_actions(table.midplane, *motion, s_shell, K_max * k, R_circ, nodes)
    in_plane = jax.tree.map(lambda a: a[..., None], in_plane)

    shares, wide, K = jnp.asarray(_SHARES), motion.with_axis(), (K_max * k)[..., None]
    e, x, ell = (a[..., None, None] for a in (e, L_coordinate(ell), ell))
    top2, _ = table.top(e, x, ell, shell_width(delta2, s_shell)[..., None], shares * k[:, None])
    s, c = hyperbolas(potential, wide, s_shell[..., None], bend[..., None], shares * K, top2)
    J_r = actions_along_hyperbolas(
        potential,
        wide,
        s,
        c,
        (1 - shares) * K,
        R_circ[..., None],
        in_plane,
        nodes,
    )
    change = jnp.clip(J_r / in_plane.J_r - 1, -_LARGEST_CHANGE, _LARGEST_CHANGE)
    # Closer to the shell the little that W misses of the largest A would be seen.
    onward = (all_k[len(k) :, None] - k[-1]) / (k[-1] - k[-2])
    last, before = change[:, :, -1:], change[:, :, -2:-1]
    change = jnp.concatenate([change, last + onward * (last - before)], axis=2)
    to_powers = np.linalg.inv(_SHARES[:, None] ** np.arange(1, len(_SHARES) + 1))
    return change @ to_powers.T
