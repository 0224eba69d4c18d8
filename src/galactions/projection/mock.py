"""Mock surveys: stars drawn from a model, and seen as a survey would see them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from galactions.errors import CatalogueError, ConfigError
from galactions.numerics.program import Program
from galactions.projection.positions import PositionProposal
from galactions.projection.proposal import Proposal, reference_sun
from galactions.projection.velocities import VelocityProposal
from galactions.projection.view import CHUNK, View, density_at
from galactions.survey.frame import heliocentric
from galactions.survey.mock import ErrorModel, observe
from galactions.survey.regions import Region, paper_regions
from galactions.survey.stars import Stars

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

Floats = NDArray[np.float64]

_BATCH = 2 * CHUNK
_MOST_BATCHES = 2000


def mock_survey(
    galaxy: "Galaxy",
    regions: Sequence[Region] | None = None,
    counts: Literal["table"] | int | Sequence[int] = "table",
    errors: ErrorModel | None = None,
    seed: int = 0,
) -> Stars:
    """Stars of the model's discs as a survey would see them in the regions (default: those of Table 1).

    counts: how many stars are observed in each region: "table" (its own `count`), one number for all, or a
    number for each. errors: of measurement (default: `ErrorModel()`); stars are selected by their *observed*
    distance, so they come from beyond the regions too. The stars of each region are drawn independently of
    the other regions (see `repeats`). The seed fixes the result.

    Raises ConfigError for missing or impossible counts, CatalogueError for a region in which next to no stars
    can be found.
    """
    boxes = tuple(paper_regions() if regions is None else regions)
    wanted = _counts(boxes, counts)
    errors = errors or ErrorModel()
    view, sun, velocities = View.of(galaxy), reference_sun(galaxy), VelocityProposal.of(galaxy)
    parts: list[Stars] = []
    for number, (region, count) in enumerate(zip(boxes, wanted, strict=True)):
        positions = PositionProposal.of(region, galaxy, sun, errors.distance_fraction)
        proposal = Proposal(positions, velocities, sun)
        rng = np.random.default_rng([seed, number])
        _, pilot = _candidates(view, proposal, rng)
        found: list[Stars] = []
        for _ in range(_MOST_BATCHES):
            seen, mass = _candidates(view, proposal, rng)
            stars = Stars(*np.repeat(seen, repeats(mass, float(pilot.max()), rng), axis=1))
            stars = observe(stars, errors, int(rng.integers(2**63)))
            found.append(stars.select(region.contains(stars.l, stars.b, stars.distance)))
            if sum(map(len, found)) >= count:
                break
        else:
            raise CatalogueError(
                f"region {region.name!r}: only {sum(map(len, found))} of {count} stars found in "
                f"{_MOST_BATCHES * _BATCH:,d} trials; the model has next to no stars there"
            )
        pool = _join(found)
        parts.append(pool.select(rng.choice(len(pool), count, replace=False)))
    return _join(parts)


def repeats(mass: Floats, unit: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """How many stars each candidate (n,) stands for: `mass`/`unit` on average, as a whole number.

    With one star at most a candidate this is rejection sampling. Where the mass exceeds the unit a candidate
    stands for two or more, so the expected number of stars is exactly in proportion to the mass whatever the
    unit: no bound on the mass has to be known. The unit must not depend on the candidates.
    """
    return np.floor(mass / unit + rng.random(len(mass))).astype(np.int64)


def _candidates(view: View, proposal: Proposal, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Random candidates (6, n) as the survey would see them without errors, and the mass (n,) of each."""
    seen, _, weight = _drawn(proposal, jnp.asarray(rng.random((7, _BATCH))))
    return np.asarray(seen), np.asarray(density_at(view, heliocentric(*seen)) * weight)


_drawn = Program(Proposal.draw)


def _counts(regions: tuple[Region, ...], counts: Literal["table"] | int | Sequence[int]) -> list[int]:
    if counts == "table":
        without = [region.name for region in regions if region.count is None]
        if without:
            raise ConfigError(f'counts = "table", but these regions have no count: {", ".join(without)}')
        found = [region.count or 0 for region in regions]
    elif isinstance(counts, int):
        found = [counts] * len(regions)
    else:
        found = [int(count) for count in counts]
    if len(found) != len(regions) or min(found, default=0) < 0:
        raise ConfigError(
            f"counts = {counts!r}: allowed are numbers, 0 or more, one for each of {len(regions)} regions"
        )
    return found


def _join(parts: list[Stars]) -> Stars:
    columns = [dict(part.columns()) for part in parts]
    return Stars(**{name: np.concatenate([column[name] for column in columns]) for name in columns[0]})
