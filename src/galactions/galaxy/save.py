"""A built galaxy in one file, without loss."""

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from galactions._version import __version__
from galactions.errors import ModelError
from galactions.galaxy.iteration import initial_state, iterate
from galactions.galaxy.model import Galaxy
from galactions.galaxy.spec import ComponentSpec, ModelSpec

FORMAT = "galactions galaxy"
VERSION = 2
"""Of the layout: specification and history as JSON, and the arrays by their place in the galaxy."""


def save_galaxy(galaxy: Galaxy, path: str | Path) -> None:
    """Write a galaxy to an HDF5 file, to the last bit: specification, history, DFs, densities, potential,
    tables.

    The file appears under its name when it is complete. Raises `ModelError` if it cannot be written.
    """
    import h5py

    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    try:
        with h5py.File(unfinished, "w") as file:
            file.attrs.update(
                format=FORMAT, version=VERSION, package=__version__, iterations=galaxy.iterations
            )
            file.attrs["spec"] = json.dumps(_spec_table(galaxy.spec))
            file.create_dataset(
                "history", data=json.dumps({"initial": galaxy.initial, "entries": galaxy.history})
            )
            for name, leaf in _named_leaves((galaxy.ingredients, galaxy.state)).items():
                file.create_dataset(f"arrays/{name}", data=np.asarray(leaf))
        unfinished.replace(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error})") from error
    finally:
        unfinished.unlink(missing_ok=True)


def load_galaxy(path: str | Path) -> Galaxy:
    """The galaxy that `save_galaxy` wrote: equal in every number, with nothing built anew.

    Raises `ModelError` if there is no such file, if it holds something else, or if it was written by a
    version of the package whose galaxies have other parts.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise ModelError(f"{path}: an HDF5 file, but not a galaxy written by save_galaxy")
            if file.attrs["version"] != VERSION:
                raise ModelError(
                    f"{path}: written in version {file.attrs['version']} of the format, this package reads "
                    f"version {VERSION}; build the model again"
                )
            spec = _spec(json.loads(file.attrs["spec"]))
            iterations, package = int(file.attrs["iterations"]), str(file.attrs["package"])
            history = json.loads(file["history"].asstr()[()])
            stored: dict[str, np.ndarray] = {}
            file["arrays"].visititems(
                lambda name, item: stored.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
    except OSError as error:
        raise ModelError(f"{path}: not a galaxy file ({error})") from error
    template = _template(spec, iterations)
    expected = _named_leaves(template)
    misfits = set(stored) ^ set(expected)
    misfits |= {n for n in set(stored) & set(expected) if stored[n].shape != expected[n].shape}
    if misfits:
        raise ModelError(
            f"{path}: written by galactions {package}, whose galaxies differ from those of {__version__} in "
            f"{', '.join(sorted(misfits)[:3])}; build the model again"
        )
    leaves = [jnp.asarray(stored[name]) for name in expected]
    ingredients, state = jax.tree.unflatten(jax.tree.structure(template), leaves)
    return Galaxy(spec, ingredients, state, iterations, tuple(history["entries"]), history["initial"])


def _named_leaves(tree: Any) -> dict[str, Any]:
    """The arrays of a tree by their place in it, as names of HDF5 data sets."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


def _template(spec: ModelSpec, iterations: int) -> Any:
    """Ingredients and state of such a galaxy with the shapes of the arrays in place of the arrays."""
    number = jax.ShapeDtypeStruct((), jnp.result_type(float))
    parameters = dict.fromkeys(spec.parameters, number)
    ingredients, state = jax.eval_shape(partial(initial_state, spec.components), parameters)
    if iterations > 0:
        state = jax.eval_shape(iterate, ingredients, state)
    return ingredients, state


def _spec_table(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "components": [dataclasses.asdict(component) for component in spec.components],
        "parameters": dict(spec.parameters),
        "summary": spec.summary,
        "source": spec.source,
        "changed": list(spec.changed),
    }


def _spec(table: dict[str, Any]) -> ModelSpec:
    components = tuple(ComponentSpec(**component) for component in table["components"])
    rest = {name: table[name] for name in ("name", "parameters", "summary", "source")}
    return ModelSpec(components=components, changed=tuple(table["changed"]), **rest)
