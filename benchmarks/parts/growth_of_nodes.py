"""How time, memory and error go with the number of nodes of the projection."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measured import Measured, measure
from benchmarks.parts.chi2 import EDGES
from benchmarks.parts.model import ITERATIONS, NAME, settled_galaxy
from galactions.galaxy import build, named_model
from galactions.projection import SurveyNodes
from galactions.projection.prediction import Prediction
from galactions.survey.regions import paper_regions

LEAST, REFERENCE = 512, 8192
AWAY = {"sigma_r0_thin": 1.1, "R_sigma_thin": 0.9, "sigma_z0_thick": 1.1, "Sigma0_thin": 0.95}
"""Factors that make another model of the one that the nodes are calibrated to."""


def figures(folder: Path, repeats: int) -> list[Measured]:
    """30 regions with nodes x1, x4, x16, the last of which are all that there are to choose from; the error
    is the difference from these for a model some 10% off the one that the nodes were laid for, in units of
    the data's errors.
    """
    reference = settled_galaxy(folder)
    spec = named_model(NAME)
    changed = {name: factor * spec.parameters[name] for name, factor in AWAY.items()}
    away = build(spec.replace(**changed), iterations=ITERATIONS)
    regions = paper_regions()
    stars = [region.count or 0 for region in regions]
    result, found = [], []
    for times in (1, 4, 16):
        nodes = SurveyNodes.for_regions(
            reference,
            regions,
            [EDGES] * len(regions),
            nodes=LEAST * times,
            reference=REFERENCE,
            stars=stars,
        )
        seen, prediction = measure(
            "projection of nodes",
            lambda nodes=nodes: nodes.predict(away),
            repeats,
            size=nodes.nodes.seen.shape[1],
            unit="node",
            growth=times,
        )
        result.append(seen)
        found.append(prediction)
    return [
        replace(one, error=f"{_off(prediction, found[-1], stars):.2g} of the data's, rms")
        for one, prediction in zip(result[:-1], found, strict=False)
    ] + result[-1:]


def _off(one: Prediction, other: Prediction, stars: list[int]) -> float:
    """Root mean square of the differences of heights over the data's errors, where a star or more is."""
    squares = []
    for name in EDGES:
        for k, n in enumerate(stars):
            a, b = np.asarray(one.p[name][k]), np.asarray(other.p[name][k])
            some = b * n > 1
            squares.append((a - b)[some] ** 2 * n / (b * (1 - b))[some])
    return float(np.sqrt(np.mean(np.concatenate(squares))))
