"""One chi2 of a mock survey in the paper's 30 regions, with three iterations."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measured import BEGAN, Measured, measure, peak_memory
from benchmarks.parts.model import ITERATIONS, NAME

EDGES = {
    "v_los": np.linspace(-400, 400, 41),
    "pm_ra": np.linspace(-20, 20, 41),
    "pm_dec": np.linspace(-20, 20, 41),
}
ALL = "fresh process to first chi2"


def figures(folder: Path, repeats: int) -> list[Measured]:
    """What a trial of a fit needs, whole and its projection alone; the nodes laid once for all trials; and
    all of it from a fresh process, imports and compilation included. The error is that of the heights of
    bins with a star or more, in units of the data's (as many stars as in Table 1).
    """
    import galactions as ga
    from galactions.inference.model_predictor import ModelPredictor
    from galactions.projection import SurveyNodes

    regions = ga.paper_regions()
    stars = [region.count or 0 for region in regions]
    spec = ga.named_model(NAME)
    reference = ga.build(spec, iterations=1)
    laid, nodes = measure(
        "nodes of 30 regions, once a fit",
        lambda: SurveyNodes.for_regions(reference, regions, [EDGES] * len(regions), stars=stars),
        repeats=0,
    )
    predictor = ModelPredictor(spec, nodes, iterations=ITERATIONS, final_iterations=ITERATIONS)
    task = f"one chi2: {ITERATIONS} iterations + 30 regions"
    started = time.perf_counter()
    trial, prediction = measure(task, lambda: predictor.predict({}), repeats)
    assert laid.first is not None
    assert trial.first is not None
    whole = started - BEGAN + trial.first
    sigma = [
        np.median(prediction.error[name][k][some] / np.sqrt(p[some] * (1 - p[some]) / stars[k]))
        for name in EDGES
        for k, p in enumerate(prediction.p[name])
        if (some := p * stars[k] > 1).any()
    ]
    told = f"{np.median(sigma):.2g} of the data's, worst histogram {np.max(sigma):.2g}"
    seen, _ = measure("its projection alone", lambda: nodes.predict(reference), repeats)
    return [
        Measured(ALL, first=whole, peak=peak_memory()),
        Measured(f"{ALL}, without laying nodes", first=whole - laid.first),
        laid,
        replace(trial, error=told),
        replace(seen, size=nodes.nodes.seen.shape[1], unit="node"),
    ]
