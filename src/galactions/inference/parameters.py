"""Named free parameters: their bounds, and the vectors in which optimisers see them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galactions.errors import ConfigError
from galactions.inference.priors import Prior, Priors, PriorSettings
from galactions.inference.settings import TieSettings
from galactions.inference.table import did_you_mean

DEFAULT_BOUNDS: Mapping[str, tuple[float, float]] = {
    "Sigma0_": (1e6, 1e11),
    "R_d_": (0.5, 20.0),
    "h_": (0.02, 5.0),
    "rho0_": (1e4, 1e12),
    "r0_": (0.05, 200.0),
    "d_sun": (6.5, 10.0),
    "sigma_r0_": (2.0, 500.0),
    "sigma_z0_": (2.0, 500.0),
    "R_sigma_": (1.5, 200.0),
    "u_sun": (-50.0, 50.0),
    "v_sun": (-50.0, 50.0),
    "w_sun": (-50.0, 50.0),
    "z_sun": (-0.2, 0.2),
    "v0_sun": (150.0, 300.0),
    "distance_scale": (0.5, 2.0),
    "outlier_fraction": (1e-6, 0.5),
    "outlier_sigma": (50.0, 500.0),
}
"""Bounds by how a name begins (Msun/kpc^2, kpc, kpc, Msun/kpc^3, kpc, kpc, km/s, km/s, kpc; of the Sun km/s
and kpc): wide enough for all models of Table 2, narrow enough to keep a search away from what cannot be
built."""


@dataclass(frozen=True)
class FreeParameter:
    """A parameter that the fit may change: its name, where it starts, what it may become (either end
    infinite), and what is known of it beforehand (default: uniform between its bounds)."""

    name: str
    start: float
    lower: float
    upper: float
    prior: Prior | None = None


@dataclass(frozen=True)
class Tie:
    """The parameter `name` is `factor` times the parameter `to`."""

    name: str
    to: str
    factor: float = 1.0


@dataclass(frozen=True)
class FreeParameters:
    """The free parameters of a fit, in order, and others that follow them or fixed ones. All vectors below
    have shape (n_free,), or (..., n_free) where this is said."""

    items: tuple[FreeParameter, ...]
    ties: tuple[Tie, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.items)

    @property
    def start(self) -> NDArray[np.float64]:
        return np.array([item.start for item in self.items])

    @cached_property
    def lower(self) -> NDArray[np.float64]:
        return _fixed([item.lower for item in self.items])

    @cached_property
    def upper(self) -> NDArray[np.float64]:
        return _fixed([item.upper for item in self.items])

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """A typical size of each: its start, or the width of its bounds where it starts at zero."""
        sizes = np.abs(self.start)
        widths = np.where(np.isfinite(self.upper - self.lower), self.upper - self.lower, 1.0)
        return _fixed(np.where(sizes > 0, sizes, widths))

    def named(self, values: NDArray[np.float64]) -> dict[str, float]:
        """The vector of values as a dict."""
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}

    def complete(self, parameters: Mapping[str, float], values: NDArray[np.float64]) -> dict[str, float]:
        """All of a model's `parameters` with the free ones set to `values`, and the tied ones after them."""
        return {name: float(value) for name, value in self.completed(parameters, values).items()}

    def completed(
        self, parameters: Mapping[str, float], values: NDArray[np.float64]
    ) -> dict[str, float | NDArray[np.float64]]:
        """As `complete`, of many `values` (..., n_free) at once: those that move have shape (...,)."""
        found: dict[str, float | NDArray[np.float64]] = dict(parameters)
        found.update({name: values[..., i] for i, name in enumerate(self.names)})
        return {**found, **{tie.name: tie.factor * found[tie.to] for tie in self.ties}}

    @cached_property
    def moved(self) -> tuple[str, ...]:
        """Names of all parameters that change with the free ones: these, then those tied to them."""
        return (*self.names, *(tie.name for tie in self.ties if tie.to in self.names))

    @cached_property
    def moves(self) -> NDArray[np.float64]:
        """Derivatives (n_moved, n_free) of the `moved` parameters by the free ones."""
        names = self.names
        following = [tie for tie in self.ties if tie.to in names]
        rows = [tie.factor * np.eye(len(names))[names.index(tie.to)] for tie in following]
        return _fixed(np.vstack([np.eye(len(names)), *rows]))

    def to_unbounded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (..., n_free) to coordinates that run over all real numbers.

        With two bounds, log((x - lower)/(upper - x)); with one, the logarithm of the distance from it; with
        none, x/scale. Near the middle of wide positive bounds a step of 0.1 is a change by about 10%.
        """
        above, below = values - self.lower, self.upper - values
        with np.errstate(divide="ignore"):
            log_above = np.log(np.where(np.isfinite(above), above, 1.0))
            log_below = np.log(np.where(np.isfinite(below), below, 1.0))
        bounded = np.isfinite(self.lower) | np.isfinite(self.upper)
        return np.where(bounded, log_above - log_below, values / self.scale)

    def from_unbounded(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of `to_unbounded`: always within the bounds (at most, by rounding, on them)."""
        from scipy.special import expit

        u = np.minimum(np.maximum(coordinates, -700.0), 700.0)  # beyond these exp() overflows
        has_lower, has_upper, lower, upper = self._ends
        one = np.where(has_lower, lower + np.exp(u), upper - np.exp(-u))
        values = np.where(has_lower | has_upper, one, u * self.scale)
        values = np.where(has_lower & has_upper, lower + (upper - lower) * expit(u), values)
        return np.asarray(np.minimum(np.maximum(values, self.lower), self.upper), dtype=float)

    def unbounded_slopes(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivative of each value by its coordinate."""
        return np.exp(self._log_stretch(coordinates)[0])

    def unbounded_bends(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Second derivative of each value by its coordinate, relative to the first."""
        return self._log_stretch(coordinates)[1]

    def _log_stretch(
        self, coordinates: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """ln |dx/du| of the transformation from coordinates u to values x, and its derivatives by u."""
        u = np.minimum(np.maximum(coordinates, -700.0), 700.0)
        has_lower, has_upper, lower, upper = self._ends
        two, one, far = has_lower & has_upper, np.where(has_lower, 1.0, -1.0), np.abs(u)
        within = np.log(np.where(two, upper - lower, 1.0)) - far - 2.0 * np.log1p(np.exp(-far))
        log = np.where(two, within, np.where(has_lower | has_upper, one * u, np.log(self.scale)))
        slope = np.where(two, -np.tanh(0.5 * u), np.where(has_lower | has_upper, one, 0.0))
        return log, slope

    @cached_property
    def _ends(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Which have a lower and which an upper bound, and these, 0 where there is none."""
        has_lower, has_upper = np.isfinite(self.lower), np.isfinite(self.upper)
        return (
            has_lower,
            has_upper,
            _fixed(np.where(has_lower, self.lower, 0.0)),
            _fixed(np.where(has_upper, self.upper, 0.0)),
        )

    @cached_property
    def priors(self) -> Priors:
        """What is known of all of them."""
        return Priors(tuple(item.prior or Prior(item.lower, item.upper) for item in self.items))

    def log_prior(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """ln of the prior density (...,) at `values` (..., n_free), in the parameters' own units; minus
        infinity beyond the bounds."""
        return self.priors.log_density(values)

    def log_prior_slope(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The derivatives (..., n_free) of `log_prior`, within the bounds."""
        return self.priors.slope(values)

    def log_prior_unbounded(
        self, coordinates: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """ln of the prior density (...,) in unbounded coordinates (..., n_free), the transformation's
        ln |dx/du| included, and its derivatives (..., n_free)."""
        values = self.from_unbounded(coordinates)
        log, slope = self._log_stretch(coordinates)
        return (
            self.log_prior(values) + np.sum(log, axis=-1),
            self.log_prior_slope(values) * np.exp(log) + slope,
        )

    def from_prior(self, cube: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (..., n_free) at fractions `cube` (..., n_free) of the priors: draws of them, for points
        uniform in the unit cube. Raises ConfigError where a prior is improper."""
        columns = [prior.quantile(cube[..., i]) for i, prior in enumerate(self.priors.each)]
        return np.stack(columns, axis=-1)

    def at_bounds(self, values: NDArray[np.float64], fraction: float = 1e-3) -> tuple[str, ...]:
        """Names of those that lie on a bound, or nearer to it than `fraction` of their own size."""
        near = fraction * np.maximum(np.abs(values), np.finfo(float).tiny)
        touching = (values - self.lower <= near) | (self.upper - values <= near)
        return tuple(name for name, on in zip(self.names, touching, strict=True) if on)


def _fixed(values: ArrayLike) -> NDArray[np.float64]:
    """An array that nobody may write to, since it is handed out more than once."""
    array = np.array(values, dtype=float)
    array.flags.writeable = False
    return array


def default_bounds(name: str, start: float) -> tuple[float, float]:
    """Bounds of a parameter for which none are given: by the beginning of its name, else positive if it
    starts so.

    Raises ConfigError for other names that start at or below zero: their bounds cannot be guessed.
    """
    for beginning, bounds in DEFAULT_BOUNDS.items():
        if name.startswith(beginning):
            return bounds
    if start > 0:
        return 0.0, math.inf
    raise ConfigError(
        f"fit.bounds: there is no default for {name!r}, which starts at {start:g}; "
        f"give it as [fit.bounds] {name} = [lower, upper]"
    )


def unknown_name(key: str, name: str, allowed: Sequence[str]) -> str:
    """The sentence for a name that does not exist: where it stood, what it may have meant, and what is
    allowed."""
    return f"{key}: unknown name {name!r}{did_you_mean(name, allowed)} allowed: {', '.join(allowed)}"


def free_parameters(
    names: Sequence[str],
    parameters: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    priors: Mapping[str, PriorSettings] | None = None,
    ties: Mapping[str, TieSettings] | None = None,
) -> FreeParameters:
    """The free parameters called `names`, starting from a model's full `parameters`, with `bounds` and
    `priors` or the defaults, and with `ties` of others to them.

    Raises ConfigError for names the model does not have (with those that come close), names given twice,
    bounds and priors of parameters that are not free, bounds the wrong way round, priors that the bounds
    exclude, and starts outside their bounds.
    """
    bounds, priors, ties = dict(bounds or {}), dict(priors or {}), dict(ties or {})
    if not names:
        raise ConfigError(f"fit.free: found no names; allowed: one or more of {', '.join(parameters)}")
    if unknown := [name for name in names if name not in parameters]:
        raise ConfigError(unknown_name("fit.free", unknown[0], list(parameters)))
    if len(set(names)) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise ConfigError(f"fit.free: {twice!r} is given twice; allowed: each name once")
    for key, given in (("bounds", bounds), ("priors", priors)):
        if astray := [name for name in given if name not in names]:
            raise ConfigError(unknown_name(f"fit.{key}", astray[0], list(names)))
    for name, tie in ties.items():
        if astray := [known for known in (name, tie.to) if known not in parameters]:
            raise ConfigError(unknown_name("fit.ties", astray[0], list(parameters)))
    items = (_free_parameter(name, float(parameters[name]), bounds, priors) for name in names)
    return FreeParameters(tuple(items), tuple(Tie(name, tie.to, tie.factor) for name, tie in ties.items()))


def _free_parameter(
    name: str,
    start: float,
    bounds: Mapping[str, tuple[float, float]],
    priors: Mapping[str, PriorSettings],
) -> FreeParameter:
    lower, upper = (float(end) for end in bounds.get(name) or default_bounds(name, start))
    if not lower < upper:
        raise ConfigError(
            f"fit.bounds.{name}: found [{lower:g}, {upper:g}]; allowed: [lower, upper] with lower < upper"
        )
    if not math.isfinite(start) or not lower <= start <= upper:
        raise ConfigError(
            f"fit.bounds.{name}: the start {start:g} lies outside [{lower:g}, {upper:g}]; "
            f"widen the bounds, or change the start by [model.set] {name} = ..."
        )
    # An optimiser that starts on a bound has only one side to look at, and in unbounded coordinates none.
    margin = 1e-6 * (abs(start) if start else 1.0)
    inside = min(max(start, lower + margin), upper - margin) if upper - lower > 2 * margin else start
    prior = Prior.of(name, priors[name], lower, upper) if name in priors else None
    return FreeParameter(name, inside, lower, upper, prior)
