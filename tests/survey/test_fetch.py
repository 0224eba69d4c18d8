"""Fetching from the archive, with stand-ins for it (a function; a server that astroquery talks to): pieces
cover the sky, and interruptions lose nothing.
"""

import gzip
import io
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

from galactions.errors import CatalogueError, ConfigError
from galactions.survey import (
    ASTROMETRY,
    SPECTRA,
    GaiaRequest,
    fetch_gaia,
    icrs_to_galactic,
    lamost_instructions,
    read_source,
)
from galactions.survey.fetch import LAMOST_PAGES, LAST_ID, WAITS, ArchiveError, launch

REQUEST = GaiaRequest(pieces=6)


def archive(query: str, rows: int = 5):
    """A table as the archive would give it: some stars of the piece, with nulls."""
    from astropy.table import MaskedColumn, Table

    low = int(query.split("source_id >= ")[1].split()[0])
    table = Table()
    for column in ASTROMETRY["gaia_edr3"].columns.values():
        table[column.name] = np.linspace(0.1, 0.9, rows)
    table["ra"], table["dec"] = np.linspace(0, 350, rows), np.linspace(-80, 80, rows)
    table["l"], table["b"] = (np.array(a) for a in icrs_to_galactic(table["ra"], table["dec"]))
    table["source_id"] = low + np.arange(rows) * 128 + 128
    table["pseudocolour"] = MaskedColumn(np.zeros(rows), mask=[True] * rows)
    return table


def test_pieces_cover_all_ids_once() -> None:
    request = GaiaRequest(pieces=7)
    edges = [request.ids(i) for i in range(7)]
    assert edges[0][0] == 0
    assert edges[-1][1] == LAST_ID
    assert all(a[1] == b[0] for a, b in pairwise(edges))


@pytest.mark.parametrize("release", ["gaia_edr3", "gaia_dr3"])
def test_query_names_real_columns_and_tables(shared: Path, release: str) -> None:
    """Every column of gaia_source that the query names, in its conditions too, is one of the release's."""
    query = GaiaRequest(release, pieces=6).query(2)
    real = set((shared / "data" / "columns" / f"{release}_gaia_source.txt").read_text().split())
    named = set(re.findall(r"\bg\.(\w+)", query))
    assert len(named) > 20
    assert named <= real
    asked = query.split("SELECT ")[1].split("\n")[0].split(", ")
    assert [name for name in asked if name.startswith("t.")] == ["t.j_m", "t.h_m", "t.ks_m", "t.ks_msigcom"]
    assert {name[2:] for name in asked} == {c.name for c in ASTROMETRY[release].columns.values()} - {"w2mpro"}
    schema = release.replace("_", "")
    assert re.findall(r"(?:FROM|JOIN) (\S+)", query) == [
        f"{schema}.gaia_source",
        f"{schema}.tmass_psc_xsc_best_neighbour",
        f"{schema}.tmass_psc_xsc_join",
        "gaiadr1.tmass_original_valid",
    ]
    assert "tmass" not in GaiaRequest(release, two_mass=False).query(0)
    with_wise = GaiaRequest(release, all_wise=True).query(0)
    assert ", a.w2mpro\n" in with_wise
    assert with_wise.split("\nWHERE")[0].split("\n")[-2:] == [
        f"LEFT JOIN {schema}.allwise_best_neighbour AS w ON w.source_id = g.source_id",
        "LEFT JOIN gaiadr1.allwise_original_valid AS a ON a.allwise_oid = w.allwise_oid",
    ]


def test_query_is_this_text() -> None:
    """One that an astronomer would send by hand, but for the list of columns."""
    query = GaiaRequest("gaia_dr3", g_limit=16.0, parallax_max=5.0, pieces=12).query(1)
    assert query.split("\n", 1)[1] == (
        "FROM gaiadr3.gaia_source AS g\n"
        "LEFT JOIN gaiadr3.tmass_psc_xsc_best_neighbour AS n ON n.source_id = g.source_id\n"
        "LEFT JOIN gaiadr3.tmass_psc_xsc_join AS j USING (clean_tmass_psc_xsc_oid)\n"
        "LEFT JOIN gaiadr1.tmass_original_valid AS t ON t.designation = j.original_psc_source_id\n"
        "WHERE g.source_id >= 576460752303423488 AND g.source_id < 1152921504606846976\n"
        "AND g.phot_g_mean_mag < 16 AND g.parallax < 5\n"
        "AND g.astrometric_params_solved > 3"
    )


def test_all_pieces_become_one_table_that_reads(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = fetch_gaia(REQUEST, tmp_path, lambda done, of: told.append((done, of)), run=archive)
    source = read_source(path, ASTROMETRY["gaia_edr3"])
    assert len(source.stars) == 30
    assert len(np.unique(source.stars["gaia_id"])) == 30
    assert np.isnan(source.stars["pseudocolour"]).all()
    assert told == [(i, 6) for i in range(1, 7)]


def test_an_interrupted_fetch_goes_on(tmp_path: Path) -> None:
    asked: list[str] = []

    def failing(query: str):
        asked.append(query)
        if len(asked) == 4:
            raise CatalogueError("no more space on the disc")
        return archive(query)

    with pytest.raises(CatalogueError, match="no more space"):
        fetch_gaia(REQUEST, tmp_path, run=failing)
    assert not (tmp_path / "gaia_edr3.parquet").exists()
    assert len(list((tmp_path / "pieces").iterdir())) == 3
    fetch_gaia(REQUEST, tmp_path, run=failing)
    assert len(asked) == 7  # three, the one that failed, and the three that were missing
    assert asked[3] == asked[4]


def test_a_query_that_fails_is_sent_again(tmp_path: Path) -> None:
    asked: list[str] = []
    waited: list[float] = []

    def busy(query: str):
        asked.append(query)
        if len(asked) in (2, 3):
            raise ArchiveError("the Gaia archive gave no result: 503")
        return archive(query)

    path = fetch_gaia(REQUEST, tmp_path, run=busy, wait=waited.append)
    assert len(read_source(path, ASTROMETRY["gaia_edr3"]).stars) == 30
    assert waited == list(WAITS[:2])
    assert asked[1] == asked[2] == asked[3]

    def down(query: str):
        raise ArchiveError("the Gaia archive gave no result: 500")

    waited.clear()
    with pytest.raises(ArchiveError, match="500"):
        fetch_gaia(REQUEST, tmp_path / "other", run=down, wait=waited.append)
    assert waited == list(WAITS)
    assert not list((tmp_path / "other").glob("pieces/*"))


def test_pieces_with_too_many_rows_are_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive cuts results off at its limit: a piece that reaches it is fetched in halves."""
    ids = np.sort(np.random.default_rng(0).integers(0, LAST_ID, 100))
    monkeypatch.setattr("galactions.survey.fetch.ROW_LIMIT", 10)

    def limited(query: str):
        low, high = (int(query.split(f"source_id {sign} ")[1].split()[0]) for sign in (">=", "<"))
        inside = ids[(ids >= low) & (ids < high)][:10]
        table = archive(query, len(inside))
        table["source_id"] = inside
        return table

    path = fetch_gaia(GaiaRequest(pieces=2), tmp_path, run=limited)
    assert np.array_equal(np.sort(read_source(path, ASTROMETRY["gaia_edr3"]).stars["gaia_id"]), ids)


class Archive(BaseHTTPRequestHandler):
    """TAP as the Gaia archive speaks it (asynchronous jobs, results as gzipped VOTable); every third query is
    refused, and every fifth of the others fails while it runs.
    """

    queries: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert (sent["LANG"], sent["PHASE"]) == (["ADQL"], ["RUN"])
        self.queries.append(sent["QUERY"][0])
        if len(self.queries) % 3 == 0:
            self.answer(503, b"too many jobs")
        else:
            self.answer(303, Location=f"http://{self.headers['Host']}{self.path}/{len(self.queries) - 1}")

    def do_GET(self) -> None:
        job, what = re.search(r"/async/(\d+)/(.*)", self.path).groups()  # type: ignore[union-attr]
        fails = int(job) % 5 == 4
        if what == "phase":
            self.answer(200, b"ERROR" if fails else b"COMPLETED")
        elif fails:
            self.answer(500, b"the job was killed")
        else:
            body = io.BytesIO()
            archive(self.queries[int(job)]).write(body, format="votable")
            packed = gzip.compress(body.getvalue())
            self.answer(200, packed, Content_Type="application/x-votable+xml", Content_Encoding="gzip")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The archive's stand-in as astroquery's Gaia; gives the queries that reach it."""
    gaia = pytest.importorskip("astroquery.gaia", reason="needs the extra 'survey' (astroquery)")
    queries: list[str] = []
    handler = type("Handler", (Archive,), {"queries": queries})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{http.server_address[1]}/"
        client = gaia.GaiaClass(gaia_tap_server=address, gaia_data_server=address, show_server_messages=False)
        monkeypatch.setattr(gaia, "Gaia", client)
        yield queries
        http.shutdown()


@pytest.mark.filterwarnings("ignore")  # of astroquery, about itself
def test_astroquery_carries_queries_and_tables(server: list[str], tmp_path: Path) -> None:
    """All pieces come through, types and nulls kept, though the archive refuses and fails at times."""
    waited: list[float] = []
    path = fetch_gaia(REQUEST, tmp_path, wait=waited.append)
    source = read_source(path, ASTROMETRY["gaia_edr3"])
    expected = [archive(REQUEST.query(piece)) for piece in range(REQUEST.pieces)]
    np.testing.assert_array_equal(
        np.sort(source.stars["gaia_id"]), np.sort(np.concatenate([table["source_id"] for table in expected]))
    )
    assert np.isnan(source.stars["pseudocolour"]).all()
    np.testing.assert_allclose(source.stars["parallax"], np.concatenate([t["parallax"] for t in expected]))
    assert list(dict.fromkeys(server)) == [REQUEST.query(piece) for piece in range(REQUEST.pieces)]
    assert len(server) == REQUEST.pieces + len(waited)
    assert len(waited) >= 3
    assert set(waited) <= set(WAITS)


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_not_there(server: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import astroquery.gaia as gaia

    nobody = gaia.GaiaClass(gaia_tap_server="http://127.0.0.1:1/", show_server_messages=False)
    monkeypatch.setattr(gaia, "Gaia", nobody)
    with pytest.raises(ArchiveError, match="the Gaia archive gave no result"):
        launch(REQUEST.query(0))


def test_another_request_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    fetch_gaia(REQUEST, tmp_path, run=archive)
    with pytest.raises(ConfigError, match=r"pieces of another request \(g_limit differ"):
        fetch_gaia(GaiaRequest(pieces=6, g_limit=15.0), tmp_path, run=archive)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"release": "gaia_dr1"}, "release 'gaia_dr1' is not known; allowed are gaia_edr3, gaia_dr3"),
        ({"g_limit": 30.0}, "g_limit is 30"),
        ({"parallax_max": -1.0}, "parallax_max is -1"),
        ({"pieces": 0}, "pieces is 0"),
    ],
)
def test_requests_that_cannot_be_met(change: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        GaiaRequest(**change)


def test_lamost_pages() -> None:
    assert LAMOST_PAGES.keys() == SPECTRA.keys()
    assert "http://www.lamost.org/dr8/v2.0/catalogue" in lamost_instructions("lamost_dr8_v2")
    for preset, file in (
        ("lamost_dr8_v1", "dr8_v1.0_stellar_LRS.fits.gz"),
        ("lamost_dr8_v2", "dr8_v2.0_LRS_stellar.fits.gz"),
        ("lamost_dr10_v1", "dr10_v1.0_LRS_stellar.fits.gz"),
    ):
        assert file in lamost_instructions(preset)
    with pytest.raises(ConfigError, match="'sdss' is no preset"):
        lamost_instructions("sdss")
