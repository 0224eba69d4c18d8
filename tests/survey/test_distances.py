"""Zero point, isochrones, absolute magnitudes, ratios: against published values, brute force, and truth."""

from pathlib import Path

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import (
    GiantLuminosity,
    Isochrones,
    MagnitudeLattice,
    StarTable,
    measure_ratios,
    parallax_magnitude,
    parallax_zero_point,
    photometric_distance,
)
from galactions.survey.distance_ratio import DistanceRatio, ratio_of_each
from galactions.survey.extinction import extinction_k
from galactions.survey.luminosity import STEPS
from galactions.survey.mock_giants import draw_giants, giant_isochrones, giant_M_K, giant_teff
from galactions.survey.tables import read_columns


def test_zero_point_is_the_published_one(shared: Path, zero_points: None) -> None:
    path = shared / "data" / "zero_point" / "lindegren2021_zpt_fixture.ecsv"
    names = ["phot_g_mean_mag", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat"]
    c = read_columns(path, [*names, "astrometric_params_solved", "zpt_mas"])
    ours = parallax_zero_point(*(c[n] for n in names), c["astrometric_params_solved"])
    assert len(ours) == 426
    np.testing.assert_allclose(ours, c["zpt_mas"], atol=1e-9, rtol=0)


def test_zero_point_where_it_is_not_known(zero_points: None) -> None:
    G = np.array([13.0, 5.0, 22.0, 13.0, np.nan, 13.0, 13.0])
    nu = np.array([1.5, 1.5, 1.5, 1.5, 1.5, np.nan, 2.5])
    solved = np.array([31, 31, 31, 3, 31, 31, 31])
    ours = parallax_zero_point(G, nu, np.full(7, np.nan), np.zeros(7), solved)
    np.testing.assert_array_equal(np.isfinite(ours), [True] + [False] * 6)


def by_brute_force(iso: Isochrones, stars: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Posterior mean of M_K, summed point by point; every cell of the lattice has weight one."""
    points = np.stack([iso.teff, iso.logg, iso.feh])
    cells = np.rint(points / np.array([[STEPS["teff"]], [STEPS["logg"]], [STEPS["feh"]]]))
    _, which, number = np.unique(cells, axis=1, return_inverse=True, return_counts=True)
    means = []
    for star, error in zip(stars, errors, strict=True):
        chi2 = np.sum(((points.T - star) / error) ** 2, axis=1)
        weight = np.exp(-0.5 * chi2) / number[which]
        means.append(np.sum(weight * iso.M_K) / weight.sum())
    return np.array(means)


def test_lattice_is_the_sum_over_points() -> None:
    iso = giant_isochrones()
    rng = np.random.default_rng(0)
    giants = draw_giants(np.full(60, -0.2), rng)
    stars = np.stack([giants.teff, giants.logg, giants.feh], axis=1)
    errors = np.tile([90.0, 0.2, 0.12], (60, 1))
    ours, spread = MagnitudeLattice.of(iso).estimate(*stars.T, *errors.T)
    expected = by_brute_force(iso, stars, errors)
    assert np.max(np.abs(ours - expected)) < 0.06
    assert np.median(np.abs(ours - expected)) < 0.02
    assert np.all((spread > 0.1) & (spread < 0.8))


def test_photometric_distances_have_no_bias_and_honest_errors() -> None:
    """Truth: stars of the mock giant branch, measured with errors; half of them within one sigma."""
    rng = np.random.default_rng(1)
    giants = draw_giants(np.full(4000, -0.2), rng)
    noise = rng.standard_normal((3, 4000)) * np.array([[70.0], [0.15], [0.1]])
    measured = giants.teff + noise[0], giants.logg + noise[1], giants.feh + noise[2]
    errors = (np.full(4000, e) for e in (70.0, 0.15, 0.1))
    M, e_M = MagnitudeLattice.of(giant_isochrones(), "mass-function").estimate(*measured, *errors)
    good = np.isfinite(M)
    assert good.mean() > 0.99
    pull = (M[good] - giants.M_K[good]) / e_M[good]
    assert abs(np.median(M[good] - giants.M_K[good])) < 0.02
    assert 0.85 < 1.4826 * np.median(np.abs(pull)) < 1.15
    ratio = photometric_distance(0.0, M[good]) / photometric_distance(0.0, giants.M_K[good])
    assert np.median(ratio) == pytest.approx(1.0, abs=0.01)


def test_the_stars_of_a_plate_are_the_prior_of_each() -> None:
    """Two plates, one with faint giants only and one with bright ones: the luminosities of poor spectra are
    told better by the company they are in.
    """
    rng = np.random.default_rng(3)
    giants = draw_giants(np.full(40_000, -0.2), rng)
    faint, bright = (np.flatnonzero(mine)[:600] for mine in (giants.logg > 2.9, giants.logg < 1.6))
    mine = giants.select(np.concatenate([faint, bright]))
    plate = np.repeat(["HD01", "GAC07"], 600)
    e = np.array([[110.0], [0.4], [0.15]])
    measured = np.stack([mine.teff, mine.logg, mine.feh]) + e * rng.standard_normal((3, 1200))
    lattice = MagnitudeLattice.of(giant_isochrones())
    columns = (*measured, *np.broadcast_to(e, (3, 1200)))
    flat, e_flat = lattice.estimate(*columns)
    ours, e_ours = lattice.estimate_by_plate(*columns, plate)
    assert np.isfinite(ours).mean() > 0.99
    for rows in (slice(0, 600), slice(600, 1200)):
        good = np.isfinite(ours[rows])
        off, off_flat = ((M - mine.M_K)[rows][good] for M in (ours, flat))
        assert abs(np.mean(off)) < 0.5 * abs(np.mean(off_flat))
        assert np.std(off) < 0.9 * np.std(off_flat)
        assert np.median(e_ours[rows][good]) < np.median(e_flat[rows][good])
        assert 0.6 < np.std(off / e_ours[rows][good]) < 1.2
    # a plate is by itself: the same stars alone give the same
    alone, _ = lattice.estimate_by_plate(*(c[:600] for c in columns), plate[:600])
    np.testing.assert_allclose(alone, ours[:600], rtol=1e-6)
    # many plates with few stars are as one
    few, _ = lattice.estimate_by_plate(*(c[:600] for c in columns), np.arange(600) // 10)
    np.testing.assert_allclose(few, ours[:600], rtol=1e-6)


def test_stars_off_the_isochrones_or_unknown() -> None:
    lattice = MagnitudeLattice.of(giant_isochrones())
    teff = np.array([4700.0, 9000.0, np.nan, 4700.0])
    sigma = np.array([80.0, 80.0, 80.0, 0.0])
    M, e_M = lattice.estimate(teff, np.full(4, 2.4), np.zeros(4), sigma, np.full(4, 0.2), np.full(4, 0.1))
    np.testing.assert_array_equal(np.isfinite(M), [True, False, False, False])
    np.testing.assert_array_equal(np.isfinite(e_M), np.isfinite(M))
    assert M[0] == pytest.approx(giant_M_K(4700.0, 2.4), abs=0.3)


def test_magnitudes_learnt_from_parallaxes() -> None:
    rng = np.random.default_rng(2)
    giants = draw_giants(np.full(6000, -0.2), rng)
    d = rng.uniform(0.3, 3.0, 6000)
    K = giants.M_K + 5 * np.log10(d) + 10
    parallax = 1 / d + 0.02 * rng.standard_normal(6000)
    M = parallax_magnitude(K, parallax)
    e_M = 0.02 * d * 5 / np.log(10)
    model = GiantLuminosity.train(giants.teff, giants.logg, giants.feh, M, e_M)
    again = draw_giants(np.full(2000, -0.2), rng)
    ours, error = model.estimate(again.teff, again.logg, again.feh)
    good = np.isfinite(ours)
    assert good.mean() > 0.97
    assert abs(np.median(ours[good] - again.M_K[good])) < 0.02
    assert np.all(error[good] >= 0.05)
    outside, _ = model.estimate(np.array([9000.0, np.nan]), np.array([2.0, 2.0]), np.array([0.0, 0.0]))
    assert np.isnan(outside).all()
    with pytest.raises(CatalogueError, match="100 giants with a good parallax are too few"):
        GiantLuminosity.train(*(a[:100] for a in (giants.teff, giants.logg, giants.feh, M, e_M)))


def test_magnitudes_of_real_giants(dr3_file: Path) -> None:
    """LAMOST DR3: luminosities learnt from half of the giants, and the other half's published ones.

    The published errors have a median of 0.29 mag; the estimate agrees within them, without a bias.
    """
    c = read_columns(dr3_file, ["teff", "logg", "feh", "MK", "MKerr_low", "MKerr_up"])
    half = np.arange(len(c["MK"])) % 2 == 0
    model = GiantLuminosity.train(*(c[n][half] for n in ("teff", "logg", "feh", "MK")), np.zeros(half.sum()))
    M, _ = model.estimate(*(c[n][~half] for n in ("teff", "logg", "feh")))
    good = np.isfinite(M)
    difference = M[good] - c["MK"][~half][good]
    published = np.median(c["MKerr_low"] + c["MKerr_up"]) / 2
    assert good.mean() > 0.97
    assert abs(np.median(difference)) < 0.02
    assert 1.4826 * np.median(np.abs(difference)) < published


def ratio_sample(n: int = 4000) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(3)
    d = rng.uniform(0.3, 4.0, n)
    b = np.where(rng.uniform(size=n) < 0.3, 85.0, rng.uniform(-20, 20, n))
    photometric = d * np.where(b > 50, 0.97, 0.86) * np.exp(0.1 * rng.standard_normal(n))
    parallax = 1 / d + 0.02 * rng.standard_normal(n)
    return photometric, 0.1 * photometric, parallax, np.full(n, 0.02), b


def test_ratio_by_direction_is_found_again() -> None:
    photometric, e, parallax, e_parallax, b = ratio_sample()
    ratios = measure_ratios(photometric, e, parallax, e_parallax, b)
    for name, true in (("disc", 0.86), ("pole", 0.97)):
        assert abs(ratios[name].value - true) < 4 * ratios[name].error < 0.02
        assert not ratios[name].of_all
    np.testing.assert_allclose(
        ratio_of_each(np.array([0.0, -85.0]), ratios), [ratios["disc"].value, ratios["pole"].value]
    )


def test_direction_without_stars_takes_the_ratio_of_all() -> None:
    columns = [c[ratio_sample()[4] < 50] for c in ratio_sample()]
    ratios = measure_ratios(*columns)
    assert ratios["pole"].of_all
    assert ratios["pole"].value == ratios["disc"].value
    with pytest.raises(CatalogueError, match="0 stars have parallax and photometric distance good enough"):
        measure_ratios(*columns[:2], -columns[2], *columns[3:])
    assert DistanceRatio(0.86).n_stars == 0


def test_extinction_from_what_there_is() -> None:
    stars = StarTable(
        {
            "a_k": np.array([0.1, 0.2]),
            "ebv": np.array([1.0, 0.5]),
            "h_mag": np.array([10.0, 9.0]),
            "w2_mag": np.array([9.72, 9.5]),
        }
    )
    np.testing.assert_allclose(extinction_k(stars, "a_k"), [0.1, 0.2])
    np.testing.assert_allclose(extinction_k(stars, "ebv"), [0.306, 0.153])
    np.testing.assert_allclose(extinction_k(stars, "rjce"), [0.918 * 0.2, 0.0], atol=1e-12)
    np.testing.assert_array_equal(extinction_k(stars, "none"), 0.0)
    with pytest.raises(CatalogueError, match="needs ebv: the catalogues give no ebv"):
        extinction_k(StarTable({"a_k": np.zeros(1)}), "ebv")


def test_luminosity_goes_as_gravity_and_temperature() -> None:
    """L = 4 pi R^2 sigma T^4 with R^2 = G M / g: a dex of gravity is 2.5 mag at one temperature."""
    assert giant_M_K(4600.0, 1.5) - giant_M_K(4600.0, 2.5) == pytest.approx(-2.5)
    assert -4.5 < giant_M_K(giant_teff(1.5, 0.0), 1.5) < -3.3  # a real giant there has about -4
