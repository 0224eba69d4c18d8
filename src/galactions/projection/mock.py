"""Mock surveys: stars drawn from a model, and seen as a survey would see them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from galactions.errors import CatalogueError, ConfigError
from galactions.projection.proposal import (
    PositionProposal,
    VelocityProposal,
    draw,
    reference_sun,
)
from galactions.projection.view import CHUNK, View, density_at
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
    distance, so they come from beyond the regions too. The stars of each region are drawn from the model by
    rejection, independently of the other regions. The seed fixes the result.

    Raises ConfigError for missing or impossible counts, CatalogueError for a region in which next to no stars
    can be found.
    """
    boxes = tuple(paper_regions() if regions is None else regions)
    wanted = _counts(boxes, counts)
    errors = errors or ErrorModel()
    view, sun, velocities = View.of(galaxy), reference_sun(galaxy), VelocityProposal.of(galaxy)
    parts: list[Stars] = []
    for number, (region, count) in enumerate(zip(boxes, wanted, strict=True)):
        positions = PositionProposal.of(region, galaxy, sun, errors.distance_fraction, chance=False)
        rng = np.random.default_rng([seed, number])
        drawn: list[Stars] = []
        candidates = _Candidates()
        for _ in range(_MOST_BATCHES):
            seen, weight = draw(positions, velocities, sun, rng.random((7, _BATCH)))
            mass = np.asarray(density_at(view, seen)) * weight
            stars = observe(Stars(*seen), errors, int(rng.integers(2**63)))
            inside = region.contains(stars.l, stars.b, stars.distance)
            drawn.append(stars.select(inside))
            candidates.add(mass, rng.random(_BATCH), inside)
            if candidates.accepted().sum() >= count:
                break
        else:
            raise CatalogueError(
                f"region {region.name!r}: only {candidates.accepted().sum()} of {count} stars found in "
                f"{_MOST_BATCHES * _BATCH:,d} trials; the model has next to no stars there"
            )
        parts.append(_join(drawn).select(np.flatnonzero(candidates.accepted())[:count]))
    return _join(parts)


class _Candidates:
    """Rejection sampling whose bound is the largest weight met so far: what was accepted under a lower bound
    is judged again under each higher one."""

    def __init__(self) -> None:
        self.bound = 0.0
        self.mass: list[Floats] = []
        self.chance: list[Floats] = []

    def add(self, mass: Floats, chance: Floats, inside: NDArray[np.bool_]) -> None:
        self.bound = max(self.bound, float(mass.max()))
        self.mass.append(mass[inside])
        self.chance.append(chance[inside])

    def accepted(self) -> NDArray[np.bool_]:
        accepted: NDArray[np.bool_] = np.concatenate(self.chance) * self.bound < np.concatenate(self.mass)
        return accepted


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
