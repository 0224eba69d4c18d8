"""A fit problem: a predictor, a survey and free parameters, and what one trial of it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions.inference.bins import BinLayout, bin_layout
from galactions.inference.constraints import Constraints
from galactions.inference.parameters import FreeParameters, free_parameters
from galactions.inference.predictor import (
    BAD_TRIAL_ERRORS,
    DifferentiableExtendedPredictor,
    DifferentiablePredictor,
    ExtendedPredictor,
    Predictor,
    ReversiblePredictor,
)
from galactions.inference.settings import FitSettings

if TYPE_CHECKING:
    from galactions.survey import BinnedSurvey

RELATIVE_STEP = 1e-4
"""Step of the finite differences, relative to a parameter's scale, where a predictor has no derivatives of
its own."""


@dataclass(frozen=True, eq=False)
class FitProblem:
    """What `galactions.fit` solves.

    predictor: parameters to predicted histograms. survey: the binned data. parameters: all of the model's
    parameters, the free ones at their start. settings: the `[fit]` table. model_name: the model that
    `parameters` started from. config_text: the whole configuration as it is kept in the run folder, empty
    where there is none. seed: of whatever is random in the predictor. identity: what else the predictor's
    answers depend on (iterations, nodes, ...): a run is taken up only where all of it is as it was.
    constraints: outside data, and n_stars: the number of single stars, for which an `ExtendedPredictor`
    predicts. starts: further values of the free parameters to begin from, by a name for each (`[fit]
    starts`).

    Raises ConfigError, when `free` or `layout` are first read, for names, bounds and surveys that cannot be
    fitted.
    """

    predictor: Predictor
    survey: "BinnedSurvey"
    parameters: Mapping[str, float]
    settings: FitSettings = field(default_factory=FitSettings)
    model_name: str = "unnamed"
    config_text: str = ""
    seed: int = 0
    identity: Mapping[str, Any] = field(default_factory=dict)
    constraints: Constraints = field(default_factory=Constraints)
    n_stars: int = 0
    starts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @cached_property
    def free(self) -> FreeParameters:
        settings = self.settings
        return free_parameters(
            settings.free, self.parameters, settings.bounds, settings.priors, settings.ties
        )

    @cached_property
    def layout(self) -> BinLayout:
        return bin_layout(self.survey, uncertainty=self.settings.uncertainty, held_out=self.settings.held_out)

    @property
    def has_derivatives(self) -> bool:
        wanted = DifferentiableExtendedPredictor if self.is_extended else DifferentiablePredictor
        return isinstance(self.predictor, wanted)

    @property
    def is_extended(self) -> bool:
        """Whether more than histograms is compared with data."""
        return bool(self.n_stars or len(self.constraints))

    def all_parameters(self, values: NDArray[np.float64]) -> dict[str, float]:
        """The model's full parameters with the free ones set to `values` (n_free,), and those tied to
        them."""
        return self.free.complete(self.parameters, values)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one evaluation: an array, or None and the reason why there is none."""

    array: NDArray[np.float64] | None
    reason: str = ""


def predict_heights(problem: FitProblem, values: NDArray[np.float64]) -> Outcome:
    """Predicted bin heights (n_bins,) in the layout's order, at free values (n_free,).

    Never raises for parameters that make no model: the outcome then has no array, but the reason. A
    prediction of the wrong shape is a mistake in the predictor, not in the parameters, and raises
    ValueError.
    """
    try:
        histograms = problem.predictor.predict(problem.all_parameters(values)).p
    except BAD_TRIAL_ERRORS as error:
        return Outcome(None, _reason(error))
    p = problem.layout.flatten(histograms)
    if reason := _not_finite(problem.layout, p):
        return Outcome(None, reason)
    return Outcome(p)


def predict_all(problem: FitProblem, values: NDArray[np.float64]) -> Outcome:
    """The joint prediction (n_bins + n_constraints + n_stars,) at free values: heights, outside constraints,
    and ln p of single stars (see `galactions.inference.joint`). As `predict_heights` in all else."""
    if not problem.is_extended:
        return predict_heights(problem, values)
    predictor = problem.predictor
    assert isinstance(predictor, ExtendedPredictor)
    try:
        found = predictor.extended(problem.all_parameters(values))
    except BAD_TRIAL_ERRORS as error:
        return Outcome(None, _reason(error))
    y = _joined(problem, found.heights.p, found.constraints, found.stars)
    if reason := _not_finite_in(problem, y):
        return Outcome(None, reason)
    return Outcome(y)


@dataclass(frozen=True, eq=False)
class PulledOutcome:
    """A joint prediction (m,), or None and the reason why there is none; and `pull`, from a number's
    derivatives by it (m,) to those by the free parameters (n_free,)."""

    array: NDArray[np.float64] | None
    pull: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    reason: str = ""


def predict_pulled(problem: FitProblem, values: NDArray[np.float64]) -> PulledOutcome:
    """As `predict_all`, of a `ReversiblePredictor`, with the way back."""
    predictor, free = problem.predictor, problem.free
    assert isinstance(predictor, ReversiblePredictor)
    try:
        made = predictor.pulled(problem.all_parameters(values), free.moved)
    except BAD_TRIAL_ERRORS as error:
        return PulledOutcome(None, _no_way_back, _reason(error))
    found = made.prediction
    y = _joined(problem, found.heights.p, found.constraints, found.stars)
    n_bins, n_constraints = len(problem.layout.data), len(problem.constraints)

    def pull(by_y: NDArray[np.float64]) -> NDArray[np.float64]:
        by_heights, by_constraints, by_stars = np.split(by_y, [n_bins, n_bins + n_constraints])
        return made.pull(problem.layout.unflatten(by_heights), by_constraints, by_stars) @ free.moves

    if reason := _not_finite_in(problem, y):
        return PulledOutcome(None, _no_way_back, reason)
    return PulledOutcome(y, pull)


def _no_way_back(by_y: NDArray[np.float64]) -> NDArray[np.float64]:
    raise ValueError("there is no prediction to go back from")


def predict_slopes(
    problem: FitProblem, values: NDArray[np.float64], p: NDArray[np.float64] | None = None
) -> Outcome:
    """dp/dparameter (n_bins, n_free) at free values: the predictor's own, else by central differences, or,
    where the heights `p` there are known already, by differences to one side, for half as many predictions.
    """
    predictor = problem.predictor
    if not isinstance(predictor, DifferentiablePredictor):
        return _finite_differences(problem, values, predict_heights, p)
    try:
        slopes = predictor.jacobian(problem.all_parameters(values), problem.free.moved)
    except BAD_TRIAL_ERRORS as error:
        return Outcome(None, _reason(error))
    return _by_free(problem, problem.layout.flatten(slopes))


def all_slopes(
    problem: FitProblem, values: NDArray[np.float64], y: NDArray[np.float64] | None = None
) -> Outcome:
    """Derivatives (n_bins + n_constraints + n_stars, n_free) of the joint prediction by the free values: the
    predictor's own, else by central differences, or, where the prediction `y` there is known already, by
    differences to one side, for half as many predictions."""
    if not problem.is_extended:
        return predict_slopes(problem, values, y)
    predictor = problem.predictor
    if not isinstance(predictor, DifferentiableExtendedPredictor):
        return _finite_differences(problem, values, predict_all, y)
    try:
        found = predictor.extended_jacobian(problem.all_parameters(values), problem.free.moved)
    except BAD_TRIAL_ERRORS as error:
        return Outcome(None, _reason(error))
    return _by_free(problem, _joined(problem, found.heights, found.constraints, found.stars))


def _joined(problem: FitProblem, heights: Any, constraints: Any, stars: Any) -> NDArray[np.float64]:
    """Heights, constraints and stars end to end, (n, ...). Raises ValueError for wrong numbers of them."""
    p = problem.layout.flatten(heights)
    parts = [p]
    expected = {"constraints": len(problem.constraints), "stars": problem.n_stars}
    for (name, size), given in zip(expected.items(), (constraints, stars), strict=True):
        part = np.asarray(given, dtype=float)
        if part.shape != (size, *p.shape[1:]):
            raise ValueError(
                f"the prediction of {name} has shape {part.shape}; expected {(size, *p.shape[1:])}"
            )
        parts.append(part)
    return np.concatenate(parts)


def _by_free(problem: FitProblem, jacobian: NDArray[np.float64]) -> Outcome:
    """From derivatives by all that moves to those by the free parameters."""
    if jacobian.shape[1:] != (len(problem.free.moved),):
        raise ValueError(
            f"the predictor's derivatives have {jacobian.shape[1:]} columns; "
            f"they were asked for {len(problem.free.moved)} parameters"
        )
    jacobian = jacobian @ problem.free.moves
    if reason := _not_finite_in(problem, jacobian):
        return Outcome(None, f"derivatives: {reason}")
    return Outcome(jacobian)


def _finite_differences(
    problem: FitProblem,
    values: NDArray[np.float64],
    predicted: Callable[[FitProblem, NDArray[np.float64]], Outcome],
    here: NDArray[np.float64] | None,
) -> Outcome:
    """Central differences; with the prediction `here` at `values`, those to one side: upwards, or downwards
    where the upper bound is in the way or no model is found."""
    free, columns = problem.free, []
    for i, step in enumerate(RELATIVE_STEP * free.scale):

        def at(moved: float, i: int = i) -> tuple[float, Outcome]:
            shifted = values.copy()
            shifted[i] = np.clip(values[i] + moved, free.lower[i], free.upper[i])
            return shifted[i], predicted(problem, shifted)

        if here is None:
            ends = [at(-step), at(step)]
        else:
            ahead = at(step) if values[i] + step <= free.upper[i] else at(-step)
            ahead = at(-step) if ahead[1].array is None else ahead
            ends = [(values[i], Outcome(here)), ahead]
        (start, before), (end, after) = ends
        if before.array is None or after.array is None:
            return Outcome(None, f"derivatives by {free.names[i]}: {before.reason or after.reason}")
        columns.append((after.array - before.array) / (end - start))
    return Outcome(np.stack(columns, axis=1))


def _not_finite_in(problem: FitProblem, array: NDArray[np.float64]) -> str:
    """Where a joint prediction or its derivatives are not finite, in words; empty where they are."""
    n_bins = len(problem.layout.data)
    if reason := _not_finite(problem.layout, array[:n_bins]):
        return reason
    if len(array) == n_bins:
        return ""
    rows = array[n_bins:].reshape(len(array) - n_bins, -1)
    bad = np.logical_not(np.min(np.isfinite(rows), axis=1))
    outside, stars = bad[: len(problem.constraints)], bad[len(problem.constraints) :]
    if outside.any():
        return f"prediction not finite for {problem.constraints.labels[int(np.argmax(outside))]}"
    if stars.any():
        return (
            f"{int(stars.sum())} of {len(stars)} stars have no probability in the model; "
            "an outlier_fraction above zero gives them one"
        )
    return ""


def _not_finite(layout: BinLayout, array: NDArray[np.float64]) -> str:
    """Where an array (n_bins, ...) is not finite, in words; empty where it is."""
    finite: NDArray[np.bool_] = np.isfinite(array).reshape(len(array), -1).all(axis=1)  # type: ignore[assignment]
    bad = np.logical_not(finite)
    if not bad.any():
        return ""
    first = next(block for block in layout.blocks if bad[block.start : block.stop].any())
    name = layout.survey.regions[first.region].region.name
    return f"prediction not finite in {int(bad.sum())} bins, the first in region {name}, {first.observable}"


def _reason(error: Exception) -> str:
    first_line = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first_line[:300]}"
