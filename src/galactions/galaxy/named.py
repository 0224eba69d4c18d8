"""Named models: data files of components and parameters, each with its source."""

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from galactions.errors import ModelError
from galactions.galaxy.spec import ComponentSpec, ModelSpec


def named_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(name for name, table in _tables().items() if not table.get("abstract", False))


def named_model(name: str) -> ModelSpec:
    """The named model's `ModelSpec`; `ModelError` if there is none of that name."""
    if name not in named_models():
        raise ModelError(f"no model named {name!r}; there are {', '.join(named_models())}")
    table = _merged(name)
    components = tuple(ComponentSpec(name=key, **entry) for key, entry in table["components"].items())
    return ModelSpec(name, components, table["parameters"], table.get("summary", ""), table.get("source", ""))


def load_model(path: str | Path) -> ModelSpec:
    """A model from a TOML file with a table `[model]`: its `name` and, in `[model.set]`, values that replace
    the named model's.

    This is the form in which a fit writes its best model, and the same table as in a fit's configuration.
    """
    try:
        with Path(path).open("rb") as file:
            table = tomllib.load(file)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file") from error
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: not a TOML file ({error})") from error
    model = table.get("model", {})
    if not isinstance(model, dict) or "name" not in model:
        raise ModelError(f"{path}: missing model.name (one of {', '.join(named_models())})")
    return named_model(model["name"]).replace(**model.get("set", {}))


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    folder = resources.files("galactions") / "data" / "models"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text()) for entry in files}


def _merged(name: str) -> dict[str, Any]:
    table = _tables()[name]
    if "extends" not in table:
        return table
    base = _merged(table["extends"])
    merged = {**base, **table}
    for key in ("components", "parameters"):
        merged[key] = {**base.get(key, {}), **table.get(key, {})}
    return merged
