"""A fit problem whose predictions are interpolated between models on a grid: samplers can then be checked on
a real model with few free parameters, which takes tens of thousands of trials."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.inference.bins import BinLayout
from galactions.inference.files import write_json
from galactions.inference.parameters import FreeParameters
from galactions.inference.posterior import problem_target
from galactions.inference.posterior.folder import problem_identity
from galactions.inference.problem import FitProblem, predict_heights

Floats = NDArray[np.float64]
Histograms = Mapping[str, Sequence[Floats]]


def interpolated(problem: FitProblem, nodes: int, folder: Path) -> FitProblem:
    """The problem with its predictor interpolated between the bounds of the free parameters, from models at
    this many Chebyshev `nodes` along each; they are kept in `folder` and taken up from there.

    Raises SystemExit where a model of the grid cannot be built, bounds are not finite, there are fewer than
    two nodes, or the folder holds the grid of another problem.
    """
    free, layout = problem.free, problem.layout
    if nodes < 2:
        raise SystemExit(f"--grid {nodes}: allowed is a whole number from 2 up")
    if not np.all(np.isfinite(free.upper - free.lower)):
        raise SystemExit(f"a grid needs [fit.bounds] of all free parameters: {', '.join(free.names)}")
    _claim(folder, {**problem_identity(problem), "nodes": nodes})
    at = chebyshev.chebpts1(nodes)
    places = list(product(range(nodes), repeat=len(free.names)))
    heights = []
    for number, place in enumerate(places):
        values = free.lower + 0.5 * (1.0 + at[list(place)]) * (free.upper - free.lower)
        heights.append(_heights(problem, values, folder / f"model-{number:04d}.npy"))
        print(f"{number + 1} of {len(places)} models of the grid", end="\r", flush=True)
    print()
    found = np.array(heights).reshape(*[nodes] * len(free.names), -1)
    to_coefficients = np.linalg.inv(chebyshev.chebvander(at, nodes - 1))
    for axis in range(len(free.names)):
        found = np.moveaxis(np.tensordot(to_coefficients, found, (1, axis)), 0, axis)
    return replace(problem, predictor=Interpolated(free, layout, found))


def missed(problem: FitProblem, other: FitProblem, points: Floats) -> Floats:
    """By how much the log density of `other` is off at points (k, n) of free values: (k,), less their
    mean, which no sampler sees."""
    true, found = problem_target(problem), problem_target(other)
    told = [found.log_density(u) - true.log_density(u) for u in map(true.from_values, points)]
    return np.array(told) - np.mean(told)


@dataclass(frozen=True, eq=False)
class Heights:
    """Predicted histograms, without errors of their own."""

    p: Histograms
    error: Histograms
    ess: Sequence[float]


@dataclass(frozen=True, eq=False)
class Interpolated:
    """A `DifferentiablePredictor`: heights as Chebyshev series in the `free` parameters between their bounds;
    coefficients (nodes, ..., nodes, n_bins)."""

    free: FreeParameters
    layout: BinLayout
    coefficients: Floats

    def predict(self, parameters: Mapping[str, float]) -> Heights:
        p = self.layout.unflatten(self._series(self._bases(parameters)))
        nothing = {name: [np.zeros_like(row) for row in rows] for name, rows in p.items()}
        return Heights(p, nothing, [np.inf] * len(self.layout.survey.regions))

    def jacobian(self, parameters: Mapping[str, float], names: Sequence[str]) -> Histograms:
        bases, columns = self._bases(parameters), []
        for name in names:
            # One that is tied to a free parameter has moved with it in every model of the grid.
            if name not in self.free.names:
                columns.append(np.zeros(self.coefficients.shape[-1]))
                continue
            i = self.free.names.index(name)
            moved = [self._slope(parameters[name], i) if i == j else base for j, base in enumerate(bases)]
            columns.append(self._series(moved))
        return self.layout.unflatten(np.stack(columns, axis=-1))

    def _series(self, bases: Sequence[Floats]) -> Floats:
        found = self.coefficients
        for base in bases:
            found = np.tensordot(base, found, (0, 0))
        return found

    def _bases(self, parameters: Mapping[str, float]) -> list[Floats]:
        """Of each free parameter the Chebyshev polynomials (nodes,) there."""
        degree = self.coefficients.shape[0] - 1
        return [
            chebyshev.chebvander(self._scaled(parameters[name], i), degree)[0]
            for i, name in enumerate(self.free.names)
        ]

    def _slope(self, value: float, i: int) -> Floats:
        """Their derivatives by the parameter, (nodes,)."""
        nodes = self.coefficients.shape[0]
        by_x = chebyshev.chebvander(self._scaled(value, i), nodes - 2)[0] @ chebyshev.chebder(np.eye(nodes))
        return np.asarray(by_x * 2.0 / (self.free.upper[i] - self.free.lower[i]))

    def _scaled(self, value: float, i: int) -> float:
        lower, upper = self.free.lower[i], self.free.upper[i]
        return float(2.0 * (value - lower) / (upper - lower) - 1.0)


def _heights(problem: FitProblem, values: Floats, path: Path) -> Floats:
    """Predicted heights (n_bins,) at free values, kept in a file or read from there."""
    if path.exists():
        return np.asarray(np.load(path))
    outcome = predict_heights(problem, values)
    if outcome.array is None:
        raise SystemExit(f"no model at {problem.free.named(values)}: {outcome.reason}")
    with replacing(path) as part, part.open("wb") as stream:
        np.save(stream, outcome.array)
    return outcome.array


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Makes the folder that of the grid with this identity."""
    path = folder / "identity.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, identity)
    elif json.loads(path.read_text(encoding="utf-8")) != identity:
        raise SystemExit(f"{folder} holds the grid of another problem: choose another folder")
