"""What a fit shall do: the `[fit]` table of a configuration, also made directly for a `FitProblem`."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

DF_PARAMETERS = (
    "sigma_r0_thin",
    "sigma_z0_thin",
    "R_sigma_thin",
    "sigma_r0_thick",
    "sigma_z0_thick",
    "R_sigma_thick",
)
"""The six free parameters of the two quasi-isothermal discs (eq. 10), free by default."""


def as_tuple(value: Any) -> Any:
    """Arrays of a TOML file, which are lists, as the tuples that frozen tables keep."""
    return tuple(value) if isinstance(value, list) else value


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for names that come close, else nothing."""
    near = difflib.get_close_matches(name, list(allowed), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(match) for match in near)}?" if near else ";"


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Interval = Annotated[tuple[float, float], BeforeValidator(as_tuple)]


class Table(BaseModel):
    """A table of a configuration: no unknown keys, no guessed types, no change after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FitSettings(Table):
    """The `[fit]` table. What is wrong raises pydantic's ValidationError, which `load_config` puts into
    words.

    free: names of the free parameters; bounds: their limits where not the defaults. method: "nelder-mead"
    (the paper) or "least-squares" (bounded trust region with the model's derivatives). uncertainty: sigma_n
    from the "data" (the paper) or from the "model" (held fixed in a round, renewed between at most
    `max_rounds` rounds; unbiased). max_trials: evaluations of the model, derivatives included. tolerance:
    the search ends when it can no longer lower the chi2 summed over all fitted bins by more than this
    (0.01: best parameters to about a tenth of their standard errors). initial_step: relative size of
    Nelder-Mead's first steps. held_out: groups or names of regions that are compared with the model but
    never fitted.
    """

    method: Literal["nelder-mead", "least-squares"] = "nelder-mead"
    free: Names = DF_PARAMETERS
    bounds: dict[str, Interval] = Field(default_factory=dict)
    uncertainty: Literal["data", "model"] = "data"
    max_trials: int = Field(default=1000, ge=1)
    max_rounds: int = Field(default=4, ge=1)
    tolerance: float = Field(default=0.01, gt=0, le=100)
    initial_step: float = Field(default=0.1, gt=0, le=2)
    held_out: Names = ("check",)

    @model_validator(mode="after")
    def _consistent(self) -> "FitSettings":
        if not self.free:
            raise ValueError("fit.free: found an empty list; allowed: one or more names of parameters")
        for name, (lower, upper) in self.bounds.items():
            if name not in self.free:
                raise ValueError(
                    f"fit.bounds: {name!r} is not among the free parameters{did_you_mean(name, self.free)} "
                    f"allowed: {', '.join(self.free)}"
                )
            if not lower < upper:
                raise ValueError(
                    f"fit.bounds.{name}: found [{lower:g}, {upper:g}]; "
                    "allowed: [lower, upper] with lower < upper"
                )
        return self
