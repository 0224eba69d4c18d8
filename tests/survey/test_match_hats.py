"""The cross-match in pieces, by LSDB, against the one in memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import ASTROMETRY, MockCatalogues, cross_match, load_survey, parse_survey_config
from galactions.survey.match_hats import cross_match_hats, is_hats

from .test_match import source_pair
from .test_sample import table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of Dask and pandas, about themselves


@pytest.fixture(scope="module")
def hats(mock: MockCatalogues, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astrometry of the mock, partitioned on the sky, some thousand stars a piece."""
    lsdb = pytest.importorskip("lsdb", reason="needs the extra 'scale' (LSDB)")
    import pandas as pd

    path = tmp_path_factory.mktemp("hats") / "gaia"
    lsdb.from_dataframe(
        pd.DataFrame(mock.astrometry),
        ra_column="ra",
        dec_column="dec",
        partition_rows=4000,
        margin_threshold=30,
    ).to_hats(path, catalog_name="gaia")
    assert is_hats(path)
    return path


@pytest.mark.parametrize("ids", [True, False])
def test_same_pairs_as_in_memory(mock: MockCatalogues, hats: Path, ids: bool) -> None:
    one, two = source_pair(mock, ids)
    i, j, report = cross_match(one, two)
    rows, stars, in_pieces = cross_match_hats(one, hats, ASTROMETRY["gaia_edr3"])
    np.testing.assert_array_equal(rows, i)
    np.testing.assert_array_equal(stars["gaia_id"], two.stars["gaia_id"][j])
    assert in_pieces == report


def test_same_survey_as_from_a_file(mock: MockCatalogues, hats: Path, tmp_path: Path) -> None:
    mock.write(tmp_path)
    in_memory = load_survey(parse_survey_config(table()), tmp_path)
    source = {"file": str(hats), "preset": "gaia_edr3"}
    in_pieces = load_survey(parse_survey_config(table(astrometry=source)), tmp_path)
    for one, two in zip(in_memory.regions, in_pieces.regions, strict=True):
        assert one.n_stars == two.n_stars
        for name, h in one.histograms.items():
            np.testing.assert_allclose(two.histograms[name].p, h.p, rtol=1e-9)


def test_finished_pieces_are_taken_up(
    mock: MockCatalogues, hats: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the second piece, the match goes on with the third, and finds the same pairs."""
    one, _ = source_pair(mock)
    rows, stars, report = cross_match_hats(one, hats, ASTROMETRY["gaia_edr3"])
    monkeypatch.setattr("galactions.survey.match_hats.PARTITIONS", 1)
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        if len(shares) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_match_hats(one, hats, ASTROMETRY["gaia_edr3"], share=stop, keep=tmp_path, key={"of": "mock"})
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2
    assert 0.0 < shares[0] < shares[1] < 1.0
    i, there, again = cross_match_hats(
        one, hats, ASTROMETRY["gaia_edr3"], share=shares.append, keep=tmp_path, key={"of": "mock"}
    )
    assert shares[-1] == 1.0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(tmp_path.iterdir())) == len(shares) - 2
    np.testing.assert_array_equal(i, rows)
    np.testing.assert_array_equal(there["gaia_id"], stars["gaia_id"])
    assert again == report


def test_catalogues_without_a_common_star(mock: MockCatalogues, hats: Path) -> None:
    one, _ = source_pair(mock)
    for degrees in (60.0, 0.01):  # in other partitions, and in the same
        away = replace(one, stars=one.stars.with_columns(dec=one.stars["dec"] - degrees))
        with pytest.raises(CatalogueError, match="no spectrum has astrometry"):
            cross_match_hats(away, hats, ASTROMETRY["gaia_edr3"], by="id")


def test_missing_columns_are_named(mock: MockCatalogues, hats: Path) -> None:
    one, _ = source_pair(mock)
    with pytest.raises(CatalogueError, match="no column Kmag; it has"):
        cross_match_hats(one, hats, ASTROMETRY["gaia_edr3"], {"k_mag": "Kmag"})
