"""Stars and files that the tests of this room share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from galactions.survey import (
    PAPER_SUN,
    MockCatalogues,
    MockRecipe,
    Stars,
    mock_catalogues,
    stars_from_phase_space,
    write_catalogue,
)


@pytest.fixture(scope="session")
def dr3_file(shared: Path) -> Path:
    """The LAMOST DR3 red giants of Liu et al. (2017)."""
    path = shared / "data" / "lamost_dr3_rgb" / "LMDR3_diskRGB2.dat"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return path


@pytest.fixture(scope="session")
def field_file(shared: Path) -> Path:
    """LAMOST DR9 x Gaia DR3 in one field."""
    path = shared / "data" / "lamost_gaia_field" / "gaia_lamost_larger_velocity_features.csv"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return path


def disc_stars(n: int, seed: int = 0, l_range: tuple[float, float] = (160.0, 200.0)) -> Stars:
    """Stars around the anticentre on nearly circular orbits of 230 km/s, seen without error."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(*l_range, n), rng.uniform(-20.0, 20.0, n)
    distance = rng.uniform(0.2, 5.0, n)
    still = Stars(lon, lat, distance, np.zeros(n), np.zeros(n), np.zeros(n))
    place = still.phase_space(PAPER_SUN)[:, :3]
    R = np.hypot(place[:, 0], place[:, 1])
    along = np.stack([place[:, 1] / R, -place[:, 0] / R, np.zeros(n)], axis=1)
    velocity = 230.0 * along + rng.normal(0.0, 30.0, (n, 3))
    return stars_from_phase_space(np.concatenate([place, velocity], axis=1), PAPER_SUN)


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Writes columns given by name to a CSV file and returns its path."""

    def write(name: str = "stars.csv", **columns: object) -> Path:
        path = tmp_path / name
        rows = zip(*(list(c) for c in columns.values()), strict=True)  # type: ignore[call-overload]
        path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
        return path

    return write


@pytest.fixture
def mock_file(tmp_path: Path) -> Path:
    """3,000 disc stars in galactions' own columns."""
    return write_catalogue(disc_stars(3000), tmp_path / "mock.parquet")


@pytest.fixture(scope="session")
def zero_points() -> None:
    """Skips where the package of the parallax zero point is not installed."""
    pytest.importorskip("zero_point", reason="needs the extra 'survey' (gaiadr3-zeropoint)")


@pytest.fixture(scope="session")
def mock(zero_points: None) -> MockCatalogues:
    """Catalogues of 12,000 disc stars with halo stars, clusters, repeated spectra and neighbours."""
    recipe = MockRecipe(halo=0.03, clusters=2, cluster_stars=80, without_spectrum=0.5)
    return mock_catalogues(disc_stars(12_000), recipe, seed=3)
