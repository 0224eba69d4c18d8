"""The cross-match against astropy's, against the truth of a mock, and against ugly input."""

from dataclasses import replace

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import SPECTRA, CutFlow, MockCatalogues, Source, StarTable, cross_match
from galactions.survey.match import separations, unit_vectors

FLOW = CutFlow.start(0)


def spectra(release: str = "", epoch: float = 2000.0, **columns: np.ndarray) -> Source:
    return Source(StarTable(columns), release, "", epoch, FLOW)  # type: ignore[arg-type]


def field(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "ra": rng.uniform(0, 360, n),
        "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
        "pm_ra": rng.normal(0, 50, n),
        "pm_dec": rng.normal(0, 50, n),
    }


def test_proper_motions_are_carried_as_astropy_does() -> None:
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    stars = field(300)
    ours = unit_vectors(StarTable(stars), 2016.0, 2000.0)
    theirs = SkyCoord(
        ra=stars["ra"] * u.deg,
        dec=stars["dec"] * u.deg,
        pm_ra_cosdec=stars["pm_ra"] * u.mas / u.yr,
        pm_dec=stars["pm_dec"] * u.mas / u.yr,
        distance=np.full(300, 1000.0) * u.pc,
        radial_velocity=np.zeros(300) * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tcb"),
    ).apply_space_motion(Time(2000.0, format="jyear", scale="tcb"))
    moved = unit_vectors(StarTable({"ra": theirs.ra.deg, "dec": theirs.dec.deg}))
    assert separations(ours, moved).max() < 1e-5  # arcsec; the stars moved by up to 3
    assert separations(ours, unit_vectors(StarTable(stars))).max() > 1.0


def test_nearest_within_the_radius_is_astropys_nearest() -> None:
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    there = field(20_000, seed=1)
    rng = np.random.default_rng(2)
    pick = rng.integers(20_000, size=3000)
    here = {
        "ra": np.mod(there["ra"][pick] + rng.normal(0, 100, 3000) / 3600, 360),
        "dec": np.clip(there["dec"][pick] + rng.normal(0, 100, 3000) / 3600, -90, 90),
        "snr_g": np.ones(3000),
    }
    still = {name: there[name] for name in ("ra", "dec")}
    i, j, report = cross_match(spectra(**here), spectra(**still), radius=120.0)
    index, apart, _ = SkyCoord(here["ra"] * u.deg, here["dec"] * u.deg).match_to_catalog_sky(
        SkyCoord(there["ra"] * u.deg, there["dec"] * u.deg)
    )
    within = np.flatnonzero(apart.arcsec < 120.0)
    assert report.matched == len(within)
    kept = dict(zip(i.tolist(), j.tolist(), strict=True))
    assert all(index[a] == b for a, b in kept.items())
    assert set(index[within].tolist()) == set(j.tolist())  # each star once


def source_pair(mock: MockCatalogues, ids: bool = True) -> tuple[Source, Source]:
    s, a = mock.spectra, mock.astrometry
    one = {"ra": s["ra"], "dec": s["dec"], "snr_g": s["snrg"]}
    two = {
        "ra": a["ra"],
        "dec": a["dec"],
        "pm_ra": a["pmra"],
        "pm_dec": a["pmdec"],
        "gaia_id": a["source_id"],
    }
    if ids:
        one["gaia_id"] = s["gaia_source_id"].astype(np.int64)
    epoch = SPECTRA["lamost_dr8_v2"].epoch
    return spectra("dr3" if ids else "", epoch, **one), spectra("dr3", 2016.0, **two)


def test_completeness_and_purity_on_the_sky(mock: MockCatalogues) -> None:
    """Half as many other stars within 15 arcsec of the targets: 99.9 % of pairs are right."""
    one, two = source_pair(mock, ids=False)
    i, j, report = cross_match(one, two)
    true = mock.spectra["gaia_source_id"].astype(np.int64)
    right = true[i] == two.stars["gaia_id"][j]
    assert report.by == "sky"
    assert right.mean() > 0.999  # purity
    assert len(set(true[i][right])) / len(set(true)) > 0.999  # completeness
    assert report.ambiguous > 0
    assert report.separation["median"] < 0.2


def test_by_id_and_on_the_sky_agree(mock: MockCatalogues) -> None:
    one, two = source_pair(mock)
    by_id, by_sky = cross_match(one, two), cross_match(one, two, by="sky")
    assert (by_id[2].by, by_sky[2].by) == ("id", "sky")
    assert by_id[2].matched == by_id[2].by_id == len(one.stars)
    pairs = [set(zip(i.tolist(), j.tolist(), strict=True)) for i, j, _ in (by_id, by_sky)]
    assert len(pairs[0] & pairs[1]) / len(pairs[0]) > 0.99


def test_best_spectrum_of_a_star_is_kept(mock: MockCatalogues) -> None:
    one, two = source_pair(mock)
    i, j, report = cross_match(one, two)
    ids = one.stars["gaia_id"]
    best = {k: one.stars["snr_g"][ids == k].max() for k in np.unique(ids)[:200]}
    chosen = dict(zip(ids[i].tolist(), one.stars["snr_g"][i].tolist(), strict=True))
    assert all(chosen[k] == snr for k, snr in best.items())
    assert report.repeats == len(ids) - len(np.unique(ids)) == len(ids) - report.stars
    assert len(np.unique(j)) == len(j)
    assert np.all(np.diff(i) > 0)


def test_releases_that_differ_are_matched_on_the_sky() -> None:
    stars = field(50)
    ids = np.arange(1, 51)
    one = spectra("dr2", 2016.0, ra=stars["ra"], dec=stars["dec"], gaia_id=ids[::-1].copy())
    two = spectra("dr3", 2016.0, gaia_id=ids, **stars)
    i, j, report = cross_match(one, two)
    np.testing.assert_array_equal(i, j)
    assert report.by == "sky"
    assert report.reason == "ids of Gaia dr2 in the spectra, dr3 in the other"
    with pytest.raises(CatalogueError, match="cannot be matched by id: ids of Gaia dr2"):
        cross_match(one, two, by="id")


def test_ids_at_another_place_are_conflicts() -> None:
    stars = field(50)
    ids = np.arange(1, 51)
    swapped = ids.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    one = spectra("dr3", 2016.0, ra=stars["ra"], dec=stars["dec"], gaia_id=swapped)
    i, j, report = cross_match(one, spectra("dr3", 2016.0, gaia_id=ids, **stars))
    np.testing.assert_array_equal(i, j)  # the sky knows better
    assert (report.by, report.by_id, report.conflicts, report.matched) == ("id", 48, 2, 50)
    _, _, strict = cross_match(one, spectra("dr3", 2016.0, gaia_id=ids, **stars), by="id")
    assert (strict.matched, strict.unmatched) == (48, 2)


def test_duplicate_ids_are_counted_and_the_first_kept() -> None:
    stars = field(50)
    ids = np.arange(1, 51)
    twice = {name: np.concatenate([c, c[:5]]) for name, c in stars.items()}
    two = spectra("dr3", 2016.0, gaia_id=np.concatenate([ids, ids[:5]]), **twice)
    one = spectra("dr3", 2016.0, ra=stars["ra"], dec=stars["dec"], gaia_id=ids)
    for by in ("id", "sky"):
        i, j, report = cross_match(one, two, by=by)  # type: ignore[arg-type]
        assert report.duplicate_ids == 5
        np.testing.assert_array_equal(i, j)


def test_nothing_near_and_bad_radius() -> None:
    one = spectra(ra=np.array([10.0]), dec=np.array([0.0]))
    two = spectra(ra=np.array([200.0]), dec=np.array([0.0]))
    i, j, report = cross_match(one, two)
    assert (len(i), len(j), report.unmatched, report.separation) == (0, 0, 1, {})
    with pytest.raises(CatalogueError, match="radius of a match is 0"):
        cross_match(one, two, radius=0)


def test_pole_and_zero_of_right_ascension() -> None:
    ra, dec = np.array([359.9999, 0.0001, 12.0]), np.array([1e-5, -1e-5, 89.99999])
    one = spectra(ra=ra, dec=dec)
    two = spectra(ra=np.array([0.0001, 359.9999, 192.0]), dec=np.array([1e-5, -1e-5, 89.99999]))
    i, j, _ = cross_match(one, two, radius=1.0)
    assert dict(zip(i.tolist(), j.tolist(), strict=True)) == {0: 1, 1: 0, 2: 2}


def test_report_in_words_and_numbers(mock: MockCatalogues) -> None:
    one, two = source_pair(mock)
    _, _, report = cross_match(one, replace(two, gaia_release=""))
    assert "release of the ids is not known" in str(report)
    assert type(report)(**report.to_dict()) == report
