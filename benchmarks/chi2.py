"""One chi2 of a mock survey in the paper's 30 regions, with three iterations."""

from importlib.util import find_spec

from benchmarks.timing import Row


def rows() -> list[Row]:
    """The prediction that a trial of a fit needs, whole and without its model, and the nodes laid once for
    all trials; nothing where the projection is not part of the package.
    """
    if find_spec("galactions.projection") is None:
        return []
    import numpy as np

    import galactions as ga
    from benchmarks.timing import timed
    from galactions.inference.model_predictor import ModelPredictor
    from galactions.projection import SurveyNodes

    edges = {
        "v_los": np.linspace(-400, 400, 41),
        "pm_ra": np.linspace(-20, 20, 41),
        "pm_dec": np.linspace(-20, 20, 41),
    }
    regions = ga.paper_regions()
    stars = [region.count or 0 for region in regions]
    spec = ga.named_model("Mc17a")
    galaxy = ga.build(spec, iterations=1)
    first_laid, laid, nodes = timed(
        lambda: SurveyNodes.for_regions(galaxy, regions, [edges] * len(regions), stars=stars), repeats=1
    )
    predictor = ModelPredictor(spec, nodes, iterations=3, final_iterations=3)
    first, best, prediction = timed(lambda: predictor.predict({}), repeats=1)
    first_seen, seen, _ = timed(lambda: nodes.predict(galaxy))
    sigma = [
        np.median(prediction.error[name][k][some] / np.sqrt(p[some] * (1 - p[some]) / stars[k]))
        for name in edges
        for k, p in enumerate(prediction.p[name])
        if (some := p * stars[k] > 1).any()
    ]
    error = f"{np.median(sigma):.2g} of the data's, worst histogram {np.max(sigma):.2g}"
    return [
        Row("nodes of 30 regions, once a fit", first_laid, laid),
        Row("one chi2: 3 iterations + 30 regions", first, best, error=error),
        Row("its projection alone", first_seen, seen, note=f"{nodes.nodes.seen.shape[1]} nodes"),
    ]
