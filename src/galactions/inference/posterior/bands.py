"""Posterior bands: what a thinned set of draws predicts, summed up in quantiles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.inference.executor import Executor
from galactions.inference.posterior.summary import LEVELS, quantiles
from galactions.inference.predictor import BAD_TRIAL_ERRORS, TrialModelPredictor
from galactions.inference.problem import FitProblem

Vector = NDArray[np.float64]
Facts = dict[str, NDArray[np.float64]]
"""Predictions by name: arrays of any shape, the same for every draw."""


@dataclass(frozen=True, eq=False)
class Bands:
    """Quantiles of predictions at `LEVELS`, along the first axis.

    heights (5, n_bins): of the survey's histograms, in the order of the problem's `BinLayout`. facts: those
    of the galaxy by the names of `galaxy.json`, components after a slash ("local_density_msun_pc3/halo").
    draws: how many they stand on; failed: those of them that made no model.
    """

    heights: NDArray[np.float64]
    facts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    draws: int = 0
    failed: int = 0


def predicted_facts(problem: FitProblem, values: Vector) -> Facts | None:
    """What the model with free values (n_free,) predicts: "heights" (n_bins,), and, where the predictor
    builds a galaxy for its trials, that galaxy's numbers; None where there is no model."""
    parameters = problem.all_parameters(values)
    try:
        if isinstance(problem.predictor, TrialModelPredictor):
            model = problem.predictor.trial_model(parameters)
            prediction, galaxy = model.prediction, model.galaxy
        else:
            prediction, galaxy = problem.predictor.predict(parameters), {}
    except BAD_TRIAL_ERRORS:
        return None
    return {"heights": problem.layout.flatten(prediction.p), **numbers_in(galaxy)}


def numbers_in(facts: Mapping[str, Any], before: str = "") -> Facts:
    """The numbers among facts, as arrays by name: those in tables below with a slash between; anything else
    (lists of tables, texts, None) is passed by."""
    found: Facts = {}
    for key, value in facts.items():
        if isinstance(value, Mapping):
            found |= numbers_in(value, f"{before}{key}/")
            continue
        try:
            found[f"{before}{key}"] = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            continue
    return found


def posterior_bands(
    problem: FitProblem,
    values: Vector,
    executor: Executor,
    folder: Path | None = None,
    after: Callable[[int, int], None] | None = None,
) -> Bands:
    """Bands from draws `values` (k, n_free) of the free parameters, all of the same weight.

    folder: keeps each draw's predictions as long as the work goes on, so that it can be taken up.
    """
    found: list[Facts | None] = []
    step = max(1, executor.workers)
    for begin in range(0, len(values), step):
        chunk = range(begin, min(begin + step, len(values)))
        kept = {k: _read(_path(folder, k), values[k]) for k in chunk}
        missing = [k for k in chunk if kept[k] is None]
        made = executor.map(predicted_facts, problem, [values[k] for k in missing])
        for k, facts in zip(missing, made, strict=True):
            kept[k] = facts or {}
            _write(_path(folder, k), values[k], facts or {})
        found += [kept[k] or None for k in chunk]
        if after is not None:
            after(len(found), len(values))
    good = [facts for facts in found if facts is not None]
    if not good:
        return Bands(np.full((len(LEVELS), len(problem.layout.data)), np.nan), {}, 0, len(found))
    shared = [
        key
        for key in good[0]
        if all(key in facts and facts[key].shape == good[0][key].shape for facts in good)
    ]
    summed = {key: quantiles(np.stack([facts[key] for facts in good])) for key in shared}
    return Bands(summed.pop("heights"), summed, len(good), len(found) - len(good))


def write_bands(path: Path, bands: Bands) -> None:
    """Writes `bands.npz`: `levels` (5,), `heights` (5, n_bins), `facts/<name>` (5, ...), `draws`, `failed`.
    Written atomically."""
    arrays: dict[str, Any] = {
        "levels": np.array(LEVELS),
        "heights": bands.heights,
        "draws": np.array(bands.draws),
        "failed": np.array(bands.failed),
    }
    arrays |= {f"facts/{key}": value for key, value in bands.facts.items()}
    with replacing(path) as part:
        np.savez_compressed(part, **arrays)


def read_bands(path: Path) -> Bands:
    """The bands that `write_bands` wrote."""
    with np.load(path) as arrays:
        facts = {key.removeprefix("facts/"): arrays[key] for key in arrays if key.startswith("facts/")}
        return Bands(arrays["heights"], facts, int(arrays["draws"]), int(arrays["failed"]))


def _path(folder: Path | None, k: int) -> Path | None:
    return None if folder is None else folder / f"{k:06d}.npz"


def _write(path: Path | None, values: Vector, facts: Facts) -> None:
    if path is not None:
        path.parent.mkdir(exist_ok=True)
        content: dict[str, Any] = {"values": values, **{f"facts/{key}": fact for key, fact in facts.items()}}
        with replacing(path) as part:
            np.savez(part, **content)


def _read(path: Path | None, values: Vector) -> Facts | None:
    """The predictions on file for these values; None where there are none (empty: they make no model)."""
    if path is None or not path.exists():
        return None
    with np.load(path) as arrays:
        if not np.array_equal(arrays["values"], values):
            return None
        return {key.removeprefix("facts/"): arrays[key] for key in arrays if key.startswith("facts/")}
