"""Errors of measurement that are correlated, as those of parallax and proper motion in Gaia are."""

import numpy as np

from galactions.errors import CatalogueError
from galactions.survey.stars import FloatArray


def correlated_normals(correlations: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Three standard normal variates for each star, (3, N), with its correlations r01, r02, r12 (3, N).

    Raises CatalogueError for correlations that no three variates can have.
    """
    return correlate(rng.standard_normal((3, correlations.shape[1])), correlations)


def correlate(normals: FloatArray, correlations: FloatArray) -> FloatArray:
    """Independent standard normal variates (3, ..., N) given the correlations r01, r02, r12 (3, N), by the
    Cholesky factor. Raises CatalogueError for correlations that no three variates can have.
    """
    r01, r02, r12 = correlations
    rest = 1.0 - r01**2
    with np.errstate(invalid="ignore", divide="ignore"):
        along = np.where(rest > 0, (r12 - r01 * r02) / np.sqrt(rest), 0.0)
    last = 1.0 - r02**2 - along**2
    if bad := int(np.sum(~((rest >= 0) & (last >= -1e-9)))):
        raise CatalogueError(f"{bad} stars have correlations that are not possible together, or not known")
    a, b, c = normals
    return np.stack(
        [a, r01 * a + np.sqrt(rest) * b, r02 * a + along * b + np.sqrt(np.clip(last, 0.0, None)) * c]
    )
