"""What the survey chain gives on mock files of known truth: python -m benchmarks.survey_truth

150,000 disc stars with 3 % of halo stars, clusters, repeated spectra, and half as many other stars within 15
arcsec; matched by id and on the sky, distances by each method, binned by each method.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.survey import disc_stars

N = 150_000

BOXES = [
    {"name": "anticentre, near", "l": [160, 200], "b": [-15, 15], "distance": [0.5, 2.0]},
    {"name": "anticentre, far", "l": [160, 200], "b": [-15, 15], "distance": [2.0, 4.0]},
    {"name": "pole", "l": [60, 300], "b": [60, 90], "distance": [0.3, 2.0]},
]

METHODS: dict[str, dict[str, Any]] = {
    "parallax (to 20 %)": {"method": "parallax"},
    "learnt from giants": {"magnitudes": "giants"},
    "isochrones, flat": {"magnitudes": "isochrones", "isochrones": ["iso.cmd"], "prior": "flat"},
    "isochrones, mass function": {
        "magnitudes": "isochrones",
        "isochrones": ["iso.cmd"],
        "prior": "mass-function",
    },
    "isochrones, plate": {"magnitudes": "isochrones", "isochrones": ["iso.cmd"], "prior": "plate"},
}


def write_isochrones(path: Path) -> None:
    """The giant branch of the mock, as MIST would write it."""
    from galactions.survey.mock_giants import giant_isochrones

    iso = giant_isochrones(0.05, 0.1)
    mass = 1.1 + 1e-6 * np.cumsum(iso.weight)
    names = "log10_isochrone_age_yr initial_mass log_Teff log_g [Fe/H]_init 2MASS_Ks"
    columns = np.stack([np.full(len(iso), 9.7), mass, np.log10(iso.teff), iso.logg, iso.feh, iso.M_K], axis=1)
    columns = columns[np.lexsort((columns[:, 1], columns[:, 4]))]
    np.savetxt(path, columns, header=f"MIST version number = 1.2\n{names}", fmt="%.9f")


def matches(folder: Path, presets: dict[str, str], star_of: dict[int, int]) -> None:
    """Purity and completeness of the pairs; `star_of` tells which star each spectrum is of."""
    from galactions.survey import ASTROMETRY, SPECTRA, cross_match, read_source

    n_stars = len(set(star_of.values()))
    print("\n| cross-match | pairs | purity | completeness | separation, median and 99.9 % (arcsec) |")
    print("|---" * 5 + "|")
    for way, preset in presets.items():
        spectra = read_source(folder / f"{preset}.fits", SPECTRA[preset])
        astrometry = read_source(folder / "astrometry.fits", ASTROMETRY["gaia_edr3"])
        i, j, report = cross_match(spectra, astrometry)
        true = np.array([star_of[spectrum] for spectrum in spectra.stars["spec_id"][i].tolist()])
        right = np.sum(true == astrometry.stars["gaia_id"][j])
        apart = report.separation
        print(
            f"| {way}: {report.reason} | {len(i):,d} | {right / len(i):.5f} | {right / n_stars:.5f} | "
            f"{apart['median']:.3f}, {apart['99.9%']:.3f} |"
        )


def distances(folder: Path, mock: Any, table: dict[str, Any]) -> None:
    """Bias and scatter of distances by method."""
    from galactions.survey import giants_with_distances, parse_survey_config

    limits = ((0.5, 1.5), (1.5, 3.0), (3.0, 5.0))
    print("\n| distances | " + " | ".join(f"{a:g}-{b:g} kpc" for a, b in limits) + " | pull | stars |")
    print("|---" * (len(limits) + 3) + "|")
    for name, rule in METHODS.items():
        stars, _, _ = giants_with_distances(parse_survey_config(table | {"distance": rule}), folder)
        true = mock.truth["distance"][np.searchsorted(mock.truth["gaia_id"], stars.ident)]
        ratio = stars.distance / true
        cells = []
        for near, far in limits:
            r = ratio[(true > near) & (true < far)]
            cells.append(f"{np.median(r):.3f} ± {1.4826 * np.median(np.abs(r - np.median(r))):.3f}")
        pull = (stars.distance - true) / np.asarray(stars.e_distance)
        print(f"| {name} | {' | '.join(cells)} | {1.4826 * np.median(np.abs(pull)):.2f} | {len(stars):,d} |")


def regions(folder: Path, mock: Any, table: dict[str, Any]) -> None:
    """Counts and heights of the regions against the truth."""
    from galactions.survey import load_survey, parse_survey_config
    from galactions.survey.histograms import exact_fractions

    t = mock.truth
    disc = t["kind"] != "halo"
    print("\n| region | stars | true | observable | chi2 a bin: exact | counts | exact - resampled |")
    print("|---" * 7 + "|")
    by = {
        method: load_survey(parse_survey_config(table | {"histogram": method}), folder)
        for method in ("exact", "resampled", "counts")
    }
    for exact, resampled, counts in zip(*(survey.regions for survey in by.values()), strict=True):
        inside = exact.region.contains(t["l"], t["b"], t["distance"]) & disc
        for name in by["exact"].observables:
            h, c, r = (one.histograms[name] for one in (exact, counts, resampled))
            chi2 = []
            for found, times in ((h, 2.0), (c, 1.0)):  # `exact` has the errors of the velocities twice
                blur = np.full(inside.sum(), np.sqrt(times) * exact.errors[name])
                expected = exact_fractions(t[name][inside], blur, found.edges)
                chi2.append(np.mean(((found.p - expected) / found.sigma) ** 2))
            differ = np.abs(h.p - r.p) / h.sigma if h.n_bins == r.n_bins else np.array([np.nan])
            print(
                f"| {exact.region.name} | {exact.n_stars:,d} | {inside.sum():,d} | {name} | {chi2[0]:.2f} | "
                f"{chi2[1]:.2f} | at most {differ.max():.3f} σ_n |"
            )


def main() -> None:
    """Prints the tables."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    from galactions.survey import MockRecipe, mock_catalogues

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_isochrones(folder / "iso.cmd")
        presets = {"v2.0": "lamost_dr8_v2", "v1.0": "lamost_dr8_v1"}
        star_of: dict[int, int] = {}
        for preset in presets.values():  # the same stars and spectra, with whole and with damaged ids
            recipe = MockRecipe(without_spectrum=0.5, halo=0.03, clusters=5, spectra=preset)
            mock = mock_catalogues(disc_stars(N), recipe, seed=4)
            if not star_of:
                ids = mock.spectra["gaia_source_id"].astype(np.int64).tolist()
                star_of = dict(zip(mock.spectra["obsid"].tolist(), ids, strict=True))
            spectra, _, _ = mock.write(folder, ".fits")
            spectra.rename(folder / f"{preset}.fits")
        print(f"{len(mock.spectra['obsid']):,d} spectra, {len(mock.astrometry['ra']):,d} stars of Gaia")
        table = {
            "spectra": {"file": "lamost_dr8_v1.fits", "preset": "lamost_dr8_v1"},
            "astrometry": {"file": "astrometry.fits", "preset": "gaia_edr3"},
            "v_los_offset": 5.7,
            "regions": BOXES,
        }
        matches(folder, presets, star_of)
        distances(folder, mock, table)
        regions(folder, mock, table)


if __name__ == "__main__":
    main()
