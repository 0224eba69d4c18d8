"""Whether the distribution functions fit the densities and the potential they were made for."""

import warnings
from collections.abc import Mapping

from galactions.df.base import DistributionFunction, InvertedFunction
from galactions.errors import ModelError, ModelWarning

LARGEST_DEFICIT = 1e-2
"""Share of a component's mass that may be lost to negative values of its DF; more is a `ModelError`."""
NOTED_DEFICIT = 1e-4
"""A `ModelWarning` tells of shares above this."""


def check_distribution_functions(model: str, dfs: Mapping[str, DistributionFunction]) -> None:
    """Tells of components whose density no DF of its kind can have in the initial potential.

    There the inversion is negative at some energies and set to zero: the component made of it is heavier than
    its density says. Issues a `ModelWarning`, or raises `ModelError` where more than 1% of its mass is
    concerned.
    """
    for name, df in dfs.items():
        if not isinstance(df, InvertedFunction):
            continue
        share = float(df.deficit.share)
        if not share > NOTED_DEFICIT:
            continue
        told = (
            f"model {model}: the distribution function of {name} does not fit its potential: it would have "
            f"to be negative for {100 * share:.2g}% of its mass, most of all at the energy of "
            f"r = {float(df.deficit.radius):.3g} kpc"
        )
        remedy = (
            "let its density rise more steeply inwards of there (gamma, r0), lower its anisotropy (beta, or "
            "raise r_a) if it has one, or take mass from the other components inside that radius"
        )
        if share > LARGEST_DEFICIT:
            raise ModelError(f"{told}; {remedy}")
        warnings.warn(f"{told}, and is zero there instead; to mend it, {remedy}", ModelWarning, stacklevel=3)
