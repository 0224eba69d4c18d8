"""What is known of a parameter before a fit: densities between the parameter's bounds, with their slopes."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from galactions.errors import ConfigError
from galactions.inference.table import Table

Vector = NDArray[np.float64]

_LEAST = math.log(1e-100)
"""A prior of which less than this lies within the bounds is a mistake."""

_TINY = float(np.finfo(float).tiny)


class Uniform(Table):
    """`kind = "uniform"`: constant between the bounds. Improper where a bound is infinite, and then taken as
    one."""

    kind: Literal["uniform"] = "uniform"


class Normal(Table):
    """`kind = "normal"`: of this `mean` and standard deviation `sigma`, cut off at the bounds."""

    kind: Literal["normal"]
    mean: float
    sigma: float = Field(gt=0)


class LogNormal(Table):
    """`kind = "log-normal"`: ln x is normal, with mean ln `median` and standard deviation `sigma`, cut off at
    the bounds."""

    kind: Literal["log-normal"]
    median: float = Field(gt=0)
    sigma: float = Field(gt=0)


class LogUniform(Table):
    """`kind = "log-uniform"`: 1/x between two bounds, both above zero."""

    kind: Literal["log-uniform"]


PriorSettings = Annotated[Uniform | Normal | LogNormal | LogUniform, Field(discriminator="kind")]


@dataclass(frozen=True)
class Prior:
    """A prior density of one parameter between `lower` and `upper`, normalised there wherever it can be.

    In terms of y (x itself, or ln x where `logarithmic`) it is normal about `centre` with `width`, or
    constant where the width is infinite.
    """

    lower: float
    upper: float
    logarithmic: bool = False
    centre: float = 0.0
    width: float = math.inf

    @classmethod
    def of(cls, name: str, settings: PriorSettings, lower: float, upper: float) -> "Prior":
        """The prior of the parameter `name`. Raises ConfigError for bounds that it cannot have."""
        key = f"fit.priors.{name}"
        if isinstance(settings, LogUniform) and not (lower > 0 and math.isfinite(upper)):
            raise ConfigError(
                f"{key}: a log-uniform prior between [{lower:g}, {upper:g}]; allowed: both bounds finite and "
                f"above zero, given as [fit.bounds] {name} = [lower, upper]"
            )
        if isinstance(settings, LogNormal) and lower < 0:
            raise ConfigError(
                f"{key}: a log-normal prior between [{lower:g}, {upper:g}]; allowed: a lower bound of zero "
                f"or above, given as [fit.bounds] {name} = [lower, upper]"
            )
        if isinstance(settings, Normal):
            found = cls(lower, upper, False, settings.mean, settings.sigma)
        elif isinstance(settings, LogNormal):
            found = cls(lower, upper, True, math.log(settings.median), settings.sigma)
        else:
            found = cls(lower, upper, isinstance(settings, LogUniform))
        if found._log_inside < _LEAST:
            raise ConfigError(
                f"{key}: next to nothing of it lies within the bounds [{lower:g}, {upper:g}]; "
                "move it, or widen fit.bounds"
            )
        return found

    def quantile(self, u: Vector) -> Vector:
        """Values below which fractions `u` (n,) of the prior lie: draws of it, for u uniform in [0, 1].

        Raises ConfigError for an improper prior.
        """
        from scipy.special import ndtr, ndtri

        low, high = self._ends
        if math.isfinite(self.width):
            # by the tail that holds more digits
            flip = low > self.centre
            a, b = ((low - self.centre) / self.width, (high - self.centre) / self.width)
            a, b, share = (-b, -a, 1.0 - u) if flip else (a, b, u)
            z = ndtri(ndtr(a) + share * (ndtr(b) - ndtr(a)))
            y = self.centre + self.width * np.where(flip, -z, z)
        elif math.isfinite(high - low):
            y = low + u * (high - low)
        else:
            raise ConfigError(
                f"a uniform prior between [{self.lower:g}, {self.upper:g}] cannot be drawn from; "
                "give both bounds in [fit.bounds], or another prior in [fit.priors]"
            )
        return np.clip(np.exp(y) if self.logarithmic else y, self.lower, self.upper)

    @property
    def _ends(self) -> tuple[float, float]:
        """The bounds in terms of y."""
        if not self.logarithmic:
            return self.lower, self.upper
        return (math.log(self.lower) if self.lower > 0 else -math.inf), math.log(self.upper)

    @property
    def log_normalisation(self) -> float:
        """ln of the integral over y of exp(-((y - centre)/width)^2/2) between the bounds; 0 where there is
        none."""
        low, high = self._ends
        if math.isinf(self.width):
            return math.log(high - low) if math.isfinite(high - low) else 0.0
        return self._log_inside + 0.5 * math.log(2 * math.pi) + math.log(self.width)

    @property
    def _log_inside(self) -> float:
        """ln of the share of the whole normal distribution that lies within the bounds."""
        from scipy.special import log_ndtr

        if math.isinf(self.width):
            return 0.0
        low, high = self._ends
        a, b = (low - self.centre) / self.width, (high - self.centre) / self.width
        a, b = (-b, -a) if a > 0 else (a, b)  # the tail that holds more digits
        above, below = float(log_ndtr(b)), float(log_ndtr(a))
        return above + math.log(-math.expm1(below - above)) if below < above else -math.inf


@dataclass(frozen=True)
class Priors:
    """The joint prior of independent parameters (n,)."""

    each: tuple[Prior, ...]

    def log_density(self, x: Vector) -> Vector:
        """ln of the density (...,) at x (..., n); minus infinity outside the bounds."""
        logarithmic, centre, width, normalisation = self._terms
        y = self._y(x)
        terms = -normalisation - np.where(logarithmic, y, 0.0) - 0.5 * ((y - centre) / width) ** 2
        lower, upper = self._bounds
        within = np.all((lower <= x) & (x <= upper), axis=-1)
        return np.where(within, np.sum(terms, axis=-1), -math.inf)

    def slope(self, x: Vector) -> Vector:
        """Derivatives (..., n) of `log_density` within the bounds."""
        logarithmic, centre, width, _ = self._terms
        by_y = -(self._y(x) - centre) / width**2
        return np.where(logarithmic, (by_y - 1.0) / np.where(logarithmic, x, 1.0), by_y)

    def _y(self, x: Vector) -> Vector:
        """x in terms of y, that of a bound where it is outside; never infinite."""
        inside = np.minimum(np.maximum(x, self._bounds[0]), self._bounds[1])
        logarithmic = self._terms[0]
        return np.where(logarithmic, np.log(np.where(logarithmic, np.maximum(inside, _TINY), 1.0)), inside)

    @cached_property
    def _bounds(self) -> tuple[Vector, Vector]:
        return np.array([prior.lower for prior in self.each]), np.array([prior.upper for prior in self.each])

    @cached_property
    def _terms(self) -> tuple[NDArray[np.bool_], Vector, Vector, Vector]:
        """Of each parameter: whether it is logarithmic, its centre, width, and ln of its normalisation."""
        return (
            np.array([prior.logarithmic for prior in self.each]),
            np.array([prior.centre for prior in self.each]),
            np.array([prior.width for prior in self.each]),
            np.array([prior.log_normalisation for prior in self.each]),
        )
