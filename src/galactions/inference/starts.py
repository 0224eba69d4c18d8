"""A fit begun from several places: each run in a folder of its own, the best of them reported."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from galactions.errors import ConfigError, ModelError
from galactions.inference.files import write_json
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress, ProgressUpdate
from galactions.inference.result import FitResult

if TYPE_CHECKING:
    from galactions.galaxy import ModelSpec


def fit_from_starts(
    problem: FitProblem,
    folder: Path | None,
    run: Callable[[FitProblem, Path | None], FitResult],
    progress: Progress | None,
) -> FitResult:
    """Fits by `run` from the problem's own start and from each of its `starts`, in subfolders of `folder`
    with their names, and returns the best with the `others`.

    `starts.json` in the folder tells of all. A start at which no model can be built is told there and passed
    by; raises ModelError where that is so for all of them.
    """
    results: dict[str, FitResult] = {}
    failed: dict[str, str] = {}
    for name, values in {problem.model_name: {}, **problem.starts}.items():
        if progress:
            progress(ProgressUpdate.stage(f"the fit from the start {name}"))
        one = replace(problem, parameters={**problem.parameters, **values}, starts={})
        try:
            results[name] = run(one, folder / name if folder else None)
        except ModelError as error:
            failed[name] = str(error)
    if not results:
        raise ModelError("; ".join(f"from {name}: {reason}" for name, reason in failed.items()))
    order = sorted(results, key=lambda name: _score(results[name]))
    if folder:
        write_json(folder / "starts.json", {"best": order[0], "starts": _told(results, failed)})
    others = {name: results[name] for name in order[1:]}
    return replace(results[order[0]], others=others)


def _score(result: FitResult) -> float:
    return result.chi2_total if result.score is None else result.score


def _told(results: Mapping[str, FitResult], failed: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What `starts.json` tells of each start."""
    found: dict[str, dict[str, object]] = {
        name: {
            "status": result.status.name.lower(),
            "score": _score(result),
            "chi2_total": result.chi2_total,
            "best": dict(result.best),
            "trials": len(result.trials),
        }
        for name, result in results.items()
    }
    return found | {name: {"status": "failed", "reason": reason} for name, reason in failed.items()}


def named_starts(
    names: tuple[str, ...], spec: "ModelSpec", free: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Values of the free parameters in the named models, for a fit of the model `spec`.

    Raises ConfigError for models that do not exist, or whose components are not those of `spec`: their
    parameters would mean something else.
    """
    from galactions.galaxy import named_model, named_models

    found = {}
    for name in names:
        if name not in named_models():
            raise ConfigError(f"fit.starts: no model named {name!r}; allowed: {', '.join(named_models())}")
        model = named_model(name)
        if name == spec.name or model.components != spec.components:
            same = [
                other
                for other in named_models()
                if other != spec.name and named_model(other).components == spec.components
            ]
            why = "where the fit begins anyway" if name == spec.name else "which has other components"
            raise ConfigError(
                f"fit.starts: found {name!r}, {why}; allowed for a fit of {spec.name}: "
                f"{', '.join(same) or 'none'}"
            )
        found[name] = {key: model.parameters[key] for key in free if key in model.parameters}
    return found
