"""What a fit shall do: the `[fit]` table of a configuration, also made directly for a `FitProblem`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from galactions.inference.constraint_settings import AnyConstraint
from galactions.inference.priors import PriorSettings
from galactions.inference.table import Interval, Names, Table, as_tuple, did_you_mean

DF_PARAMETERS = (
    "sigma_r0_thin",
    "sigma_z0_thin",
    "R_sigma_thin",
    "sigma_r0_thick",
    "sigma_z0_thick",
    "R_sigma_thick",
)
"""The six free parameters of the two quasi-isothermal discs (eq. 10), free by default."""

PAPER_PARAMETERS = (
    "Sigma0_thin",
    "R_d_thin",
    "h_thin",
    "Sigma0_thick",
    "R_d_thick",
    "h_thick",
    "rho0_halo",
    "r0_halo",
    "d_sun",
    *DF_PARAMETERS,
)
"""The 15 parameters of the paper's Table 2, `free = "paper"`."""

OUTLIERS = {"outlier_fraction": 0.01, "outlier_sigma": 150.0}
"""Parameters of single stars that are not of the discs, and their values unless others are given: their
share, and the standard deviation (km/s) of each component of their velocities in the Galaxy's rest frame."""


def _free_names(value: Any) -> Any:
    return PAPER_PARAMETERS if value == "paper" else as_tuple(value)


class TieSettings(Table):
    """What a tied parameter follows: `factor` times the parameter `to`."""

    to: str
    factor: float = 1.0


def _tie(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


class FitSettings(Table):
    """The `[fit]` table. What is wrong raises pydantic's ValidationError, which `load_config` puts into
    words.

    objective: what is minimised: "chi2" (the paper: the mean over regions of their reduced chi2),
    "multinomial" (the likelihood of the counts in the bins) or "stars" (that of each star's velocity
    given its position). free: names of the free parameters, or "paper" for the 15 of Table 2; bounds:
    their limits where not the defaults; priors: what is known of them, where not uniform (the posterior's
    business: a best fit is that of the likelihood). ties: parameters that follow another one, `name =
    "other"` or `name = {to = "other", factor = 1.2}`. method: "nelder-mead" (the paper) or
    "least-squares" (Fisher's scoring, damped and bounded; for a sum of squares that of Levenberg and
    Marquardt). derivatives: of the galaxy model, by "differences" of predictions, or "exact", by forward
    mode through all of it, at two to three times the cost. uncertainty: sigma_n from the "data" (the
    paper) or from the "model" (held fixed in a round, renewed between at most `max_rounds` rounds;
    unbiased). max_trials: evaluations of the model, derivatives included. tolerance: the search ends when
    it can no longer lower the chi2 summed over all fitted bins (twice minus ln likelihood) by more than
    this (0.01: best parameters to about a tenth of their standard errors). initial_step: relative size of
    Nelder-Mead's first steps. held_out: groups or names of regions that are compared with the model but
    never fitted. constraints: outside data that count as well, `[[fit.constraints]]`. starts: named
    models of the same components, from whose values of the free parameters the fit is begun as well.
    star_nodes, star_seed: the rule that integrates over the errors of single stars.
    """

    method: Literal["nelder-mead", "least-squares"] = "nelder-mead"
    free: Annotated[tuple[str, ...], BeforeValidator(_free_names)] = DF_PARAMETERS
    bounds: dict[str, Interval] = Field(default_factory=dict)
    objective: Literal["chi2", "multinomial", "stars"] = "chi2"
    priors: dict[str, PriorSettings] = Field(default_factory=dict)
    ties: dict[str, Annotated[TieSettings, BeforeValidator(_tie)]] = Field(default_factory=dict)
    derivatives: Literal["differences", "exact"] = "differences"
    uncertainty: Literal["data", "model"] = "data"
    max_trials: int = Field(default=1000, ge=1)
    max_rounds: int = Field(default=4, ge=1)
    tolerance: float = Field(default=0.01, gt=0, le=100)
    initial_step: float = Field(default=0.1, gt=0, le=2)
    held_out: Names = ("check",)
    constraints: Annotated[tuple[AnyConstraint, ...], BeforeValidator(as_tuple)] = ()
    starts: Names = ()
    star_nodes: int = Field(default=64, ge=1, le=4096)
    star_seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> "FitSettings":
        if not self.free:
            raise ValueError("fit.free: found an empty list; allowed: one or more names of parameters")
        for key in ("bounds", "priors"):
            for name in getattr(self, key):
                if name not in self.free:
                    raise ValueError(
                        f"fit.{key}: {name!r} is not among the free parameters"
                        f"{did_you_mean(name, self.free)} allowed: {', '.join(self.free)}"
                    )
        for name, (lower, upper) in self.bounds.items():
            if not lower < upper:
                raise ValueError(
                    f"fit.bounds.{name}: found [{lower:g}, {upper:g}]; "
                    "allowed: [lower, upper] with lower < upper"
                )
        if len(set(self.starts)) < len(self.starts):
            raise ValueError("fit.starts: found a model twice; allowed: each model once")
        for name, tie in self.ties.items():
            if name in self.free:
                raise ValueError(
                    f"fit.ties: {name!r} is among the free parameters; allowed: parameters that are not in "
                    "fit.free"
                )
            if tie.to in self.ties:
                raise ValueError(
                    f"fit.ties.{name}: found {tie.to!r}, which follows another parameter itself; allowed: "
                    "parameters that are not tied"
                )
        return self
