"""Building a galaxy from a specification."""

import time
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from galactions.errors import ModelError, ModelWarning
from galactions.galaxy.fitness import check_distribution_functions
from galactions.galaxy.iteration import (
    AUTO_LIMIT,
    AUTO_TOLERANCE,
    initial_state,
    iterate,
    residual,
    settled_shapes,
)
from galactions.galaxy.model import Galaxy
from galactions.galaxy.named import named_model
from galactions.galaxy.profiles import profiles
from galactions.galaxy.spec import ModelSpec
from galactions.galaxy.tabulated import SPHEROID_ANGLES
from galactions.galaxy.warm_start import Shapes


def build(
    spec: ModelSpec | str,
    iterations: int | Literal["auto"] = 10,
    progress: Callable[[dict[str, Any]], None] | None = None,
    spheroid_angles: int = SPHEROID_ANGLES,
    near: Galaxy | None = None,
) -> Galaxy:
    """Build a self-consistent galaxy (paper, section 3.1, steps i-v).

    `spec` is a `ModelSpec` or the name of a named model. Each of the `iterations` computes the densities
    of all components with a DF in the current potential and then the potential of these densities; 0
    stops at the initial potential of the analytic densities, "auto" goes on until the force changes by
    less than 1e-4 anywhere in 1-50 kpc, or for 30 iterations, with a `ModelWarning` where it then has not
    converged. A model without DFs has nothing to iterate. `progress` is called with each entry of
    `Galaxy.history` as it is made. Raises `ModelError` if the model cannot be built from its parameters, or
    if a DF cannot have the density that it is to be made from (`galactions.galaxy.fitness`).

    `spheroid_angles` is the number of angles between plane and pole at which the densities of bulge and
    halo are computed. The default, 3, is the resolution of the reference models (multipoles to order 4);
    9 resolves how a thin disc flattens its halo, and changes v_circ inside 10 kpc by up to 0.7%.

    `near` is a galaxy of the same components that has been iterated: the iteration then begins with its
    densities, scaled to the parameters of `spec`, which is closer to the end by as much as three or four
    iterations (`Galaxy.initial` tells of this state). The end is the same.
    """
    if isinstance(spec, str):
        spec = named_model(spec)
    limit = _limit(iterations)
    if isinstance(spheroid_angles, bool) or not isinstance(spheroid_angles, int) or spheroid_angles < 2:
        raise ModelError(f"spheroid_angles = {spheroid_angles!r}: must be a whole number >= 2")
    started = time.perf_counter()
    ingredients, state = initial_state(spec.components, spec.parameters, _shapes(near, spec, limit))
    if not ingredients.dfs:
        limit = 0
    entry = _summary(Galaxy(spec, ingredients, state, 0), None, started)
    _require_finite(spec, entry)
    check_distribution_functions(spec.name, ingredients.dfs)
    history = [entry]
    for number in range(1, limit + 1):
        started = time.perf_counter()
        previous, state = state, iterate(ingredients, state, spheroid_angles)
        change = np.asarray(residual(previous, state))
        entry = _summary(Galaxy(spec, ingredients, state, number), change, started)
        _require_finite(spec, entry)
        history.append(entry)
        if progress is not None:
            progress(entry)
        if iterations == "auto" and change[0] < AUTO_TOLERANCE:
            break
    if iterations == "auto" and limit and history[-1]["residual"] >= AUTO_TOLERANCE:
        _tell_of_no_end(spec, history)
    return Galaxy(spec, ingredients, state, len(history) - 1, tuple(history[1:]), history[0])


def _shapes(near: Galaxy | None, spec: ModelSpec, limit: int) -> Shapes | None:
    if near is None:
        return None
    if near.spec.components != spec.components:
        raise ModelError(
            f"near: a galaxy of the model {near.spec.name}, whose components are not those of {spec.name}"
        )
    if near.iterations == 0 or limit == 0:
        raise ModelError("near: both galaxies need at least one iteration")
    return settled_shapes(near.spec.components, near.spec.parameters, near.state)


def _tell_of_no_end(spec: ModelSpec, history: list[dict[str, Any]]) -> None:
    first, last = history[1]["residual"], history[-1]["residual"]
    warnings.warn(
        f"model {spec.name} has not converged after {len(history) - 1} iterations: the force still changes "
        f"by {last:.1e} (at first {first:.1e}; asked for {AUTO_TOLERANCE:.0e}). Galaxy.history tells whether "
        "that falls, and more iterations help, or not: then make its discs warmer or less massive",
        ModelWarning,
        stacklevel=3,
    )


def _limit(iterations: int | str) -> int:
    if iterations == "auto":
        return AUTO_LIMIT
    if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 0:
        raise ModelError(f'iterations = {iterations!r}: must be a whole number >= 0 or "auto"')
    return iterations


def _summary(galaxy: Galaxy, change: np.ndarray | None, started: float) -> dict[str, Any]:
    d_sun = galaxy.spec.parameters["d_sun"]
    virial = galaxy.virial()
    return {
        "iteration": galaxy.iterations,
        "residual": None if change is None else float(change[0]),
        "residual_density": None if change is None else float(change[1]),
        "v_circ_sun_kms": float(galaxy.circular_velocity(d_sun)),
        "r200_kpc": virial.r200,
        "m200_msun": virial.m200,
        "density_sun_msun_pc3": {
            name: 1e-9 * float(galaxy.density(name, d_sun, 0.0)) for name in galaxy.components
        },
        "profiles": profiles(galaxy),
        "seconds": time.perf_counter() - started,
    }


def _require_finite(spec: ModelSpec, entry: dict[str, Any]) -> None:
    values = [entry["v_circ_sun_kms"], entry["m200_msun"], *entry["density_sun_msun_pc3"].values()]
    if not all(np.isfinite(values)):
        raise ModelError(
            f"model {spec.name} has no finite solution after iteration {entry['iteration']}: "
            f"v_circ(d_sun) = {entry['v_circ_sun_kms']} km/s, M200 = {entry['m200_msun']} Msun; "
            "its discs or halo are outside what a galaxy can hold "
            "(compare its parameters with those of a named model)"
        )
