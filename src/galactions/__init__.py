"""galactions: self-consistent, action-based models of the Milky Way, fitted to star surveys.

    import galactions as ga

    galaxy = ga.build(ga.named_model("Mc17a"), iterations=5)
    galaxy.circular_velocity(8.1)                  # km/s

Units are kpc, km/s and Msun throughout. Public names are loaded when first used: the import itself is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

from galactions import _jax_setup
from galactions._version import __version__

_jax_setup.configure()

if TYPE_CHECKING:
    from galactions.errors import CatalogueError, ConfigError, GalactionsError, ModelError
    from galactions.galaxy import (
        Galaxy,
        ModelSpec,
        build,
        load_galaxy,
        named_model,
        named_models,
        save_galaxy,
        write_stars,
    )
    from galactions.inference.fit import fit
    from galactions.inference.posterior import PosteriorResult, load_posterior, sample_posterior
    from galactions.inference.result import FitResult
    from galactions.interop import to_agama, to_gala, to_galpy
    from galactions.projection import Prediction, mock_survey, predict, predict_by_sampling
    from galactions.report import write_report as report
    from galactions.survey import BinnedSurvey, Region, load_survey, paper_regions

_ROOM_OF = {
    "CatalogueError": "errors",
    "ConfigError": "errors",
    "GalactionsError": "errors",
    "ModelError": "errors",
    "Galaxy": "galaxy",
    "ModelSpec": "galaxy",
    "build": "galaxy",
    "load_galaxy": "galaxy",
    "named_model": "galaxy",
    "named_models": "galaxy",
    "save_galaxy": "galaxy",
    "write_stars": "galaxy",
    "to_agama": "interop",
    "to_gala": "interop",
    "to_galpy": "interop",
    "BinnedSurvey": "survey",
    "Region": "survey",
    "load_survey": "survey",
    "paper_regions": "survey",
    "Prediction": "projection",
    "mock_survey": "projection",
    "predict": "projection",
    "predict_by_sampling": "projection",
    "FitResult": "inference",
    "fit": "inference",
    "PosteriorResult": "inference.posterior",
    "load_posterior": "inference.posterior",
    "sample_posterior": "inference.posterior",
}
"""Where each public name lives. `report` is not here: it is the sub-package, which can be called."""

__all__ = ["__version__", "report", *_ROOM_OF]


def __getattr__(name: str) -> Any:
    """Loads a public name, or a sub-package, when it is first asked for (PEP 562)."""
    if name == "report":
        return importlib.import_module("galactions.report")
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'galactions' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"galactions.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
