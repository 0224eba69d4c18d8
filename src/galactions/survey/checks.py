"""Is this catalogue in the units that it is taken to be in? Questions to whole columns, before any star is
dropped.

A single bad star is excluded and counted (`galactions.survey.catalogue`); a column that as a whole cannot
be right is an error that says what it looks like instead.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from galactions.errors import CatalogueError
from galactions.survey.frame import icrs_to_galactic
from galactions.survey.stars import FloatArray

ENOUGH = 20
"""Fewer stars than this say nothing about the unit of a column."""

AGREE_DEG = 0.01
"""l, b and ra, dec are the same position when they differ (in the median) by less than this."""

MAX_SPEED = 1200.0
"""km/s; a line-of-sight velocity beyond it is that of no star of the Galaxy."""

MAX_DISTANCE = 500.0
"""kpc; beyond it no star of the Galaxy is seen."""

TRUST = "; if the values are right all the same, set trust_units = true"


def _separation(l1: FloatArray, b1: FloatArray, l2: FloatArray, b2: FloatArray) -> FloatArray:
    """Angle between positions, degrees, by the chord (also right for latitudes beyond 90)."""
    p1, p2 = np.radians(b1), np.radians(b2)
    q1, q2 = np.radians(l1), np.radians(l2)
    a = np.stack([np.cos(p1) * np.cos(q1), np.cos(p1) * np.sin(q1), np.sin(p1)])
    b = np.stack([np.cos(p2) * np.cos(q2), np.cos(p2) * np.sin(q2), np.sin(p2)])
    chord = np.linalg.norm(a - b, axis=0)
    result: FloatArray = np.degrees(2.0 * np.arcsin(np.minimum(1.0, chord / 2.0)))
    return result


def position_mismatch(lon: FloatArray, lat: FloatArray, ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Angle (degrees, NaN where a coordinate is) between Galactic and ICRS positions of the same stars."""
    l_true, b_true = icrs_to_galactic(ra, dec)
    return _separation(lon, lat, np.asarray(l_true), np.asarray(b_true))


def check_positions(path: Path, columns: dict[str, FloatArray]) -> None:
    """Galactic and equatorial coordinates: degrees, not swapped, and the same place where both are given.

    `columns` holds l, b or ra, dec or all four, in what should be degrees. Raises CatalogueError that names
    the likely mistake: swapped, hours, radians.
    """
    if {"l", "b", "ra", "dec"} <= columns.keys():
        _check_agreement(path, *(columns[name] for name in ("l", "b", "ra", "dec")))
    for lon_name, lat_name in (("l", "b"), ("ra", "dec")):
        if lon_name in columns and lat_name in columns:
            _check_angles(path, lon_name, lat_name, columns[lon_name], columns[lat_name])


def _check_agreement(path: Path, lon: FloatArray, lat: FloatArray, ra: FloatArray, dec: FloatArray) -> None:
    known = np.flatnonzero(np.isfinite(lon + lat + ra + dec))
    if len(known) < ENOUGH:
        return
    some = known[:: max(1, len(known) // 5000)]
    lon, lat, ra, dec = lon[some], lat[some], ra[some], dec[some]
    typical = float(np.median(position_mismatch(lon, lat, ra, dec)))
    if typical < AGREE_DEG:
        return
    turn = np.degrees
    guesses: dict[str, Callable[[], FloatArray]] = {
        "l and b are swapped": lambda: position_mismatch(lat, lon, ra, dec),
        "ra and dec are swapped": lambda: position_mismatch(lon, lat, dec, ra),
        "l is in hours": lambda: position_mismatch(15 * lon, lat, ra, dec),
        "ra is in hours": lambda: position_mismatch(lon, lat, 15 * ra, dec),
        "l and b are in radians": lambda: position_mismatch(turn(lon), turn(lat), ra, dec),
        "ra and dec are in radians": lambda: position_mismatch(lon, lat, turn(ra), turn(dec)),
        "all four are in radians": lambda: position_mismatch(turn(lon), turn(lat), turn(ra), turn(dec)),
    }
    for guess, mismatch in guesses.items():
        if float(np.median(mismatch())) < AGREE_DEG:
            raise CatalogueError(
                f"{path}: l, b and ra, dec are {typical:.3g} deg apart: it looks as if {guess}"
            )
    raise CatalogueError(
        f"{path}: l, b and ra, dec are different places, {typical:.3g} deg apart in the median "
        f"(allowed: {AGREE_DEG})"
    )


def _check_angles(path: Path, lon_name: str, lat_name: str, lon: FloatArray, lat: FloatArray) -> None:
    known = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = lon[known], lat[known]
    if len(lon) == 0:
        raise CatalogueError(f"{path}: no star has both {lon_name} and {lat_name}: all are missing or NaN")
    beyond = np.abs(lat) > 90.0
    if beyond.mean() > 0.01:
        swapped = f"; are {lon_name} and {lat_name} swapped?" if np.abs(lon).max() <= 90.0 else ""
        raise CatalogueError(
            f"{path}: {lat_name} reaches {lat[beyond][0]:g} deg; it must lie in -90 to 90{swapped}"
        )
    if np.mean((lon < -180.0) | (lon > 360.0)) > 0.01:
        raise CatalogueError(
            f"{path}: {lon_name} runs from {lon.min():g} to {lon.max():g} deg; it must lie in -180 to 360"
        )
    if len(lon) < ENOUGH:
        return
    if np.abs(lon).max() <= 2 * np.pi + 1e-6 and np.abs(lat).max() <= np.pi / 2 + 1e-6:
        raise CatalogueError(
            f"{path}: {lon_name} stays below {np.abs(lon).max():.4g} and {lat_name} below "
            f"{np.abs(lat).max():.4g}: these look like radians; "
            f"they must be degrees (scale = 57.29577951308232){TRUST}"
        )
    if lon.min() >= 0.0 and lon.max() <= 24.0 and np.ptp(lon) > 8.0 and np.ptp(lat) > 20.0:
        raise CatalogueError(
            f"{path}: {lon_name} runs from {lon.min():.4g} to {lon.max():.4g}: this looks like hours; "
            f"it must be degrees (scale = 15){TRUST}"
        )


def _spread(values: FloatArray) -> float:
    """1.4826 times the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def check_distances(path: Path, distance: FloatArray) -> None:
    """Distances, in kpc? Raises CatalogueError for pc, Mpc, or when most are not positive."""
    known = distance[np.isfinite(distance)]
    if len(known) == 0:
        raise CatalogueError(f"{path}: no star has a distance: all are missing or NaN")
    if len(known) < ENOUGH:
        return
    if np.mean(known <= 0) > 0.5:
        raise CatalogueError(
            f"{path}: {np.mean(known <= 0):.0%} of the distances are zero or negative; they must be kpc, "
            "above 0"
        )
    middle = float(np.median(known))
    if middle > 100.0:
        raise CatalogueError(
            f"{path}: the median distance is {middle:.4g}: this looks like pc; it must be kpc "
            f"(scale = 0.001){TRUST}"
        )
    if middle < 1e-3:
        raise CatalogueError(
            f"{path}: the median distance is {middle:.3g} kpc: this looks like Mpc; it must be kpc "
            f"(scale = 1000){TRUST}"
        )


def check_velocities(path: Path, v_los: FloatArray) -> None:
    """Line-of-sight velocities, in km/s? Raises CatalogueError for m/s or a redshift."""
    known = v_los[np.isfinite(v_los)]
    if len(known) == 0:
        raise CatalogueError(f"{path}: no star has a line-of-sight velocity: all are missing or NaN")
    if len(known) < ENOUGH:
        return
    spread, typical = _spread(known), float(np.median(np.abs(known)))
    if max(spread, typical) > MAX_SPEED:
        raise CatalogueError(
            f"{path}: v_los has a spread of {spread:.4g} and a median size of {typical:.4g}: "
            f"this looks like m/s; it must be km/s (scale = 0.001){TRUST}"
        )
    if spread < 0.05:
        raise CatalogueError(
            f"{path}: v_los has a spread of {spread:.3g}: this looks like a redshift; it must be km/s "
            f"(scale = 299792.458){TRUST}"
        )


def check_parallaxes(path: Path, parallax: FloatArray) -> None:
    """Parallaxes, in mas? Raises CatalogueError for arcsec or microarcsec."""
    # measuring errors alone scatter them by more than 0.01 mas, and no sample reaches from here to 50
    _check_small_angles(path, "parallax", parallax, "", 50.0)


def check_proper_motions(path: Path, name: str, pm: FloatArray) -> None:
    """Proper motions, in mas/yr? Raises CatalogueError for arcsec/yr or microarcsec/yr."""
    _check_small_angles(path, name, pm, "/yr", 1000.0)


def _check_small_angles(path: Path, name: str, angles: FloatArray, per: str, largest: float) -> None:
    """Raises CatalogueError unless the spread is between 0.01 and `largest` mas, `per` year or not."""
    known = angles[np.isfinite(angles)]
    if len(known) < ENOUGH:
        return
    spread = _spread(known)
    if spread > largest or 0.0 < spread < 0.01:
        unit, scale = ("microarcsec", 0.001) if spread > largest else ("arcsec", 1000)
        raise CatalogueError(
            f"{path}: {name} has a spread of {spread:.3g}: this looks like {unit}{per}; it must be mas{per} "
            f"(scale = {scale}){TRUST}"
        )
