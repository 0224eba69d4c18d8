"""One chi2 of a mock survey in the paper's 30 regions, with three iterations."""

from importlib.util import find_spec

from benchmarks.timing import Row


def rows() -> list[Row]:
    """The prediction that a trial of a fit needs; nothing where the projection is not part of the package."""
    if find_spec("galactions.projection") is None:
        return []
    import numpy as np

    import galactions as ga
    from benchmarks.timing import timed

    edges = {
        "v_los": np.linspace(-400, 400, 41),
        "pm_ra": np.linspace(-20, 20, 41),
        "pm_dec": np.linspace(-20, 20, 41),
    }

    def trial() -> object:
        galaxy = ga.build("Mc17a", iterations=3)
        prediction = ga.predict(galaxy, ga.paper_regions(), edges=edges)
        return {name: np.asarray(prediction.p[name][0]) for name in edges}

    first, best, _ = timed(trial, repeats=1)
    return [Row("one chi2: 3 iterations + 30 regions", first, best)]
