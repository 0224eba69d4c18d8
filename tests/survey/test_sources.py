"""Reading catalogues of spectra and astrometry: all formats alike, and what is wrong with a file is said."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import ASTROMETRY, SPECTRA, Column, MockCatalogues, read_source
from galactions.survey.tables import NO_ID
from galactions.survey.write_table import write_columns

LAMOST, GAIA = SPECTRA["lamost_dr8_v2"], ASTROMETRY["gaia_edr3"]


@pytest.fixture(scope="module")
def spectra(mock: MockCatalogues) -> dict[str, np.ndarray]:
    return {name: column[:400] for name, column in mock.spectra.items()}


@pytest.mark.parametrize("ending", [".fits", ".csv", ".ecsv", ".parquet", ".vot", ".fits.gz"])
def test_all_formats_give_the_same_stars(spectra: dict, tmp_path: Path, ending: str) -> None:
    source = read_source(write_columns(spectra, tmp_path / f"lamost{ending}"), LAMOST)
    assert (source.gaia_release, source.epoch, source.flow.left) == ("dr3", 2005.6, 400)
    np.testing.assert_array_equal(source.stars["gaia_id"], spectra["gaia_source_id"].astype(np.int64))
    for name, column in (("ra", "ra"), ("v_los", "rv"), ("e_logg", "logg_err"), ("snr_g", "snrg")):
        np.testing.assert_allclose(source.stars[name], spectra[column], rtol=1e-12)


def test_lamost_csv_with_bars_blanks_and_compression(spectra: dict, tmp_path: Path) -> None:
    path = tmp_path / "dr8.csv.gz"
    rows = [list(row) for row in zip(*spectra.values(), strict=True)]
    at = list(spectra).index("gaia_source_id")
    rows[7][at] = ""
    text = ["|".join(spectra), *("|".join(map(str, row)) for row in rows)]
    with gzip.open(path, "wt") as file:
        file.write("\n".join(text))
    ids = read_source(path, LAMOST).stars["gaia_id"]
    assert ids[7] == NO_ID
    np.testing.assert_array_equal(np.delete(ids, 7), np.delete(spectra["gaia_source_id"].astype(np.int64), 7))


def test_columns_of_the_real_releases_are_the_presets(shared: Path) -> None:
    folder = shared / "data" / "columns"
    for name in ("edr3", "dr3"):
        real = set((folder / f"gaia_{name}_gaia_source.txt").read_text().split())
        joined = ("j_mag", "h_mag", "k_mag", "w2_mag")
        ours = {c.name for quantity, c in GAIA.columns.items() if not quantity.endswith(joined)}
        assert ours <= real
    real = set((folder / "lamost_dr10_v2.0_LRS_stellar.txt").read_text().split())
    assert {c.name for c in LAMOST.columns.values()} <= real


def test_ids_that_lost_digits_are_not_trusted(spectra: dict, tmp_path: Path) -> None:
    rounded = spectra | {"gaia_source_id": spectra["gaia_source_id"].astype(np.float64)}
    source = read_source(write_columns(rounded, tmp_path / "v1.fits"), LAMOST)
    assert source.gaia_release == ""
    assert "'gaia_source_id' went through a float" in source.ids_note


def test_columns_may_be_given_and_are_checked(spectra: dict, tmp_path: Path) -> None:
    path = write_columns(spectra | {"Kmag": np.full(400, 11.0)}, tmp_path / "x.parquet")
    assert read_source(path, LAMOST, columns={"k_mag": "Kmag"}).stars["k_mag"][0] == 11.0
    with pytest.raises(CatalogueError, match=r"no column 'kmag' \(did you mean 'Kmag'"):
        read_source(path, LAMOST, columns={"k_mag": "kmag"})
    with pytest.raises(CatalogueError, match="no quantity colour; allowed are"):
        read_source(path, LAMOST, columns={"colour": "Kmag"})


def test_missing_column_is_named(spectra: dict, tmp_path: Path) -> None:
    rest = {name: column for name, column in spectra.items() if name != "snrg"}
    with pytest.raises(CatalogueError, match="no column 'snrg'"):
        read_source(write_columns(rest, tmp_path / "x.csv"), LAMOST)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: {"ra": c["ra"] / 15}, "ra runs from .* this looks like hours"),
        (lambda c: {"ra": np.radians(c["ra"]), "dec": np.radians(c["dec"])}, "look like radians"),
        (lambda c: {"rv": 1000 * c["rv"]}, "this looks like m/s"),
        (lambda c: {"rv": c["rv"] / 299792.458}, "this looks like a redshift"),
    ],
    ids=["hours", "radians", "metres", "redshift"],
)
def test_wrong_units(spectra: dict, tmp_path: Path, change: Callable, text: str) -> None:
    all_sky = spectra | {"ra": np.linspace(0, 360, 400), "dec": np.linspace(-80, 80, 400)}
    path = write_columns(all_sky | change(all_sky), tmp_path / "x.parquet")
    with pytest.raises(CatalogueError, match=text):
        read_source(path, LAMOST)
    assert len(read_source(path, LAMOST, trust_units=True).stars) == 400


@pytest.mark.parametrize(("scale", "unit"), [(1e-3, "arcsec"), (1e3, "microarcsec")])
def test_parallaxes_in_another_unit(mock: MockCatalogues, tmp_path: Path, scale: float, unit: str) -> None:
    columns = dict(mock.astrometry) | {"parallax": scale * mock.astrometry["parallax"]}
    path = write_columns(columns, tmp_path / "gaia.parquet")
    text = f"parallax has a spread of .*: this looks like {unit}; it must be mas"
    with pytest.raises(CatalogueError, match=text):
        read_source(path, GAIA)
    given = {"parallax": Column("parallax", scale=1.0 / scale)}
    right = read_source(path, GAIA, columns=given)
    np.testing.assert_allclose(right.stars["parallax"], mock.astrometry["parallax"], rtol=1e-12)


def test_rows_without_a_position_are_counted(spectra: dict, tmp_path: Path) -> None:
    ra, dec = spectra["ra"].copy(), spectra["dec"].copy()
    ra[:3], dec[3] = np.nan, 95.0
    source = read_source(write_columns(spectra | {"ra": ra, "dec": dec}, tmp_path / "x.fits"), LAMOST)
    assert source.flow.removed_by("x.fits: position is known") == 3
    assert source.flow.removed_by("x.fits: position is on the sky") == 1
    assert len(source.stars) == 396


def test_values_that_stand_for_none(spectra: dict, tmp_path: Path) -> None:
    rv, teff = spectra["rv"].copy(), spectra["teff"].copy()
    rv[:2], teff[2:4] = (-9999.0, -999.0), (-999.0, -9999.0)
    stars = read_source(write_columns(spectra | {"rv": rv, "teff": teff}, tmp_path / "x.fits"), LAMOST).stars
    assert np.flatnonzero(np.isnan(stars["v_los"])).tolist() == [0, 1]
    assert np.flatnonzero(np.isnan(stars["teff"])).tolist() == [2, 3]


def test_every_preset_tells_what_it_was_checked_against() -> None:
    for preset in (*SPECTRA.values(), *ASTROMETRY.values()):
        assert preset.source
    for name in ("lamost_dr8_v1", "lamost_dr9_v1", "lamost_dr10_v1"):
        assert "assumed" in SPECTRA[name].source


def test_truncated_file(spectra: dict, tmp_path: Path) -> None:
    path = write_columns(spectra, tmp_path / "cut.fits")
    path.write_bytes(path.read_bytes()[:-12_000])
    with pytest.raises(CatalogueError, match=r"cut\.fits: cannot be read as fits"):
        read_source(path, LAMOST)
