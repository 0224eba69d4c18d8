"""A posterior on disk: `posterior.nc` in ArviZ's InferenceData layout, read back with h5py alone."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.errors import ConfigError
from galactions.inference.lock import RunFolderError
from galactions.inference.posterior.result import PosteriorResult

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StoredDraws:
    """What `posterior.nc` holds: see `PosteriorResult`."""

    names: tuple[str, ...]
    values: Vector
    log_density: Vector
    stats: Mapping[str, Vector]
    points: Vector | None
    weights: Vector | None


def require_arviz() -> None:
    """Raises ConfigError when ArviZ is not installed."""
    from importlib.util import find_spec

    if find_spec("arviz") is None:
        raise ConfigError(
            "a posterior needs ArviZ, which is not installed: pip install 'galactions[posterior]'"
        )


def write_draws(path: Path, result: PosteriorResult, facts: Mapping[str, Any]) -> None:
    """Writes `posterior.nc`, atomically: groups `posterior` (each parameter, chain x draw), `sample_stats`
    (`lp` and the sampler's own) and, for importance sampling, `weighted` (each parameter and the `weight` of
    every point). `facts` become attributes of the posterior."""
    import xarray

    attributes = {key: value for key, value in facts.items() if isinstance(value, str | int | float)}
    with warnings.catch_warnings():
        # ArviZ tells at import of its next version, and wonders at ensembles of more walkers than steps.
        warnings.simplefilter("ignore")
        import arviz

        data = arviz.from_dict(
            posterior={name: result.values[..., i] for i, name in enumerate(result.names)},
            sample_stats={"lp": result.log_density, **result.stats},
            attrs={"names": json.dumps(result.names), **attributes},
        )
    if result.points is not None and result.weights is not None:
        points = {name: ("point", result.points[:, i]) for i, name in enumerate(result.names)}
        weighted = xarray.Dataset({**points, "weight": ("point", result.weights)})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the group's name is none of ArviZ's own is meant
            data.add_groups({"weighted": weighted}, warn_on_custom_groups=False)
    with replacing(path) as part:
        data.to_netcdf(str(part), engine="h5netcdf")


def read_draws(path: Path) -> StoredDraws:
    """The draws that `write_draws` wrote. Raises RunFolderError for a file that is damaged."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            posterior = file["posterior"]
            told = file.attrs.get("names", posterior.attrs.get("names"))
            names = tuple(json.loads(told))
            values = np.stack([np.asarray(posterior[name][...], dtype=float) for name in names], axis=-1)
            stats = {
                name: np.asarray(item[...], dtype=float)
                for name, item in file["sample_stats"].items()
                if name not in ("chain", "draw")
            }
            points = weights = None
            if "weighted" in file:
                group = file["weighted"]
                points = np.stack([np.asarray(group[name][...], dtype=float) for name in names], axis=-1)
                weights = np.asarray(group["weight"][...], dtype=float)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{path}: not a saved posterior ({type(error).__name__}: {error}); resume the run, or "
            "remove its folder"
        ) from error
    return StoredDraws(names, values, stats.pop("lp"), stats, points, weights)
