"""Derivatives that were evaluated once: kept, handed on, and corrected by what a search sees on its way."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.inference.lock import RunFolderError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives (m, n) of the joint prediction (m,) by the free parameters, evaluated at `values` (n,),
    with the prediction there."""

    values: Vector
    prediction: Vector
    array: Matrix

    def save(self, path: Path) -> None:
        """Writes them, atomically."""
        with replacing(path) as part, part.open("wb") as stream:
            np.savez(stream, values=self.values, prediction=self.prediction, array=self.array)

    @classmethod
    def load(cls, path: Path) -> "Slopes":
        """What `save` wrote. Raises RunFolderError for a file that cannot be read."""
        try:
            with np.load(path) as arrays:
                return cls(*(np.asarray(arrays[key], float) for key in ("values", "prediction", "array")))
        except (OSError, KeyError, ValueError) as error:
            raise RunFolderError(
                f"{path}: the derivatives in it cannot be read ({error}); remove the file to do without them"
            ) from None


BEGUN_WITH = "slopes_begun_with.npz"
"""Derivatives that were handed to a run, in its folder."""


def begun_with(folder: Path, slopes: Slopes | None, *, begun: bool) -> Slopes | None:
    """The derivatives that the run in `folder` begins with: those handed to it before it had `begun`, which
    are kept for when it is taken up."""
    path = folder / BEGUN_WITH
    if path.exists():
        return Slopes.load(path)
    if slopes is None or begun:
        return None
    slopes.save(path)
    return slopes


def corrected(slopes: Matrix, step: Vector, change: Vector, metric: Matrix) -> Matrix:
    """Derivatives (m, n), changed as little as makes them agree with the `change` (m,) that was seen over a
    `step` (n,): the rank-one update of Broyden (1965, Math. Comp. 19, 577).

    metric (n, n), positive semidefinite, says in which measure directions are at right angles: with the
    information of the data the update is the same in any parametrisation. A small part of its own diagonal
    is added, for directions that the data leave free.
    """
    diagonal = np.diag(metric)
    along = metric @ step + 1e-6 * np.where(diagonal > 0, diagonal, 1.0) * step
    length = float(step @ along)
    if not (length > 0.0 and np.all(np.isfinite(change))):
        return slopes
    return slopes + np.outer(change - slopes @ step, along / length)
