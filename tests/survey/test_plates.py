"""The selection function of plates: the real table, and its use as a weight."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import PlateSelection, read_plate_selection
from galactions.survey.plates import COLOUR_CENTRES, K_CENTRES, serial_numbers


@pytest.fixture(scope="module")
def real(shared: Path) -> PlateSelection:
    path = shared / "data" / "lamost_dr3_rgb" / "Selection_plates.csv.zip"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return read_plate_selection(path)


def test_the_real_table(real: PlateSelection) -> None:
    assert real.inverse.shape == (2666, 46, 61)
    assert (real.plates[0], real.plates[-1]) == (1, 3511)
    observed = real.inverse > 0
    # stars were observed where LAMOST's stars are: the order of the two axes is right
    per_magnitude, per_colour = observed.sum(axis=(0, 1)), observed.sum(axis=(0, 2))
    assert 10 < K_CENTRES[per_magnitude.argmax()] < 14
    assert 0.2 < COLOUR_CENTRES[per_colour.argmax()] < 1.0


def test_weights_are_the_cells_of_the_table(real: PlateSelection) -> None:
    p, j, i = np.argwhere(real.inverse > 0)[::5000].T
    nudge = 0.4
    weight = real.weight(real.plates[p], K_CENTRES[i] + nudge * 0.25, COLOUR_CENTRES[j] - nudge * 0.1)
    np.testing.assert_array_equal(weight, real.inverse[p, j, i])


def test_no_weight_where_nothing_is_known(real: PlateSelection) -> None:
    plate = np.array([real.plates[0], 999_999, real.plates[0], real.plates[0], real.plates[0]])
    weight = real.weight(plate, [0.0, 11.0, 30.0, np.nan, 11.0], [0.5, 0.5, 0.5, 0.5, 9.0])
    assert np.isnan(weight).all()


def test_csv_and_zip_agree_and_bad_files_are_named(tmp_path: Path) -> None:
    rows = np.zeros((2, 1 + 46 * 61))
    rows[:, 0] = 9, 4
    rows[0, 1 + 13 * 61 + 40] = 3.5  # J - K = 0.8, K = 10
    text = "\n".join(",".join(f"{v:g}" for v in row) for row in rows) + "\n"
    (tmp_path / "s.csv").write_text(text)
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("s.csv", text)
    for name in ("s.csv", "s.zip"):
        table = read_plate_selection(tmp_path / name)
        np.testing.assert_array_equal(table.plates, [4, 9])
        assert table.weight([9], [10.0], [0.8])[0] == 3.5
    (tmp_path / "short.csv").write_text("1,2,3\n")
    with pytest.raises(CatalogueError, match="rows must have 2807 numbers: found 3"):
        read_plate_selection(tmp_path / "short.csv")
    (tmp_path / "text.csv").write_text("1,two\n")
    with pytest.raises(CatalogueError, match="not a table of plate selections"):
        read_plate_selection(tmp_path / "text.csv")
    with pytest.raises(CatalogueError, match="not a table of plate selections"):
        read_plate_selection(tmp_path / "none.csv")


def test_numbers_of_plates_by_their_names(tmp_path: Path) -> None:
    """A plate observed twice has two numbers: the one that the selection knows counts."""
    path = tmp_path / "plan.csv"
    path.write_text("pid|obsdate|planid\n5|2012-01-01|HD01 \n7|2012-01-02|GAC07\n9|2012-02-01|HD01\n")
    names = np.array(["GAC07", "HD01", "nowhere", "HD01"])
    assert serial_numbers(names, path, np.array([7, 9])).tolist() == [7, 9, -1, 9]
    assert serial_numbers(names, path, np.array([1])).tolist() == [7, 5, -1, 5]
    path.write_text("planid\nHD01\n")
    with pytest.raises(CatalogueError, match="no column 'pid'"):
        serial_numbers(names, path, np.array([1]))
