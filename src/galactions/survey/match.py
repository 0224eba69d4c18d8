"""Which star of a catalogue of astrometry is which star of a catalogue of spectra.

By Gaia source id where the ids of both are of the same release and whole; else on the sky: positions of the
astrometric catalogue are carried by their proper motions to the epoch of the other one, and the nearest
within a radius is taken. A star with several spectra keeps the one of the highest S/N.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.identifiers import Ids
from galactions.survey.progress import Share, chunks, part_of, untold
from galactions.survey.sources import Source
from galactions.survey.table import AnyArray, StarTable
from galactions.survey.tables import NO_ID

FloatArray = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
By = Literal["auto", "id", "sky"]

ARCSEC = np.pi / 180.0 / 3600.0
"""Radians."""

CHUNK = 250_000
"""Positions looked up at once."""

LEAF = 32
"""Points in a leaf of the search tree: a sky of millions is searched fastest with fairly large ones."""


@dataclass(frozen=True)
class MatchReport:
    """What a cross-match did with `n_spectra` spectra and `n_astrometry` stars.

    `by` and `reason`: ids or positions, and why. `matched` spectra have a star: `by_id` of them by id. Of the
    rest, `unmatched` have none. `conflicts`: ids whose positions are further apart than the radius (dropped
    as matches by id, tried on the sky). `ambiguous`: matches on the sky with a second star within the radius.
    `repeats`: spectra left out because another one of the same star has a higher S/N. `duplicate_ids`: rows
    of the astrometric catalogue with an id that an earlier row has (left out). `stars`: pairs that result.
    `separation`: median, 95 % and 99.9 % quantile of the distance between matched positions (arcsec).
    """

    by: Literal["id", "sky"]
    reason: str
    radius: float
    n_spectra: int
    n_astrometry: int
    matched: int
    by_id: int
    unmatched: int
    conflicts: int
    ambiguous: int
    repeats: int
    duplicate_ids: int
    stars: int
    separation: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        matched = f"{self.matched:,d} matched ({self.by_id:,d} by id), {self.unmatched:,d} not"
        doubts = f"{self.conflicts:,d} ids at different places, {self.ambiguous:,d} ambiguous positions"
        lines = [
            f"matched by {self.by} ({self.reason}), radius {self.radius:g} arcsec",
            f"  {self.n_spectra:,d} spectra, {self.n_astrometry:,d} stars: {matched}",
            f"  {self.repeats:,d} repeated spectra left out, {self.stars:,d} stars result",
            f"  {doubts}, {self.duplicate_ids:,d} duplicate ids",
        ]
        if self.separation:
            quantiles = ", ".join(f"{name} {value:.3f}" for name, value in self.separation.items())
            lines.append(f"  separation (arcsec): {quantiles}")
        return "\n".join(lines)


def unit_vectors(
    stars: StarTable, from_epoch: float | None = None, to_epoch: float | None = None
) -> FloatArray:
    """Directions (N, 3) at ICRS ra, dec; carried by proper motions from one epoch (Julian year) to another if
    both are given.

    Motion is uniform along the tangent (light-travel and radial terms are left out: far below 1 mas in a
    century at the distances of giants). Unknown proper motions count as zero.
    """
    ra, dec = np.radians(stars["ra"]), np.radians(stars["dec"])
    sin_ra, cos_ra, sin_dec, cos_dec = np.sin(ra), np.cos(ra), np.sin(dec), np.cos(dec)
    place = np.stack([cos_dec * cos_ra, cos_dec * sin_ra, sin_dec], axis=1)
    if from_epoch is None or to_epoch is None or from_epoch == to_epoch:
        return place
    years = 1e-3 * ARCSEC * (to_epoch - from_epoch)
    east = np.nan_to_num(stars["pm_ra"]) * years
    north = np.nan_to_num(stars["pm_dec"]) * years
    place[:, 0] += -sin_ra * east - sin_dec * cos_ra * north
    place[:, 1] += cos_ra * east - sin_dec * sin_ra * north
    place[:, 2] += cos_dec * north
    place /= np.linalg.norm(place, axis=1, keepdims=True)
    return place


def separations(one: FloatArray, other: FloatArray) -> FloatArray:
    """Angles (N,) in arcsec between directions (N, 3), by the chord."""
    chord = np.linalg.norm(one - other, axis=1)
    return 2.0 * np.arcsin(np.minimum(1.0, 0.5 * chord)) / ARCSEC


def first_of_each(ids: Ids) -> npt.NDArray[np.bool_]:
    """True for each row (N,) without an id, and for the first row of each id."""
    order = np.argsort(ids, kind="stable")
    later = np.zeros(len(ids), dtype=bool)
    later[order[1:]] = ids[order[1:]] == ids[order[:-1]]
    return ~later | (ids == NO_ID)


def cross_match(
    spectra: Source,
    astrometry: Source,
    *,
    by: By = "auto",
    radius: float = 3.0,
    share: Share = untold,
) -> tuple[Index, Index, MatchReport]:
    """Pairs (i, j) of rows of spectra and of astrometry that are the same star, each star once, by rising i.

    `radius` (arcsec) is how far positions of one star may be apart, also for a match by id. `by` = "auto"
    takes ids where they are sound and positions elsewhere; "id" takes nothing but ids. `share` is told how
    much is done. Raises CatalogueError when ids are asked for and are of different releases, not known, or
    damaged, and for a radius that is not positive.
    """
    use_ids, reason = choose_way(spectra, astrometry, by, radius)
    pairs = find_pairs(spectra, astrometry, use_ids, by != "id", radius, share)
    i = np.flatnonzero(pairs.partner >= 0)
    best = best_of_each(pairs.partner[i], snr_of(spectra.stars, i), pairs.apart[i])
    report = MatchReport(
        by="id" if use_ids else "sky",
        reason=reason,
        radius=radius,
        n_spectra=len(spectra.stars),
        n_astrometry=len(astrometry.stars),
        matched=len(i),
        by_id=int(pairs.by_id.sum()),
        unmatched=len(spectra.stars) - len(i),
        conflicts=int(pairs.conflict.sum()),
        ambiguous=int(pairs.ambiguous.sum()),
        repeats=len(i) - len(best),
        duplicate_ids=pairs.duplicate_ids,
        stars=len(best),
        separation=separation_quantiles(pairs.apart[i[best]]),
    )
    return i[best], pairs.partner[i[best]], report


def choose_way(spectra: Source, astrometry: Source, by: By, radius: float) -> tuple[bool, str]:
    """Whether ids are to be used, and why (not). Raises CatalogueError as `cross_match` does."""
    if not radius > 0:
        raise CatalogueError(f"the radius of a match is {radius}; it must be above 0 arcsec")
    sound, reason = _ids_are_sound(spectra, astrometry)
    if by == "id" and not sound:
        raise CatalogueError(f"the catalogues cannot be matched by id: {reason} (match by position instead)")
    return (False, "asked for") if by == "sky" else (sound, reason)


@dataclass(frozen=True)
class Pairs:
    """For each of N spectra: the row of its star in `partner` (-1: none), how far it is `apart` (arcsec), and
    whether it was found `by_id`, its id was in `conflict` with the positions, or the sky `ambiguous`;
    `duplicate_ids`: rows of the other catalogue that were passed by.
    """

    partner: Index
    apart: FloatArray
    by_id: npt.NDArray[np.bool_]
    conflict: npt.NDArray[np.bool_]
    ambiguous: npt.NDArray[np.bool_]
    duplicate_ids: int


def find_pairs(
    spectra: Source,
    astrometry: Source,
    use_ids: bool,
    use_sky: bool,
    radius: float,
    share: Share = untold,
) -> Pairs:
    """The star of each spectrum: by id, if these are used, where positions agree within the radius (arcsec);
    by position, if these are used, for those that are left. `share` is told how much is done.
    """
    unique = np.ones(len(astrometry.stars), dtype=bool)
    if "gaia_id" in astrometry.stars:
        unique = first_of_each(astrometry.stars["gaia_id"])
    rows = np.flatnonzero(unique)
    here = unit_vectors(spectra.stars)
    there = unit_vectors(astrometry.stars, astrometry.epoch, spectra.epoch)
    partner = np.full(len(here), -1, dtype=np.int64)
    conflict, ambiguous = np.zeros((2, len(here)), dtype=bool)
    if use_ids:
        partner = _by_id(spectra.stars["gaia_id"], astrometry.stars["gaia_id"], rows)
        found = np.flatnonzero(partner >= 0)
        conflict[found] = separations(here[found], there[partner[found]]) > radius
        partner[conflict] = -1
    share(0.15)
    by_id = partner >= 0
    left = np.flatnonzero(~by_id)
    if use_sky and len(left) and len(rows):
        near, ambiguous[left] = _nearest(here[left], there[rows], radius, part_of(share, 0.15, 0.95))
        partner[left] = np.where(near >= 0, rows[near], -1)
    apart = np.full(len(here), np.nan)
    hit = partner >= 0
    apart[hit] = separations(here[hit], there[partner[hit]])
    return Pairs(partner, apart, by_id, conflict, ambiguous, int(np.sum(~unique)))


def separation_quantiles(apart: FloatArray) -> dict[str, float]:
    """Median, 95 % and 99.9 % quantile of separations (N,); nothing for none."""
    quantiles = (("median", 50.0), ("95%", 95.0), ("99.9%", 99.9))
    return {name: float(np.percentile(apart, q)) for name, q in quantiles} if len(apart) else {}


def _ids_are_sound(spectra: Source, astrometry: Source) -> tuple[bool, str]:
    for name, source in (("spectra", spectra), ("astrometry", astrometry)):
        if "gaia_id" not in source.stars:
            return False, f"the {name} have no Gaia ids"
        if not source.gaia_release:
            return False, f"{name}: {source.ids_note or 'the release of the ids is not known'}"
    if spectra.gaia_release != astrometry.gaia_release:
        return (
            False,
            f"ids of Gaia {spectra.gaia_release} in the spectra, {astrometry.gaia_release} in the other",
        )
    return True, f"ids of Gaia {spectra.gaia_release} in both"


def _by_id(wanted: Ids, ids: Ids, rows: Index) -> Index:
    """For each wanted id the row with it, or -1."""
    order = rows[np.argsort(ids[rows], kind="stable")]
    if not len(order):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(ids[order], wanted), len(order) - 1)
    found = (ids[order[at]] == wanted) & (wanted != NO_ID)
    return np.where(found, order[at], -1)


def _nearest(
    here: FloatArray, there: FloatArray, radius: float, share: Share
) -> tuple[Index, npt.NDArray[np.bool_]]:
    """For each direction the nearest of the others within the radius (arcsec), or -1; and whether there is a
    second one. `share` is told how much is done: 0.25 when the tree stands.
    """
    from scipy.spatial import cKDTree

    # neither balanced nor compact: built several times faster, and the sky has no long thin cells
    tree = cKDTree(there, leafsize=LEAF, balanced_tree=False, compact_nodes=False)
    chord = 2.0 * np.sin(0.5 * radius * ARCSEC)
    share(0.25)
    first = np.empty(len(here), dtype=np.int64)
    second = np.empty(len(here), dtype=bool)
    for some in chunks(len(here), CHUNK, part_of(share, 0.25, 1.0)):
        _, near = tree.query(here[some], k=2, distance_upper_bound=chord, workers=-1)
        first[some] = np.where(near[:, 0] < len(there), near[:, 0], -1)
        second[some] = near[:, 1] < len(there)
    return first, second


def snr_of(stars: StarTable, rows: Index) -> AnyArray:
    """S/N of spectra, unknown ones last."""
    return np.nan_to_num(stars["snr_g"][rows], nan=-np.inf) if "snr_g" in stars else np.zeros(len(rows))


def best_of_each(partner: Index, quality: AnyArray, apart: FloatArray) -> Index:
    """Positions, rising, of the best entry for each partner: highest quality, then nearest."""
    order = np.lexsort((apart, -quality, partner))
    first = np.ones(len(order), dtype=bool)
    first[1:] = partner[order[1:]] != partner[order[:-1]]
    return np.sort(order[first])
