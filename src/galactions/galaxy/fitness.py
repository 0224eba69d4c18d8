"""Whether the distribution functions fit the densities and the potential they were made for."""

import warnings
from collections.abc import Iterator, Mapping

import jax

from galactions.df.base import DistributionFunction, InvertedFunction
from galactions.errors import ModelError, ModelWarning

LARGEST_DEFICIT = 1e-2
"""Share of a component's mass that may be lost to negative values of its DF; more is a `ModelError`."""
NOTED_DEFICIT = 1e-4
"""A `ModelWarning` tells of shares above this."""
_REMEDY = (
    "let its density rise more steeply inwards of there (gamma, r0), lower its anisotropy (beta, or raise "
    "r_a) if it has one, or take mass from the other components inside that radius"
)


def check_distribution_functions(model: str, dfs: Mapping[str, DistributionFunction]) -> None:
    """Tells of components whose density no DF of its kind can have in the initial potential.

    There the inversion is negative at some energies and set to zero: the component made of it is heavier than
    its density says. Issues a `ModelWarning`, or raises `ModelError` where more than 1% of its mass is
    concerned.
    """
    require_distribution_functions(model, dfs)
    for told in _misfits(model, dfs, NOTED_DEFICIT):
        warnings.warn(f"{told}, and is zero there instead; to mend it, {_REMEDY}", ModelWarning, stacklevel=3)


def require_distribution_functions(model: str, dfs: Mapping[str, DistributionFunction]) -> None:
    """Raises the `ModelError` of `check_distribution_functions`, without its warnings: for the trials of a
    fit, of which there are many.

    DFs of traced parameters, as in a derivative, have no value to be judged by and pass.
    """
    for told in _misfits(model, dfs, LARGEST_DEFICIT):
        raise ModelError(f"{told}; {_REMEDY}")


def _misfits(model: str, dfs: Mapping[str, DistributionFunction], limit: float) -> Iterator[str]:
    """What is to be told of each DF that lacks a share above `limit`."""
    for name, df in dfs.items():
        if not isinstance(df, InvertedFunction) or isinstance(df.deficit.share, jax.core.Tracer):
            continue
        share = float(df.deficit.share)
        if share > limit:
            yield (
                f"model {model}: the distribution function of {name} does not fit its potential: it would "
                f"have to be negative for {100 * share:.2g}% of its mass, most of all at the energy of "
                f"r = {float(df.deficit.radius):.3g} kpc"
            )
