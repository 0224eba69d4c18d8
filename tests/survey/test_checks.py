"""Catalogues in the wrong units: each mistake is recognised and named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import galactic_to_icrs, read_catalogue

from .conftest import disc_stars

N = 400


def columns(seed: int = 0) -> dict[str, np.ndarray]:
    """A sound catalogue with Galactic and equatorial positions."""
    stars = disc_stars(N, seed)
    ra, dec = (np.asarray(a) for a in galactic_to_icrs(stars.l, stars.b))
    return {
        "l": stars.l, "b": stars.b, "ra": ra, "dec": dec, "distance": stars.distance,
        "v_los": stars.v_los, "pm_ra": np.asarray(stars.pm_ra), "pm_dec": np.asarray(stars.pm_dec),
    }  # fmt: skip


def read(write: Callable[..., Path], values: dict[str, np.ndarray], trust: bool = False) -> int:
    """Stars that are read when every column is taken for what its name says."""
    path = write(**values)
    return len(read_catalogue(path, columns={name: name for name in values}, trust_units=trust)[0])


def test_sound_catalogue_passes(write_csv: Callable[..., Path]) -> None:
    assert read(write_csv, columns()) == N


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: c | {"l": c["b"], "b": c["l"]}, "l and b are swapped"),
        (lambda c: c | {"ra": c["dec"], "dec": c["ra"]}, "ra and dec are swapped"),
        (lambda c: c | {"l": c["l"] / 15}, "l is in hours"),
        (lambda c: c | {"ra": c["ra"] / 15}, "ra is in hours"),
        (lambda c: c | {k: np.radians(c[k]) for k in ("l", "b")}, "l and b are in radians"),
        (lambda c: c | {k: np.radians(c[k]) for k in ("ra", "dec")}, "ra and dec are in radians"),
        (lambda c: c | {k: np.radians(c[k]) for k in ("l", "b", "ra", "dec")}, "all four are in radians"),
        (lambda c: c | {"ra": c["ra"][::-1]}, "different places"),
    ],
)
def test_two_positions_that_disagree(write_csv: Callable[..., Path], change: Callable, text: str) -> None:
    with pytest.raises(CatalogueError, match=f"stars.csv: l, b and ra, dec are .*{text}"):
        read(write_csv, change(columns()))


def test_single_stars_whose_positions_disagree_are_counted(write_csv: Callable[..., Path]) -> None:
    c = columns()
    c["l"][:5] += 3.0
    _, flow = read_catalogue(write_csv(**c), columns={name: name for name in c})
    assert flow.removed_by("l, b agree with ra, dec") == 5


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: c | {"l": c["b"], "b": c["l"]}, "b reaches .* swapped"),
        (lambda c: c | {k: np.radians(c[k]) for k in ("l", "b")}, "look like radians"),
        (lambda c: c | {"l": np.linspace(0, 23.9, N), "b": np.linspace(-60, 60, N)}, "looks like hours"),
        (lambda c: c | {"l": c["l"] + 300}, "l runs from .* -180 to 360"),
        (lambda c: c | {"l": np.full(N, np.nan)}, "no star has both l and b"),
        (
            lambda c: c | {"v_los": 1000 * c["v_los"]},
            r"v_los has a spread .* looks like m/s; it must be km/s",
        ),
        (lambda c: c | {"v_los": c["v_los"] / 299792.458}, "looks like a redshift"),
        (lambda c: c | {"v_los": np.full(N, np.nan)}, "no star has a line-of-sight velocity"),
        (lambda c: c | {"distance": 1000 * c["distance"]}, "looks like pc"),
        (lambda c: c | {"distance": c["distance"] / 1000 / 5}, "looks like Mpc"),
        (lambda c: c | {"distance": -c["distance"]}, "100% of the distances are zero or negative"),
        (lambda c: c | {"distance": np.full(N, np.nan)}, "no star has a distance"),
        (lambda c: c | {"pm_ra": 1000 * c["pm_ra"]}, "pm_ra has a spread .* looks like microarcsec/yr"),
        (lambda c: c | {"pm_dec": c["pm_dec"] / 1000}, "pm_dec has a spread .* looks like arcsec/yr"),
    ],
)
def test_wrong_units(write_csv: Callable[..., Path], change: Callable, text: str) -> None:
    values = {k: v for k, v in columns().items() if k not in ("ra", "dec")}
    with pytest.raises(CatalogueError, match=text):
        read(write_csv, change(values))


def test_units_can_be_trusted(write_csv: Callable[..., Path]) -> None:
    values = {k: v for k, v in columns().items() if k not in ("ra", "dec")}
    values |= {
        "l": np.linspace(0.1, 6.0, N),
        "b": np.linspace(-1.5, 1.5, N),
    }  # a field around the Galactic centre
    with pytest.raises(CatalogueError, match="trust_units = true"):
        read(write_csv, values)
    assert read(write_csv, values, trust=True) == N


def test_a_handful_of_stars_says_nothing_about_units(write_csv: Callable[..., Path]) -> None:
    assert (
        read(write_csv, {"l": [1.0, 2.0], "b": [0.5, 0.1], "distance": [0.1, 200.0], "v_los": [1.0, 1.0]})
        == 2
    )
