"""Gaia ids: kept whole, and recognised when they are not."""

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey.identifiers import as_ids, went_through_float
from galactions.survey.tables import NO_ID

# real ids of Gaia DR3, of one field
REAL = np.array(
    [3089803084812330368, 3090685683412224256, 5853498713190525696, 4472832130942575872, 2947050466531873024]
)


def test_all_ways_to_write_an_id_agree() -> None:
    np.testing.assert_array_equal(as_ids(REAL), REAL)
    np.testing.assert_array_equal(as_ids(REAL.astype(str)), REAL)
    np.testing.assert_array_equal(as_ids(np.array([f" {i} ".encode() for i in REAL])), REAL)
    np.testing.assert_array_equal(as_ids(REAL.astype(np.uint64)), REAL)


def test_blanks_are_no_id() -> None:
    np.testing.assert_array_equal(as_ids(np.array(["", "nan", "-1", "0", "12"])), [NO_ID] * 4 + [12])
    np.testing.assert_array_equal(as_ids(np.array([np.nan, -9999.0, 12.0])), [NO_ID, NO_ID, 12])


@pytest.mark.parametrize("bad", ["12.5", "Gaia DR3 17", "99999999999999999999"])
def test_what_is_no_whole_number_is_named(bad: str) -> None:
    with pytest.raises(CatalogueError, match=f"found {bad!r} in row 2"):
        as_ids(np.array(["12", bad]))


def test_lost_digits_are_noticed() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(1 << 53, 1 << 55, 2000) * 128
    assert not went_through_float(ids)
    assert not went_through_float(ids.astype(str))
    rounded = ids.astype(np.float64)
    assert went_through_float(rounded)
    assert went_through_float(rounded.astype(np.int64))
    assert np.mean(rounded.astype(np.int64) == ids) < 0.6  # and digits they had


def test_few_ids_say_nothing() -> None:
    assert not went_through_float(REAL[:3].astype(np.float64).astype(np.int64))
