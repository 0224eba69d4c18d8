"""A fit problem: a predictor, a survey and free parameters, and what one trial of it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions.inference.bins import BinLayout, bin_layout
from galactions.inference.parameters import FreeParameters, free_parameters
from galactions.inference.predictor import BAD_TRIAL_ERRORS, DifferentiablePredictor, Predictor
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
        return isinstance(self.predictor, DifferentiablePredictor)

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


def predict_slopes(problem: FitProblem, values: NDArray[np.float64]) -> Outcome:
    """dp/dparameter (n_bins, n_free) at free values: the predictor's own, else by central differences."""
    predictor = problem.predictor
    if not isinstance(predictor, DifferentiablePredictor):
        return _finite_differences(problem, values)
    try:
        slopes = predictor.jacobian(problem.all_parameters(values), problem.free.moved)
    except BAD_TRIAL_ERRORS as error:
        return Outcome(None, _reason(error))
    jacobian = problem.layout.flatten(slopes)
    if jacobian.shape[1:] != (len(problem.free.moved),):
        raise ValueError(
            f"the predictor's derivatives have {jacobian.shape[1:]} columns; "
            f"they were asked for {len(problem.free.moved)} parameters"
        )
    jacobian = jacobian @ problem.free.moves
    if reason := _not_finite(problem.layout, jacobian):
        return Outcome(None, f"derivatives: {reason}")
    return Outcome(jacobian)


def _finite_differences(problem: FitProblem, values: NDArray[np.float64]) -> Outcome:
    steps = RELATIVE_STEP * problem.free.scale
    columns = []
    for i, step in enumerate(steps):
        ends = np.clip([values[i] - step, values[i] + step], problem.free.lower[i], problem.free.upper[i])
        heights = []
        for end in ends:
            shifted = values.copy()
            shifted[i] = end
            outcome = predict_heights(problem, shifted)
            if outcome.array is None:
                return Outcome(None, f"derivatives by {problem.free.names[i]}: {outcome.reason}")
            heights.append(outcome.array)
        columns.append((heights[1] - heights[0]) / (ends[1] - ends[0]))
    return Outcome(np.stack(columns, axis=1))


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
