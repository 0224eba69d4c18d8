"""Nelder & Mead's (1965) simplex search, the paper's optimiser: no derivatives, bounds by transformation."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from galactions.inference.parameters import FreeParameters


def nelder_mead(
    chi2: Callable[[NDArray[np.float64]], float],
    free: FreeParameters,
    start: NDArray[np.float64],
    *,
    step: float,
    chi2_tolerance: float,
    parameter_tolerance: float = 0.01,
) -> tuple[NDArray[np.float64], bool]:
    """Where `chi2(values)` is least near `start` (n_free,), and whether the search ended by its own
    criterion.

    The simplex moves in unbounded coordinates (`FreeParameters.to_unbounded`), so that no trial leaves the
    bounds; coefficients adapt to the number of parameters (Gao & Han 2012). `step`: size of the first
    simplex, relative to the parameters. Ends when all its corners agree within `chi2_tolerance` in chi2
    and, about relative, within `parameter_tolerance` in every parameter. Failed trials are +inf.
    Deterministic.
    """
    from scipy.optimize import minimize

    origin = free.to_unbounded(start)
    simplex = np.vstack([origin, origin + step * np.eye(len(origin))])
    result = minimize(
        lambda u: chi2(free.from_unbounded(u)),
        origin,
        method="Nelder-Mead",
        options={
            "initial_simplex": simplex,
            "adaptive": True,
            "fatol": chi2_tolerance,
            "xatol": parameter_tolerance,
            "maxiter": 10**9,  # the budget is the recorder's, which raises
            "maxfev": 10**9,
        },
    )
    return free.from_unbounded(result.x), bool(result.success)
