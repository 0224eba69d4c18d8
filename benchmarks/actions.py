"""Actions of stars: direct, tabulated, and galpy's where it is installed."""

from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np

import galactions as ga
from benchmarks.galaxy import reference
from benchmarks.timing import Row, timed
from galactions.galaxy import Galaxy

N_DIRECT, N_TABLE, N_GALPY = 20_000, 400_000, 5_000


def stars(n: int, seed: int = 1) -> np.ndarray:
    """(n, 6) stars of a warm disc in the paper's frame."""
    random = np.random.default_rng(seed)
    R, phi, z = random.uniform(3, 15, n), random.uniform(0, 2 * np.pi, n), random.laplace(0, 0.4, n)
    v_R, v_phi, v_z = 45 * random.normal(size=n), 210 + 30 * random.normal(size=n), 30 * random.normal(size=n)
    c, s = np.cos(phi), np.sin(phi)
    return np.stack([R * c, R * s, z, v_R * c + v_phi * s, v_R * s - v_phi * c, v_z], axis=1)


def cylindrical(xv: np.ndarray) -> tuple[jax.Array, ...]:
    """R, z, v_R, v_z, v_phi (positive along rotation), each (n,)."""
    x, y, z, v_x, v_y, v_z = xv.T
    R = np.hypot(x, y)
    return tuple(jnp.asarray(a) for a in (R, z, (x * v_x + y * v_y) / R, v_z, (y * v_x - x * v_y) / R))


def rows(galaxy: Galaxy) -> list[Row]:
    """The finders in the potential of `galaxy`; differences from the direct actions are in units of the
    median action.
    """
    sample = stars(N_TABLE)
    first, best, direct = timed(lambda: galaxy.actions(sample[:N_DIRECT]))
    values = reference()
    error = ""
    if values is not None:
        initial = ga.build(galaxy.spec, iterations=0)
        error = "against AGAMA: " + _difference(
            initial.actions(values["star_xv"]), values["star_actions_initial"]
        )
    result = [Row("actions, direct", first, best, best / N_DIRECT, error=error)]
    table = jax.jit(lambda table, *w: jnp.stack(table(*w), axis=1))
    many = cylindrical(sample)
    first, best, tabulated = timed(lambda: table(galaxy.action_table, *many))
    ratio = result[0].best / N_DIRECT / (best / N_TABLE)
    error = "against direct: " + _difference(tabulated[:N_DIRECT], direct)
    result.append(
        Row("actions, tabulated", first, best, best / N_TABLE, f"{ratio:.0f} times the direct rate", error)
    )
    if find_spec("galpy"):
        result.append(_galpy(sample[:N_GALPY], best / N_TABLE))
    return result


def _difference(ours: jax.Array, other: jax.Array) -> str:
    scale = np.median(np.asarray(other)[:, :2], axis=0)
    error = np.median(np.abs(np.asarray(ours) - np.asarray(other))[:, :2] / scale, axis=0)
    return f"J_r {error[0]:.1e}, J_z {error[1]:.1e}"


def _galpy(sample: np.ndarray, ours: float) -> Row:
    """galpy's Staeckel actions in its own Milky Way, compiled, with a fixed focal distance."""
    from galpy.actionAngle import actionAngleStaeckel
    from galpy.potential import MWPotential2014

    R, z, v_R, v_z, v_phi = (np.asarray(a) for a in cylindrical(sample))
    finder = actionAngleStaeckel(pot=MWPotential2014, delta=0.45, c=True)
    first, best, _ = timed(lambda: finder(R / 8, v_R / 220, v_phi / 220, z / 8, v_z / 220))
    each = best / len(sample)
    return Row(
        "actions, galpy (its own potential)", first, best, each, f"{each / ours:.0f} times our tabulated time"
    )
