"""Reading and writing files of stars, in each format; and stars that cannot be used, each counted."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import Column, Stars, read_catalogue, write_catalogue

from .conftest import disc_stars

Writer = Callable[..., Path]


@pytest.mark.parametrize("ending", ["fits", "csv", "ecsv", "parquet", "vot"])
def test_round_trip(tmp_path: Path, ending: str) -> None:
    from dataclasses import replace

    n = 50
    stars = replace(
        disc_stars(n), e_v_los=np.full(n, 5.0), feh=np.linspace(-2, 0.5, n), ident=np.arange(n) + 2**60
    )
    path = write_catalogue(stars, tmp_path / f"stars.{ending}")
    back, flow = read_catalogue(path)
    assert flow.left == n
    assert [name for name, _ in back.columns()] == [name for name, _ in stars.columns()]
    for name, column in stars.columns():
        np.testing.assert_allclose(getattr(back, name), column, rtol=1e-14)
    np.testing.assert_array_equal(back.ident, stars.ident)  # 64-bit identifiers keep all digits
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # nothing temporary is left


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("old")
    bad = Stars(*np.ones((4, 3)), ident=np.array([{}, object(), 1], dtype=object))
    with pytest.raises(Exception, match=r".+"):
        write_catalogue(bad, path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(CatalogueError, match=r"written as \.fits"):
        write_catalogue(disc_stars(3), tmp_path / "stars.dat")


@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t"])
def test_delimiters_comments_and_compression(tmp_path: Path, delimiter: str) -> None:
    rows = ["# a comment", "l,b,distance,v_los,name", "170,5,1.5,10,x", "171,6,,20,y", "172,7,2.5,nan,z"]
    path = tmp_path / "stars.csv.gz"
    path.write_bytes(gzip.compress("\n".join(rows).replace(",", delimiter).encode()))
    stars, flow = read_catalogue(path)
    assert stars.l.tolist() == [170.0]
    assert (flow.removed_by("distance is known"), flow.removed_by("v_los is known")) == (1, 1)


@pytest.mark.parametrize("header", ["# L B D RV", "L B D RV"])
def test_whitespace_table(tmp_path: Path, header: str) -> None:
    path = tmp_path / "stars.dat"
    path.write_text(f"{header}\n170 5 1.5 10\n171 +6 2.5 -20\n")
    stars, _ = read_catalogue(path, columns={"l": "L", "b": "B", "distance": "D", "v_los": "RV"})
    assert stars.v_los.tolist() == [10, -20]


def test_fits_nulls_and_masks(tmp_path: Path) -> None:
    from astropy.table import MaskedColumn, Table

    table = Table({"l": [1.0, 2, 3], "b": [1.0, 2, 3], "distance": [1.0, 2, 3]})
    table["v_los"] = MaskedColumn([10, 20, 30], mask=[False, True, False])
    for name, style in (("stars.fits", "fits"), ("stars.ecsv", "ascii.ecsv"), ("stars.vot", "votable")):
        table.write(tmp_path / name, format=style)
        stars, flow = read_catalogue(tmp_path / name)
        assert stars.v_los.tolist() == [10, 30], name
        assert flow.removed_by("v_los is known") == 1


def test_units_by_scale_and_positions_by_icrs(write_csv: Writer) -> None:
    path = write_csv(
        RA=[266.4051, 86.4051], DEC=[-28.936175, 28.936175], plx_d=[1500.0, 250.0], z=[1e-4, -2e-4]
    )
    columns = {
        "ra": "RA",
        "dec": "DEC",
        "distance": Column("plx_d", 1e-3),
        "v_los": Column("z", 299792.458, 1.0),
    }
    stars, _ = read_catalogue(path, columns=columns)
    np.testing.assert_allclose(stars.distance, [1.5, 0.25])
    np.testing.assert_allclose(stars.v_los, [30.9792458, -58.9584916])
    np.testing.assert_allclose(np.abs(stars.b), 0, atol=1e-3)
    np.testing.assert_allclose(np.cos(np.radians(stars.l)), [1, -1], atol=1e-9)


def test_columns_override_a_preset(write_csv: Writer) -> None:
    path = write_csv(l=[170.0], b=[1.0], distance=[1.0], v_los=[1.0], rv2=[7.0])
    stars, _ = read_catalogue(path, preset="galactions", columns={"v_los": "rv2"})
    assert stars.v_los.tolist() == [7.0]


def test_every_star_left_out_is_counted(write_csv: Writer) -> None:
    n = 40
    s = {"l": np.linspace(160, 200, n), "b": np.linspace(-20, 20, n), "distance": np.linspace(0.5, 5, n)}
    s |= {"v_los": np.linspace(-60, 60, n), "e_v_los": np.full(n, 4.0)}
    s["l"][0] = np.nan
    s["distance"][1:4] = -1.0, 0.0, -9999.0
    s["distance"][4] = 4000.0
    s["v_los"][5:7] = np.nan, 3e5
    s["e_v_los"][7:9] = np.nan, -1.0
    s["v_los"][9] = np.inf
    stars, flow = read_catalogue(write_csv(**s), require=("v_los", "e_v_los"))
    assert len(stars) == n - 10 == flow.left
    for name, removed in [
        ("position is known", 1),
        ("distance is known", 1),
        ("distance is positive", 2),
        ("distance below 500 kpc", 1),
        ("v_los is known", 2),
        ("|v_los| below 1200 km/s", 1),
        ("e_v_los is known", 1),
        ("e_v_los is not negative", 1),
    ]:
        assert flow.removed_by(name) == removed, name
    assert sum(cut.removed for cut in flow.cuts) == 10


def test_missing_file_and_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere\.fits: no such file"):
        read_catalogue(tmp_path / "nowhere.fits")
    path = tmp_path / "stars.xlsx"
    path.write_text("x")
    with pytest.raises(CatalogueError, match=r"ending in '\.xlsx'; known endings are \.fits"):
        read_catalogue(path)


def test_missing_column_names_it_and_what_comes_close(write_csv: Writer) -> None:
    path = write_csv(l=[170.0], b=[1.0], Dist=[1.0], rv=[1.0])
    with pytest.raises(
        CatalogueError, match=r"no column 'dist' \(did you mean 'Dist'\?\).*has l, b, Dist, rv"
    ):
        read_catalogue(path, columns={"l": "l", "b": "b", "distance": "dist", "v_los": "rv"})
    with pytest.raises(CatalogueError, match=r"no column 'feh'"):
        read_catalogue(path, preset="galactions", columns={"distance": "Dist", "v_los": "rv", "feh": "feh"})


def test_column_map_must_say_where_stars_are(write_csv: Writer) -> None:
    path = write_csv(l=[170.0], b=[1.0])
    with pytest.raises(
        CatalogueError, match=r"no column is given for l and b .* distance .or parallax., v_los; given are l"
    ):
        read_catalogue(path, columns={"l": "l"})
    with pytest.raises(
        CatalogueError,
        match="preset 'sdss' is not known; presets are apogee_hipparcos, gaia_dr2_6d, galactions",
    ):
        read_catalogue(path, preset="sdss")


def test_text_in_a_column_of_numbers(write_csv: Writer) -> None:
    path = write_csv(l=[170.0, 171.0], b=[1.0, 2.0], distance=["1.5", "far"], v_los=[1.0, 2.0])
    with pytest.raises(
        CatalogueError, match=r"'distance' \(distance\) must be numbers: found 'far' in row 2"
    ):
        read_catalogue(path)


@pytest.mark.parametrize("content", [b"", b"SIMPLE  = nonsense", b"\x00\x01" * 50])
@pytest.mark.parametrize("ending", ["fits", "parquet", "csv", "ecsv", "dat", "vot"])
def test_broken_files(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"stars.{ending}"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=r"stars\."):
        read_catalogue(path)


CUT_OFF = "cut off|[Tt]runcated|ended before|magic bytes|no element found|unclosed token"
"""What the readers say of files that end too early."""


@pytest.mark.parametrize(
    "ending", ["fits", "fits.gz", "parquet", "vot", "vot.gz", "csv", "csv.gz", "ecsv", "ecsv.gz"]
)
def test_truncated_files(tmp_path: Path, ending: str) -> None:
    """A file that is cut off anywhere is told from a whole one: no shorter sample, no last number halved."""
    whole = write_catalogue(disc_stars(2000), tmp_path / f"whole.{ending.removesuffix('.gz')}").read_bytes()
    content = gzip.compress(whole) if ending.endswith(".gz") else whole
    path = tmp_path / f"stars.{ending}"
    path.write_bytes(content)
    assert len(read_catalogue(path)[0]) == 2000
    for cut in (0.3, 0.75, 0.999):
        path.write_bytes(content[: int(cut * len(content))])
        with pytest.raises(CatalogueError, match=CUT_OFF):
            read_catalogue(path)


def test_table_without_rows(write_csv: Writer) -> None:
    with pytest.raises(CatalogueError, match="no rows"):
        read_catalogue(write_csv(l=[], b=[], distance=[], v_los=[]))


def test_no_star_that_can_be_used(write_csv: Writer) -> None:
    path = write_csv(l=[170.0, 171.0], b=[1.0, 2.0], distance=[-1.0, -2.0], v_los=[1.0, 2.0])
    with pytest.raises(CatalogueError, match=r"none of the 2 stars can be used:(.|\n)*distance is positive"):
        read_catalogue(path)


def test_columns_of_different_length() -> None:
    with pytest.raises(CatalogueError, match="same length"):
        Stars(np.zeros(3), np.zeros(3), np.ones(3), np.zeros(2))
    with pytest.raises(CatalogueError, match="no proper motions"):
        Stars(*np.ones((4, 3))).phase_space(None)  # type: ignore[arg-type]
