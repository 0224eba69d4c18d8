"""How the derivatives of a prediction grow with the number of parameters."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measured import Measured, measure, peak_memory
from benchmarks.parts.chi2 import EDGES
from benchmarks.parts.model import ITERATIONS, NAME, settled_galaxy
from galactions.galaxy import named_model
from galactions.inference import PAPER_PARAMETERS
from galactions.inference.model_derivatives import DifferentiableModelPredictor
from galactions.inference.model_predictor import ModelPredictor
from galactions.inference.predictor import DifferentiablePredictor, Prediction
from galactions.inference.problem import RELATIVE_STEP
from galactions.projection import SurveyNodes
from galactions.survey.regions import paper_regions

NODES, REFERENCE = 2048, 4096
"""Nodes as in a fit, laid from few points: the time of a trial is looked at."""


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Derivatives of all heights in 30 regions by 1, 4 and all 15 of the paper's parameters, as a fit gets
    them: by the predictor itself, or where it has none by differences from the value, which is known by then;
    and the gradient of one number by all of them, backwards through the model. In place of an error stands
    what they take relative to the value.
    """
    regions = paper_regions()
    nodes = SurveyNodes.for_regions(
        settled_galaxy(folder), regions, [EDGES] * len(regions), nodes=NODES, reference=REFERENCE
    )
    spec = named_model(NAME)
    predictor = ModelPredictor(spec, nodes, ITERATIONS, ITERATIONS)
    value, here = measure("value", lambda: predictor.predict({}), repeats)
    assert value.seconds is not None
    own = isinstance(predictor, DifferentiablePredictor)
    task = "derivatives by parameters" if own else "derivatives by parameters, by differences"
    result = []
    for times in (1, 4, 15):
        names = PAPER_PARAMETERS[:times]
        about = {"size": times, "unit": "parameter", "growth": times}
        if isinstance(predictor, DifferentiablePredictor):
            derivatives = partial(predictor.jacobian, spec.parameters, names)
            figure, _ = measure(task, derivatives, 1, **about)
        else:  # all is compiled, and lasts long enough to be measured by one call
            figure, _ = measure(task, partial(_differences, predictor, here, names), 0, **about)
            figure = replace(figure, seconds=figure.first)
        assert figure.seconds is not None
        told = f"{figure.seconds / value.seconds:.1f} values of {value.seconds:.2f} s"
        result.append(replace(figure, error=told))
    back = DifferentiableModelPredictor(spec, nodes, ITERATIONS, ITERATIONS)
    task = f"gradient of one number by {len(PAPER_PARAMETERS)} parameters"
    figure, _ = measure(task, partial(_gradient, back), 1, size=len(PAPER_PARAMETERS), unit="parameter")
    assert figure.seconds is not None
    told = f"{figure.seconds / value.seconds:.1f} values of {value.seconds:.2f} s"
    return [*result, replace(figure, error=told, peak=peak_memory())]


def _gradient(predictor: DifferentiableModelPredictor) -> NDArray[np.float64]:
    """Of half the sum of all squared heights, as of a chi2 without data."""
    made = predictor.pulled(predictor.spec.parameters, PAPER_PARAMETERS)
    return made.pull(made.prediction.heights.p, np.zeros(0), np.zeros(0))


def _differences(predictor: ModelPredictor, here: Prediction, names: Sequence[str]) -> list[Any]:
    """Derivatives of all heights by each parameter, from one prediction for each."""
    columns = []
    for name in names:
        step = RELATIVE_STEP * predictor.spec.parameters[name]
        ahead = predictor.predict({name: predictor.spec.parameters[name] + step})
        there, start = (np.concatenate([np.concatenate(p.p[o]) for o in EDGES]) for p in (ahead, here))
        columns.append((there - start) / step)
    return columns
