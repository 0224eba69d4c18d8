"""Why do two catalogues have no star in common? Usual mistakes, tried out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from galactions.survey.match import find_pairs
from galactions.survey.sources import Source
from galactions.survey.table import AnyArray

SOME = 2000
"""Spectra that the mistakes are tried out with."""

_Places = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray]]

_MISTAKES: dict[str, _Places] = {
    "ra in hours": lambda ra, dec: (15.0 * ra, dec),
    "ra and dec in radians": lambda ra, dec: (np.degrees(ra), np.degrees(dec)),
    "ra and dec swapped": lambda ra, dec: (np.mod(dec, 360.0), ra),
}


def why_no_match(spectra: Source, astrometry: Source, radius: float) -> str:
    """What catalogues without a common star look like: on which part of the sky each is, and which mistake in
    the coordinates of one of them would give matches within `radius` (arcsec).
    """
    for name, source, other in (("spectra", spectra, astrometry), ("astrometry", astrometry, spectra)):
        step = max(1, len(source.stars) // SOME)
        some = replace(source, stars=source.stars.select(slice(None, None, step)))
        for mistake, right in _MISTAKES.items():
            ra, dec = right(some.stars["ra"], some.stars["dec"])
            if np.any(np.abs(dec) > 90.0):
                continue
            turned = replace(some, stars=some.stars.with_columns(ra=ra, dec=dec))
            pairs = find_pairs(turned, replace(other, epoch=turned.epoch), False, True, radius)
            if share := float(np.mean(pairs.partner >= 0)):
                return f"it looks as if the {name} had {mistake}: {share:.0%} of them would match then"
    places = "; ".join(
        f"{name}: ra {np.min(s.stars['ra']):.3f} to {np.max(s.stars['ra']):.3f}, "
        f"dec {np.min(s.stars['dec']):.3f} to {np.max(s.stars['dec']):.3f} deg"
        for name, s in (("spectra", spectra), ("astrometry", astrometry))
    )
    return f"no star of the one lies within {radius:g} arcsec of one of the other ({places})"
