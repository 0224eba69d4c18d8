"""What a posterior run shall do: the `[posterior]` table of a configuration."""

from typing import Literal

from pydantic import Field, model_validator

from galactions.inference.settings import Table

Method = Literal["laplace", "emulated", "delayed", "nuts", "ensemble"]
METHODS: tuple[Method, ...] = ("laplace", "emulated", "delayed", "nuts", "ensemble")


class PosteriorSettings(Table):
    """The `[posterior]` table.

    method: "laplace" (normal approximation at the optimum, re-weighted to the posterior by importance: the
    quick answer), "emulated" (the same from the posterior of an emulator that learns on the way: the fewest
    evaluations of the model), "delayed" (delayed-acceptance chains: proposals from an emulator, accepted by
    the model itself), "nuts" (Hamiltonian chains with the model's derivatives) or "ensemble"
    (affine-invariant walkers, no derivatives). draws: kept of each chain (of each round for "laplace" and
    "emulated"; steps of the walkers for "ensemble"), warmup: those before them that are not kept. chains:
    independent ones (ensembles). walkers: of an ensemble; 0 for twice the number of free parameters and two.
    target_ess: effective sample size that is asked for; "laplace" and "emulated" go on until they have it,
    for at most `max_rounds` rounds. bands: posterior draws that predictions are computed for, 0 for none.
    max_doublings: of a trajectory of "nuts", which has at most 2^max_doublings steps. seed: of all that is
    random.
    """

    method: Method = "laplace"
    draws: int = Field(default=500, ge=4, le=10**6)
    warmup: int = Field(default=100, ge=0, le=10**6)
    chains: int = Field(default=4, ge=1, le=1000)
    walkers: int = Field(default=0, ge=0, le=10**4)
    target_ess: float = Field(default=400.0, gt=0)
    max_rounds: int = Field(default=8, ge=1, le=100)
    bands: int = Field(default=100, ge=0, le=10**5)
    max_doublings: int = Field(default=8, ge=1, le=12)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _consistent(self) -> "PosteriorSettings":
        if self.method == "nuts" and self.warmup < 20:
            raise ValueError(
                f"posterior.warmup: found {self.warmup}; allowed: at least 20 with "
                "posterior.method = 'nuts', which learns its step size from them"
            )
        return self
