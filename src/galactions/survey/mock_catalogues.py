"""Mock catalogues with the columns of the real ones: LAMOST-like spectra and Gaia-like astrometry of given
stars.

The stars come from outside, with true positions and velocities. They get a giant's luminosity, a magnitude
limit, errors that grow with magnitude, repeated spectra, companions in the astrometric catalogue that have
no spectrum, and, as options, contaminants. The truth goes with them, so that every step of the chain can be
judged.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError, ConfigError
from galactions.survey.catalogue_errors import (
    GAIA_PARALLAX,
    GAIA_PROPER_MOTION,
    SCATTER,
    gaia_error,
    lamost_errors,
    lamost_snr,
)
from galactions.survey.correlated import correlated_normals
from galactions.survey.distance import distance_modulus
from galactions.survey.frame import galactic_to_icrs
from galactions.survey.identifiers import Ids
from galactions.survey.mock_giants import GiantProperties, draw_giants
from galactions.survey.source_presets import ASTROMETRY, SPECTRA, SourcePreset
from galactions.survey.stars import FloatArray, Stars, stars_from_phase_space
from galactions.survey.sun import PAPER_SUN, Sun
from galactions.survey.table import AnyArray
from galactions.survey.write_table import write_columns
from galactions.survey.zero_point import parallax_zero_point

OBLIQUITY = 23.4392911
"""Degrees, J2000."""

FIBRE = 0.1
"""arcsec: how far positions of the spectra scatter, in each coordinate."""


@dataclass(frozen=True)
class MockRecipe:
    """What mock catalogues are like.

    `g_limit`: faintest G (mag) with a spectrum. `repeats`: share of stars that have a second spectrum.
    `without_spectrum`: stars of the astrometric catalogue without a spectrum, as a multiple of those with
    one. `halo`: number of halo stars, as a share of the stars handed in; `clusters`: number of clusters of
    `cluster_stars` stars each. `bad_astrometry`: share of stars with a poor astrometric solution (large RUWE,
    goodness of fit and excess noise). `zero_point`: parallaxes have the offset of Lindegren et al. (2021).
    `v_los_offset` (km/s): true minus catalogue velocity. `spectra` and `astrometry`: presets whose columns
    the files get. Raises ConfigError for shares that are negative and presets that are not known.
    """

    g_limit: float = 17.5
    repeats: float = 0.15
    without_spectrum: float = 0.3
    halo: float = 0.0
    clusters: int = 0
    cluster_stars: int = 100
    bad_astrometry: float = 0.03
    zero_point: bool = True
    v_los_offset: float = 5.7
    spectra: str = "lamost_dr8_v2"
    astrometry: str = "gaia_edr3"

    def __post_init__(self) -> None:
        for name in ("repeats", "without_spectrum", "halo", "clusters", "cluster_stars", "bad_astrometry"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"mock recipe: {name} is {getattr(self, name)}; it must be 0 or more")
        for name, presets in (("spectra", SPECTRA), ("astrometry", ASTROMETRY)):
            if getattr(self, name) not in presets:
                raise ConfigError(
                    f"mock recipe: {name} is {getattr(self, name)!r}; allowed are {', '.join(presets)}"
                )


@dataclass(frozen=True)
class MockCatalogues:
    """Columns of the two catalogues by the names of real files, and the truth.

    `truth` has a row for each star with a spectrum, by rising `gaia_id`: `distance` (kpc), `v_los`, `pm_ra`,
    `pm_dec`, `l`, `b`, `M_K`, `teff`, `logg`, `feh`, and `kind` ("disc", "halo", "cluster").
    """

    spectra: dict[str, AnyArray]
    astrometry: dict[str, AnyArray]
    truth: dict[str, AnyArray]

    def write(self, folder: str | Path, ending: str = ".fits") -> tuple[Path, Path, Path]:
        """Writes spectra, astrometry and truth into a folder; returns their paths. Raises CatalogueError for
        an ending that is no format of tables.
        """
        paths = [Path(folder) / f"{name}{ending}" for name in ("spectra", "astrometry", "truth")]
        for path, columns in zip(paths, (self.spectra, self.astrometry, self.truth), strict=True):
            write_columns(columns, path)
        return paths[0], paths[1], paths[2]


def mock_catalogues(
    stars: Stars, recipe: MockRecipe | None = None, sun: Sun = PAPER_SUN, seed: int = 0
) -> MockCatalogues:
    """Catalogues of stars handed in with true l, b, distance, v_los and proper motions; the seed fixes them.

    `sun` is what contaminants are placed around. Raises CatalogueError for stars without proper motions or
    with distances that are not positive, and when none is brighter than the limit.
    """
    recipe = recipe or MockRecipe()
    if not stars.has_proper_motions:
        raise CatalogueError("stars of a mock catalogue need proper motions (pm_ra, pm_dec)")
    if not (len(stars) and np.all(stars.distance > 0)):
        raise CatalogueError("a mock catalogue needs stars with distances above 0 (kpc)")
    rng = np.random.default_rng(seed)
    stars, giants, kind = _with_contaminants(_bare(stars), recipe, sun, rng)
    K = giants.M_K + distance_modulus(stars.distance)
    G = K + giants.colour
    bright = np.flatnonzero(recipe.g_limit > G)
    if not len(bright):
        raise CatalogueError(
            f"no star is brighter than G = {recipe.g_limit:g}: the brightest has {G.min():.2f}"
        )
    stars, kind = stars.select(bright), kind[bright]
    giants = giants.select(bright)
    n = len(bright)
    ids = _source_ids(n + round(recipe.without_spectrum * n), rng)
    astrometry = _astrometry(stars, giants, K[bright], G[bright], ids, recipe, rng)
    spectra = _spectra(stars, giants, G[bright], ids[:n], recipe, rng)
    truth: dict[str, AnyArray] = {"gaia_id": ids[:n], "kind": kind}
    for name in ("l", "b", "distance", "v_los", "pm_ra", "pm_dec"):
        truth[name] = getattr(stars, name)
    for name in ("M_K", "teff", "logg", "feh"):
        truth[name] = getattr(giants, name)
    return MockCatalogues(
        _named(spectra, SPECTRA[recipe.spectra]),
        _named(astrometry, ASTROMETRY[recipe.astrometry]),
        _in_order(truth, np.argsort(ids[:n])),
    )


def _bare(stars: Stars) -> Stars:
    return Stars(stars.l, stars.b, stars.distance, stars.v_los, stars.pm_ra, stars.pm_dec)


def _joined(parts: list[Stars]) -> Stars:
    names = ("l", "b", "distance", "v_los", "pm_ra", "pm_dec")
    return Stars(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _with_contaminants(
    stars: Stars, recipe: MockRecipe, sun: Sun, rng: np.random.Generator
) -> tuple[Stars, GiantProperties, AnyArray]:
    """The stars and those that are to be taken out again: a halo without rotation (dispersion 120 km/s,
    [Fe/H] about -1.6) some 50 pc from random stars, and clusters (3 pc, 1 km/s) around single ones.
    """
    parts, kinds, metallicities = [stars], ["disc"] * len(stars), [np.full(len(stars), -0.25)]
    n_halo = round(recipe.halo * len(stars))
    if n_halo:
        at = stars.select(rng.integers(len(stars), size=n_halo)).phase_space(sun)
        at[:, :3] += rng.normal(0.0, 0.05, (n_halo, 3))
        at[:, 3:] = rng.normal(0.0, 120.0, (n_halo, 3))
        parts.append(stars_from_phase_space(at, sun))
        kinds += ["halo"] * n_halo
        metallicities.append(np.full(n_halo, -1.6))
    n_cluster = recipe.clusters * recipe.cluster_stars
    if n_cluster:
        centres = stars.select(rng.integers(len(stars), size=recipe.clusters)).phase_space(sun)
        members = np.repeat(centres, recipe.cluster_stars, axis=0)
        members[:, :3] += rng.normal(0.0, 0.003, (n_cluster, 3))
        members[:, 3:] += rng.normal(0.0, 1.0, (n_cluster, 3))
        parts.append(stars_from_phase_space(members, sun))
        kinds += ["cluster"] * n_cluster
        metallicities.append(np.full(n_cluster, -0.1))
    return _joined(parts), draw_giants(np.concatenate(metallicities), rng), np.array(kinds)


def _source_ids(n: int, rng: np.random.Generator) -> Ids:
    """Different ids of the size of Gaia's, multiples of 128 as most of those are."""
    ids = np.unique(rng.integers(1 << 52, 1 << 55, size=n + 1000, dtype=np.int64)) * 128
    return rng.permutation(ids)[:n]


def _astrometry(
    stars: Stars,
    giants: GiantProperties,
    K: FloatArray,
    G: FloatArray,
    ids: Ids,
    recipe: MockRecipe,
    rng: np.random.Generator,
) -> dict[str, AnyArray]:
    """Quantities of the astrometric catalogue, rows in random order: the stars, and fainter ones within 15
    arcsec of them without a spectrum (their other quantities are those of some of the stars).
    """
    n, others = len(stars), len(ids) - len(stars)
    of = np.concatenate([np.arange(n), rng.integers(n, size=others)])
    ra, dec = (np.array(a) for a in galactic_to_icrs(stars.l, stars.b))
    g_mag = G[of] + np.where(np.arange(len(of)) < n, 0.0, rng.uniform(0.5, 3.0, len(of)))
    error = {
        "parallax": gaia_error(g_mag, GAIA_PARALLAX) * np.exp(SCATTER * rng.standard_normal(len(of))),
        "pm_ra": gaia_error(g_mag, GAIA_PROPER_MOTION) * np.exp(SCATTER * rng.standard_normal(len(of))),
        "pm_dec": gaia_error(g_mag, GAIA_PROPER_MOTION) * np.exp(SCATTER * rng.standard_normal(len(of))),
    }
    correlation = rng.uniform(-0.3, 0.3, (3, len(of)))
    noise = correlated_normals(correlation, rng)
    declination = np.radians(dec[of])
    sine = np.sin(declination) * np.cos(np.radians(OBLIQUITY))
    sine -= np.cos(declination) * np.sin(np.radians(OBLIQUITY)) * np.sin(np.radians(ra[of]))
    ecl_lat = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    nu_eff = np.clip(1.76 - 0.13 * giants.colour[of], 1.15, 1.85)
    solved, colour = np.full(len(of), 31), np.full(len(of), np.nan)
    zero = np.zeros(len(of))
    if recipe.zero_point:
        zero = np.nan_to_num(parallax_zero_point(g_mag, nu_eff, colour, ecl_lat, solved))
    bad = rng.uniform(size=len(of)) < recipe.bad_astrometry
    away = np.where(np.arange(len(of)) < n, 0.0, 15.0 / 3600.0 * np.sqrt(rng.uniform(size=len(of))))
    angle = rng.uniform(0.0, 2.0 * np.pi, len(of))
    values: dict[str, AnyArray] = {
        "gaia_id": ids,
        "ra": np.mod(ra[of] + away * np.cos(angle) / np.cos(declination), 360.0),
        "dec": dec[of] + away * np.sin(angle),
        "l": stars.l[of],
        "b": stars.b[of],
        "ecl_lat": ecl_lat,
        "parallax": 1.0 / stars.distance[of] + zero + error["parallax"] * noise[0],
        "pm_ra": stars.pm_ra[of] + error["pm_ra"] * noise[1] if stars.pm_ra is not None else noise[1],
        "pm_dec": stars.pm_dec[of] + error["pm_dec"] * noise[2] if stars.pm_dec is not None else noise[2],
        "parallax_pm_ra_corr": correlation[0],
        "parallax_pm_dec_corr": correlation[1],
        "pm_corr": correlation[2],
        "gof_al": rng.normal(np.where(bad, 12.0, 0.3), 0.8),
        "excess_noise_sig": np.where(bad, rng.uniform(3.0, 30.0, len(of)), rng.exponential(0.3, len(of))),
        "ruwe": np.where(bad, rng.uniform(1.5, 4.0, len(of)), rng.normal(1.0, 0.05, len(of))),
        "g_mag": g_mag,
        "nu_eff": nu_eff,
        "pseudocolour": colour,
        "params_solved": solved,
        "j_mag": K[of] + 0.25 * giants.colour[of],
        "h_mag": K[of] + 0.05 * giants.colour[of],
        "k_mag": K[of] + 0.02 * rng.standard_normal(len(of)),
        "e_k_mag": np.full(len(of), 0.02),
    }
    values |= {f"e_{name}": e for name, e in error.items()}
    return _in_order(values, rng.permutation(len(of)))


def _spectra(
    stars: Stars,
    giants: GiantProperties,
    G: FloatArray,
    ids: Ids,
    recipe: MockRecipe,
    rng: np.random.Generator,
) -> dict[str, AnyArray]:
    """Quantities of the catalogue of spectra, rows in random order, some stars twice with another S/N."""
    preset = SPECTRA[recipe.spectra]
    twice = np.flatnonzero(rng.uniform(size=len(stars)) < recipe.repeats)
    of = np.concatenate([np.arange(len(stars)), twice])
    snr = lamost_snr(G[of]) * np.exp(0.3 * rng.standard_normal(len(of)))
    error = lamost_errors(snr)
    true = {"v_los": stars.v_los - recipe.v_los_offset, "teff": giants.teff, "logg": giants.logg}
    true["feh"] = giants.feh
    values: dict[str, AnyArray] = {"spec_id": np.arange(1, len(of) + 1), "snr_g": snr}
    for name, e in error.items():
        values[name] = true[name][of] + e * rng.standard_normal(len(of))
        values[f"e_{name}"] = e
    ra, dec = (np.array(a) for a in galactic_to_icrs(stars.l, stars.b))
    years = preset.epoch - ASTROMETRY[recipe.astrometry].epoch
    mas = 1.0 / 3.6e6
    if stars.pm_ra is not None and stars.pm_dec is not None:
        ra = ra + years * stars.pm_ra * mas / np.cos(np.radians(dec))
        dec = dec + years * stars.pm_dec * mas
    blur = FIBRE / 3600.0 * rng.standard_normal((2, len(of)))
    values["ra"] = np.mod(ra[of] + blur[0] / np.cos(np.radians(dec[of])), 360.0)
    values["dec"] = np.clip(dec[of] + blur[1], -90.0, 90.0)
    if preset.gaia_release == "dr3":
        values["gaia_id"] = ids[of].astype(str)
    else:  # another release, in which a part of the stars has other ids, and digits lost on the way
        other = np.where(rng.uniform(size=len(stars)) < 0.1, ids + 128, ids)
        values["gaia_id"] = other[of].astype(np.float64)
    values["plate"] = np.array(["MOCK01"] * len(of))
    return _in_order(values, rng.permutation(len(of)))


def _in_order(columns: dict[str, AnyArray], order: npt.NDArray[Any]) -> dict[str, AnyArray]:
    return {name: column[order] for name, column in columns.items()}


def _named(values: dict[str, AnyArray], preset: SourcePreset) -> dict[str, AnyArray]:
    """The columns by the names that the preset has for them."""
    return {column.name: values[name] for name, column in preset.columns.items() if name in values}
