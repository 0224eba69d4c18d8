"""Derivatives of all that a model predicts, by forward mode through the whole of it, and gradients of one
number, by reverse mode."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galactions.inference.model_predictor import ModelPredictor
from galactions.inference.predictor import ExtendedPrediction, ExtendedSlopes, PulledPrediction


@dataclass(frozen=True, eq=False)
class DifferentiableModelPredictor(ModelPredictor):
    """A `ModelPredictor` with exact derivatives: through the making of the DFs, all iterations and the
    projection. With `iterations = "auto"` they are those of the settled model, by the implicit function
    theorem (`galactions.galaxy.iteration.settle`), to about a thousandth.

    Forwards (`jacobian`) each parameter costs two to three times what a prediction does, and memory does not
    grow with their number. Backwards (`pulled`) the gradient of one number costs five predictions with one
    iteration, seven or eight with three, whatever the number of parameters. Where the tables themselves have
    kinks (by the parameters of a halo) differences over a thousandth of a parameter are off from the
    derivative by about a per cent.
    """

    costly: ClassVar[bool] = True

    def jacobian(
        self, parameters: Mapping[str, float], names: Sequence[str]
    ) -> Mapping[str, list[NDArray[np.float64]]]:
        """See `galactions.inference.predictor.DifferentiablePredictor`. Raises ModelError where the
        parameters make no model."""
        (cells,) = _columns(lambda values: self._seen(values)[:1], parameters, names)
        return self.nodes.bins.split(cells)

    def extended_jacobian(self, parameters: Mapping[str, float], names: Sequence[str]) -> ExtendedSlopes:
        """The same of heights, constraints and stars."""
        cells, constraints, stars = _columns(self._seen, parameters, names)
        return ExtendedSlopes(self.nodes.bins.split(cells), constraints, stars)

    def pulled(self, parameters: Mapping[str, float], names: Sequence[str]) -> PulledPrediction:
        """See `galactions.inference.predictor.ReversiblePredictor`. Raises ModelError where the parameters
        make no model."""
        import jax
        import jax.numpy as jnp

        from galactions.numerics.program import reverse_mode

        values = {name: jnp.asarray(value, float) for name, value in self._checked(parameters).items()}

        def predicted(moved: Mapping[str, Any]) -> tuple[tuple[Any, Any, Any], Any]:
            view, outside, stars = self.parts({**values, **moved})
            found = self.nodes.heights(view)
            return (found.p, outside, stars), found

        with reverse_mode():
            (_, outside, stars), back, found = jax.vjp(
                predicted, {name: values[name] for name in names}, has_aux=True
            )

        def pull(
            by_heights: Mapping[str, Sequence[ArrayLike]], by_constraints: ArrayLike, by_stars: ArrayLike
        ) -> NDArray[np.float64]:
            by_cells = jnp.asarray(self.nodes.bins.joined(by_heights))
            (by_values,) = back((by_cells, jnp.asarray(by_constraints), jnp.asarray(by_stars)))
            return np.array([by_values[name] for name in names], dtype=float)

        return PulledPrediction(ExtendedPrediction(self.nodes.told(found), outside, stars), pull)

    def _seen(self, values: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Heights of all cells, what is predicted for the constraints, and ln p of the stars."""
        view, outside, stars = self.parts(values)
        return self.nodes.heights(view).p, outside, stars


def _columns(
    function: Callable[[Mapping[str, Any]], tuple[Any, ...]],
    parameters: Mapping[str, float],
    names: Sequence[str],
) -> tuple[NDArray[np.float64], ...]:
    """Derivatives (n, len(names)) of each result (n,) of a function of all parameters by those named."""
    import jax
    import jax.numpy as jnp

    values = {name: jnp.asarray(value, float) for name, value in parameters.items()}
    columns = []
    for name in names:
        # One pattern of tangents, and so one program, for all parameters.
        along = {key: jnp.asarray(float(key == name)) for key in values}
        columns.append(jax.jvp(function, (values,), (along,))[1])
    return tuple(np.stack([np.asarray(a) for a in parts], axis=-1) for parts in zip(*columns, strict=True))
