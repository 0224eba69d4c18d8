"""What a fit needs of a model: predicted bin heights for given parameters, and what it makes of more than
that."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Prediction(Protocol):
    """Predicted histograms. Region k counts over *all* regions of the survey, also the unused ones (never
    read).

    `p[observable][k]` (n_bins,): fraction of the region's stars in each bin; `error[observable][k]`
    (n_bins,): its own uncertainty; `ess[k]`: effective sample size of region k.
    """

    @property
    def p(self) -> Mapping[str, Sequence[ArrayLike]]: ...

    @property
    def error(self) -> Mapping[str, Sequence[ArrayLike]]: ...

    @property
    def ess(self) -> Sequence[Any]: ...


class Predictor(Protocol):
    """Turns a full set of named parameters into a `Prediction`.

    `predict` may raise ValueError, ArithmeticError, RuntimeError or numpy's LinAlgError for parameters that
    make no model, or return values that are not finite: a fit counts these as failed trials.
    """

    def predict(self, parameters: Mapping[str, float]) -> Prediction: ...


@runtime_checkable
class DifferentiablePredictor(Protocol):
    """A predictor that also gives derivatives of its bin heights.

    One whose derivatives by n parameters cost no less than n predictions says so by `costly = True`.
    """

    def jacobian(
        self, parameters: Mapping[str, float], names: Sequence[str]
    ) -> Mapping[str, Sequence[ArrayLike]]:
        """dp/dparameter at `parameters`: `[observable][k]` of shape (n_bins, len(names)), k as in
        `Prediction`."""
        ...


@dataclass(frozen=True, eq=False)
class ExtendedPrediction:
    """A prediction of more than histograms.

    heights: the histograms. constraints (n_constraints,): what is predicted for the outside constraints, in
    the order of `Constraints`. stars (n_stars,): ln p(velocity | position) of each star.
    """

    heights: Prediction
    constraints: ArrayLike
    stars: ArrayLike


@runtime_checkable
class ExtendedPredictor(Protocol):
    """A predictor that knows of outside constraints and single stars. Raises as `Predictor.predict`."""

    def extended(self, parameters: Mapping[str, float]) -> ExtendedPrediction: ...


@dataclass(frozen=True, eq=False)
class ExtendedSlopes:
    """Derivatives by k parameters: of the heights as in `DifferentiablePredictor.jacobian`, of the
    constraints (n_constraints, k) and of the stars' ln p (n_stars, k)."""

    heights: Mapping[str, Sequence[ArrayLike]]
    constraints: ArrayLike
    stars: ArrayLike


@runtime_checkable
class DifferentiableExtendedPredictor(Protocol):
    """An extended predictor with derivatives of all that it predicts."""

    def extended_jacobian(self, parameters: Mapping[str, float], names: Sequence[str]) -> ExtendedSlopes: ...


@dataclass(frozen=True, eq=False)
class PulledPrediction:
    """A prediction with the way back from it.

    pull: from the derivatives of any number by all that is predicted, those by its heights (as
    `Prediction.p`), its constraints (n_constraints,) and its stars (n_stars,), to that number's derivatives
    by the parameters (n_names,).
    """

    prediction: ExtendedPrediction
    pull: Callable[[Mapping[str, Sequence[ArrayLike]], ArrayLike, ArrayLike], NDArray[np.float64]]


@runtime_checkable
class ReversiblePredictor(Protocol):
    """A predictor that gives the gradient of a number at a cost that does not grow with the parameters."""

    def pulled(self, parameters: Mapping[str, float], names: Sequence[str]) -> PulledPrediction:
        """The prediction at `parameters`, and the way back to those with these `names`. Raises as
        `Predictor.predict`."""
        ...


@dataclass(frozen=True)
class FinalModel:
    """The model rebuilt at the best parameters.

    prediction: its histograms. galaxy: what `galaxy.json` of the run folder shall hold (plain numbers,
    strings, lists and dicts), empty where there is nothing to tell.
    """

    prediction: Prediction
    galaxy: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class FinalPredictor(Protocol):
    """A predictor that rebuilds its best model more carefully than its trials (ten iterations, section 3.1
    (5))."""

    def final(self, parameters: Mapping[str, float]) -> FinalModel: ...


@runtime_checkable
class TrialModelPredictor(Protocol):
    """A predictor that tells more of a trial's model than its histograms: what posterior bands show."""

    def trial_model(self, parameters: Mapping[str, float]) -> FinalModel:
        """The model built as for a trial, with its histograms and what `galaxy.json` would tell of it."""
        ...


BAD_TRIAL_ERRORS: tuple[type[Exception], ...] = (ValueError, ArithmeticError, RuntimeError)
"""Errors by which a predictor says that parameters make no model (ModelError and LinAlgError are
ValueErrors). Others, TypeError say, are mistakes in a program, and end the fit."""
