"""One chi2 of a mock survey in the paper's 30 regions: with three iterations, as the paper, and begun near a
settled model."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measured import BEGAN, Measured, measure, peak_memory
from benchmarks.parts.model import ITERATIONS, NAME

if TYPE_CHECKING:
    from galactions.projection import Prediction

EDGES = {
    "v_los": np.linspace(-400, 400, 41),
    "pm_ra": np.linspace(-20, 20, 41),
    "pm_dec": np.linspace(-20, 20, 41),
}
ALL = "fresh process to first chi2"
TRIAL = {"sigma_r0_thin": 67.0, "Sigma0_thin": 9.4e8, "r0_halo": 20.2}
"""A trial's parameters, some 5% from those of the settled model that it is begun near."""


def figures(folder: Path, repeats: int) -> list[Measured]:
    """What a trial of a fit needs, whole and its projection alone; the nodes laid once for all trials; and
    all of it from a fresh process, imports and compilation included. The error is that of the heights of
    bins with a star or more, in units of the data's (as many stars as in Table 1): that of the nodes, and for
    trials begun near a settled model how far from settled they are (rms).
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
    trial = replace(trial, error=f"{np.median(sigma):.2g} of the data's, worst histogram {np.max(sigma):.2g}")
    seen, _ = measure("its projection alone", lambda: nodes.predict(reference), repeats)
    settled = replace(predictor, iterations="auto").predict(TRIAL)
    after = {"3 iterations": predictor.predict(TRIAL)}
    near = ga.build(spec, iterations="auto")
    begun = []
    for number, words in ((1, "1 iteration"), (2, "2 iterations")):
        warm = replace(predictor, near=near, iterations=number)
        found, after[words] = measure(
            f"one chi2: begun near, {words} + 30 regions", lambda warm=warm: warm.predict(TRIAL), repeats
        )
        begun.append(found)
    off = {words: _rms(one, settled, stars) for words, one in after.items()}
    trial = replace(trial, error=f"{trial.error}; {off['3 iterations']:.2g} from settled")
    begun = [
        replace(one, error=f"{off[words]:.2g} from settled")
        for one, words in zip(begun, ("1 iteration", "2 iterations"), strict=True)
    ]
    return [
        Measured(ALL, first=whole, peak=peak_memory()),
        Measured(f"{ALL}, without laying nodes", first=whole - laid.first),
        laid,
        trial,
        *begun,
        replace(seen, size=nodes.nodes.seen.shape[1], unit="node"),
    ]


def _rms(one: "Prediction", other: "Prediction", stars: Sequence[int]) -> float:
    """Difference of two predictions in units of the data's errors, over bins with a star or more."""
    terms = []
    for name, regions in other.p.items():
        for p, q, n in zip(regions, one.p[name], stars, strict=True):
            some = p * n > 1
            terms.append((q - p)[some] ** 2 * n / (p * (1 - p))[some])
    return float(np.sqrt(np.mean(np.concatenate(terms))))
