"""Outside constraints on a model: data with errors, and what the model predicts for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions.data.published import circular_velocity_curves
from galactions.errors import ConfigError
from galactions.inference.constraint_settings import (
    CircularVelocityData,
    ConstraintSettings,
    EnclosedMassData,
    EscapeSpeedData,
    LocalDensityData,
    SurfaceDensityData,
    TerminalVelocityData,
    VerticalForceData,
)
from galactions.inference.table import did_you_mean

if TYPE_CHECKING:
    from galactions.galaxy.iteration import Ingredients, State
    from galactions.galaxy.spec import ComponentSpec

Vector = NDArray[np.float64]
Predicted = Callable[["State", "Ingredients", Mapping[str, Any]], Any]
"""A JAX function of a model's state, its DFs, and its parameters: the predictions (m,)."""

_COORDINATES = ("R", "z", "z_max", "l", "r")

TOGETHER = ("total", "stars", "gas", "baryons", "dark")
"""Names by which densities of several components together are asked for."""


@dataclass(frozen=True, eq=False)
class Constraint:
    """One set of m data that a model predicts.

    labels: of each point, for reports. data, sigma (m,): values and their errors, systematic ones included.
    """

    name: str
    labels: tuple[str, ...]
    data: Vector
    sigma: Vector
    predicted: Predicted


@dataclass(frozen=True, eq=False)
class Constraints:
    """Several constraints as one: all their data end to end. Vectors have shape (n_data,)."""

    items: tuple[Constraint, ...] = ()

    def __len__(self) -> int:
        """n_data."""
        return sum(len(item.data) for item in self.items)

    @property
    def data(self) -> Vector:
        return np.concatenate([np.zeros(0), *(item.data for item in self.items)])

    @property
    def sigma(self) -> Vector:
        return np.concatenate([np.zeros(0), *(item.sigma for item in self.items)])

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{item.name}, {label}" for item in self.items for label in item.labels)

    def predicted(self, state: "State", ingredients: "Ingredients", parameters: Mapping[str, Any]) -> Any:
        """All predictions, as a JAX function."""
        import jax.numpy as jnp

        parts = [item.predicted(state, ingredients, parameters) for item in self.items]
        return jnp.concatenate([jnp.zeros(0), *parts])

    def residuals(self, predicted: Any) -> Any:
        """(predicted - data)/sigma; half their sum of squares is minus ln likelihood."""
        return (predicted - self.data) / self.sigma

    def chi2(self, predicted: Vector) -> dict[str, float]:
        """chi2 of each constraint, by its name."""
        terms = self.residuals(predicted) ** 2
        ends = np.cumsum([0, *(len(item.data) for item in self.items)])
        return {
            item.name: float(np.sum(terms[start:stop]))
            for item, start, stop in zip(self.items, ends[:-1], ends[1:], strict=True)
        }

    @classmethod
    def of(
        cls, settings: Sequence[ConstraintSettings], components: tuple["ComponentSpec", ...]
    ) -> "Constraints":
        """The constraints of a configuration on a model of these components.

        Raises ConfigError for tables and components that do not exist, and for tables without a point in the
        range asked for.
        """
        items: list[Constraint] = []
        for number, one in enumerate(settings):
            item = _constraint(one, components, f"fit.constraints.{number}")
            same = sum(item.name == other.name for other in items)
            items.append(
                Constraint(f"{item.name} {same + 1}", item.labels, item.data, item.sigma, item.predicted)
                if same
                else item
            )
        return cls(tuple(items))


def _constraint(
    settings: ConstraintSettings, components: tuple["ComponentSpec", ...], key: str
) -> Constraint:
    if isinstance(settings, CircularVelocityData):
        columns, data, sigma = _curve(settings, key)
    else:
        data, sigma = (_spread(a, settings.size) for a in (settings.value, settings.sigma))
        columns = {
            column: _spread(item, settings.size)
            for column, item in settings
            if column in _COORDINATES and item is not None
        }
    of = getattr(settings, "of", "")
    names = _components(of, components, key) if of else ()
    table = getattr(settings, "table", "")
    name = settings.name or settings.kind.replace("_", " ") + (f" of {of or table}" if of or table else "")
    labels = tuple(
        ", ".join(f"{column} = {values[i]:g}" for column, values in columns.items()) or f"value {i + 1}"
        for i in range(len(data))
    )
    floor = settings.systematic**2 + (settings.systematic_fraction * data) ** 2
    return Constraint(name, labels, data, np.sqrt(sigma**2 + floor), _prediction(settings, columns, names))


def _prediction(
    settings: ConstraintSettings, columns: Mapping[str, Vector], names: Sequence[str]
) -> Predicted:
    """What predicts data of these settings at the coordinates `columns`, for the components `names`."""

    def predicted(state: "State", ingredients: "Ingredients", parameters: Mapping[str, Any]) -> Any:
        from galactions.inference import constraint_predictions as predict

        every = np.ones(settings.size)
        at = {"R": every * parameters["d_sun"], **columns}
        if isinstance(settings, CircularVelocityData):
            return predict.circular_velocity(state, at["R"])
        if isinstance(settings, LocalDensityData):
            return predict.local_density(state, names, at["R"], at["z"])
        if isinstance(settings, SurfaceDensityData):
            return predict.surface_density(state, names, at["R"], at["z_max"])
        if isinstance(settings, VerticalForceData):
            return predict.vertical_force(state, at["R"], at["z"])
        if isinstance(settings, TerminalVelocityData):
            return predict.terminal_velocity(state, parameters, at["l"], settings.solar_motion)
        if isinstance(settings, EnclosedMassData):
            return predict.enclosed_mass(state, at["r"])
        if isinstance(settings, EscapeSpeedData):
            return predict.escape_speed(state, at["R"], at["z"], settings.limit_r200)
        return predict.virial_mass(state) * every

    return predicted


def _spread(values: Sequence[float], size: int) -> Vector:
    return np.array(np.broadcast_to(np.array(values, dtype=float), size))


def _curve(settings: CircularVelocityData, key: str) -> tuple[dict[str, Vector], Vector, Vector]:
    """The radii R, v_circ and its error of a circular-velocity constraint."""
    if settings.table:
        curves = {curve.name: curve for curve in circular_velocity_curves()}
        if settings.table not in curves:
            raise ConfigError(
                f"{key}.table: unknown name {settings.table!r}{did_you_mean(settings.table, curves)} "
                f"allowed: {', '.join(curves)}"
            )
        curve = curves[settings.table]
        trusted = curve.reliable
        R, data = curve.R[trusted], curve.v_c[trusted]
        sigma = 0.5 * (curve.err_minus + curve.err_plus)[trusted]
    else:
        R, data, sigma = (_spread(a, settings.size) for a in (settings.R, settings.value, settings.sigma))
    within = np.clip(R, settings.r_min, settings.r_max) == R
    if not within.any():
        raise ConfigError(
            f"{key}: no point lies between r_min = {settings.r_min:g} and r_max = {settings.r_max:g} kpc; "
            f"its radii are {R.min():g} to {R.max():g} kpc"
        )
    return {"R": R[within]}, data[within], sigma[within]


def _components(of: str, components: tuple["ComponentSpec", ...], key: str) -> tuple[str, ...]:
    """The components meant by `of`."""
    chosen = {
        "total": components,
        "dark": [c for c in components if c.dark],
        "baryons": [c for c in components if not c.dark],
        "stars": [c for c in components if not c.dark and c.df is not None],
        "gas": [c for c in components if not c.dark and c.df is None],
    }.get(of, [c for c in components if c.name == of])
    if not chosen:
        allowed = (*TOGETHER, *(c.name for c in components))
        raise ConfigError(
            f"{key}.of: the model has no component {of!r}{did_you_mean(of, allowed)} "
            f"allowed: {', '.join(allowed)}"
        )
    return tuple(c.name for c in chosen)
