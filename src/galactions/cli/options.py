"""Arguments of commands: parsed, and refused in words that say what is allowed."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from galactions.errors import ConfigError

if TYPE_CHECKING:
    from galactions.galaxy import ModelSpec

Iterations = int | Literal["auto"]

DEFAULT_BINS = ("v_los=-150:150:10", "pm_ra=-10:10:0.5", "pm_dec=-10:10:0.5")
"""Bins of `galactions predict`: km/s and mas/yr."""


def parse_settings(texts: Sequence[str]) -> dict[str, float]:
    """The parameters of `--set name=value ...`. Raises ConfigError for anything that is not a name and a
    finite number.
    """
    settings: dict[str, float] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ConfigError(f"--set {text}: allowed is name=value, as in --set sigma_r0_thin=70")
        try:
            settings[name] = float(value)
        except ValueError:
            raise ConfigError(f"--set {text}: found {value!r}; allowed: a number") from None
        if not math.isfinite(settings[name]):
            raise ConfigError(f"--set {text}: found {value!r}; allowed: a finite number")
    return settings


def parse_iterations(text: str) -> Iterations:
    """The number of `--iterations`, or "auto". Raises ConfigError for anything else."""
    if text.strip().lower() == "auto":
        return "auto"
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ConfigError(f"--iterations {text}: allowed is a whole number from 0 up, or auto")
    return number


def parse_bins(texts: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Edges (n + 1,) of `--bins observable=low:high:width ...`, km/s or mas/yr.

    Raises ConfigError for unknown observables, and for ranges that hold no whole number of bins.
    """
    from galactions.survey import OBSERVABLES

    edges: dict[str, NDArray[np.float64]] = {}
    for text in texts:
        name, _, numbers = text.partition("=")
        require_known("--bins", name, OBSERVABLES)
        try:
            low, high, width = (float(number) for number in numbers.split(":"))
            bins = (high - low) / width
        except (ValueError, ZeroDivisionError):
            raise ConfigError(
                f"--bins {text}: allowed is name=low:high:width, as in v_los=-150:150:10"
            ) from None
        if not (1 <= bins <= 10_000 and abs(bins - round(bins)) < 1e-6):
            raise ConfigError(
                f"--bins {text}: allowed are ranges that hold a whole number of bins, 1 to 10000"
            )
        edges[name] = np.linspace(low, high, round(bins) + 1)
    return edges


def require_known(where: str, name: str, allowed: Iterable[str]) -> None:
    """Raises ConfigError, with the names that come close, unless `name` is one of `allowed`."""
    allowed = list(allowed)
    if name not in allowed:
        near = difflib.get_close_matches(name, allowed, n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ConfigError(f"{where}: unknown name {name!r}; {hint}allowed: {', '.join(allowed)}")


def model_spec(name: str, settings: Mapping[str, float]) -> "ModelSpec":
    """The named model with parameters changed. Raises ConfigError for names that do not exist."""
    import galactions as ga

    require_known("model", name, ga.named_models())
    spec = ga.named_model(name)
    for parameter in settings:
        require_known("--set", parameter, spec.parameters)
    return spec.replace(**settings) if settings else spec
