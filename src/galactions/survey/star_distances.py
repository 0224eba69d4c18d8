"""Distances of giants, by parallax or by photometry, as a config asks for them (section 2.1 of the paper)."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from galactions.errors import CatalogueError
from galactions.survey.config import DistanceTable
from galactions.survey.config_file import resolve_path
from galactions.survey.distance import photometric_distance
from galactions.survey.distance_ratio import DistanceRatio, measure_ratios, ratio_of_each
from galactions.survey.extinction import extinction_k
from galactions.survey.giant_luminosity import GiantLuminosity, parallax_magnitude
from galactions.survey.isochrones import read_isochrones
from galactions.survey.luminosity import MagnitudeLattice
from galactions.survey.progress import Share, part_of, untold
from galactions.survey.stars import FloatArray
from galactions.survey.table import StarTable
from galactions.survey.zero_point import parallax_zero_point

PER_MAG = 0.2 * np.log(10.0)
"""Relative error of a distance for an error of 1 mag of its modulus."""

TRAINING_FRACTION = 0.1
"""Largest relative error of the parallax of a giant that luminosities are learnt from, as in Fig. 2."""


@dataclass(frozen=True)
class StarDistances:
    """Distances and errors (N,) in kpc, and corrected parallaxes (N,) in mas; NaN where there is none (and
    for parallaxes that were not needed).

    `lost`: how many stars have no distance, by reason. `facts`: how they were made (plain values).
    """

    distance: FloatArray
    e_distance: FloatArray
    parallax: FloatArray
    lost: dict[str, int]
    facts: dict[str, Any] = field(default_factory=dict)


def corrected_parallax(stars: StarTable, zero_point: bool, share: Share = untold) -> tuple[FloatArray, int]:
    """Parallaxes (N,) in mas less their zero point if asked for, and for how many the zero point is not known
    (their parallax becomes NaN); `share` is told how much is done.
    """
    parallax = np.asarray(stars["parallax"], dtype=np.float64)
    if not zero_point:
        return parallax, 0
    stars.require(
        "the zero point of parallaxes", "g_mag", "nu_eff", "pseudocolour", "ecl_lat", "params_solved"
    )
    zero = parallax_zero_point(
        stars["g_mag"],
        stars["nu_eff"],
        stars["pseudocolour"],
        stars["ecl_lat"],
        stars["params_solved"],
        share,
    )
    return parallax - zero, int(np.sum(np.isfinite(parallax) & ~np.isfinite(zero)))


def star_distances(
    stars: StarTable, rule: DistanceTable, folder: str | Path = ".", share: Share = untold
) -> StarDistances:
    """Distances of stars by the rule of a config; isochrone files are relative to `folder`; `share` is told
    how much is done.

    Raises CatalogueError for columns that are needed and missing, isochrones that cannot be read, and when
    there are too few good parallaxes for what is to be measured from them.
    """
    if rule.method == "parallax":
        return _by_parallax(stars, rule, share)
    return _by_photometry(stars, rule, Path(folder), share)


def _by_parallax(stars: StarTable, rule: DistanceTable, share: Share) -> StarDistances:
    stars.require("distance.method = 'parallax'", "parallax", "e_parallax")
    parallax, no_zero = corrected_parallax(stars, rule.zero_point, share)
    error = np.asarray(stars["e_parallax"], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        good = parallax > 0
        precise = good & (error <= rule.max_parallax_fraction * parallax)
        distance = np.where(precise, 1.0 / parallax, np.nan)
    lost = {
        "parallax is known": int(np.sum(~np.isfinite(parallax))),
        "parallax is positive": int(np.sum(np.isfinite(parallax) & ~good)),
        f"relative error of parallax at most {rule.max_parallax_fraction:g}": int(np.sum(good & ~precise)),
    }
    facts = {"method": "parallax", "zero_point": rule.zero_point, "without_zero_point": no_zero}
    return StarDistances(distance, distance**2 * error, parallax, lost, facts)


def _by_photometry(stars: StarTable, rule: DistanceTable, folder: Path, share: Share) -> StarDistances:
    stars.require("distance.method = 'photometric'", "k_mag", "teff", "logg", "feh")
    facts: dict[str, Any] = {"method": "photometric", "magnitudes": rule.magnitudes}
    parallax = np.full(len(stars), np.nan)
    if rule.ratio == "measure" or rule.magnitudes == "giants":
        stars.require("a distance scale measured from parallaxes", "parallax", "e_parallax")
        parallax, facts["without_zero_point"] = corrected_parallax(
            stars, rule.zero_point, part_of(share, 0.0, 0.3)
        )
        facts["not_positive"] = int(np.sum(parallax <= 0))
    extinction = extinction_k(stars, rule.extinction)
    M_K, e_M_K = _magnitudes(stars, rule, folder, extinction, parallax, part_of(share, 0.3, 1.0))
    e_k = np.nan_to_num(stars["e_k_mag"], nan=0.0) if "e_k_mag" in stars else 0.0
    raw = photometric_distance(stars["k_mag"], M_K, extinction)
    e_raw = PER_MAG * raw * np.hypot(e_M_K, e_k)
    latitude = stars["b"]
    if rule.ratio == "measure":
        ratios = measure_ratios(raw, e_raw, parallax, stars["e_parallax"], latitude, rule.pole_b)
    elif rule.ratio == "none":
        ratios = {"disc": DistanceRatio(1.0), "pole": DistanceRatio(1.0)}
    else:
        ratios = {"disc": DistanceRatio(rule.ratio.disc), "pole": DistanceRatio(rule.ratio.pole)}
    facts["ratio"] = {name: asdict(ratio) for name, ratio in ratios.items()}
    factor = ratio_of_each(latitude, ratios, rule.pole_b)
    known = np.isfinite(stars["k_mag"]) & np.isfinite(extinction)
    lost = {
        "K_s and its extinction are known": int(np.sum(~known)),
        "absolute magnitude can be told": int(np.sum(known & ~np.isfinite(M_K))),
    }
    return StarDistances(raw / factor, e_raw / factor, parallax, lost, facts)


def _magnitudes(
    stars: StarTable,
    rule: DistanceTable,
    folder: Path,
    extinction: FloatArray,
    parallax: FloatArray,
    share: Share,
) -> tuple[FloatArray, FloatArray]:
    teff, logg, feh = stars["teff"], stars["logg"], stars["feh"]
    if rule.magnitudes == "isochrones":
        stars.require("distance.magnitudes = 'isochrones'", "e_teff", "e_logg", "e_feh")
        measured = (teff, logg, feh, stars["e_teff"], stars["e_logg"], stars["e_feh"])
        isochrones = read_isochrones(isochrone_files(rule, folder))
        if rule.prior == "plate":
            stars.require("distance.prior = 'plate'", "plate")
            return MagnitudeLattice.of(isochrones).estimate_by_plate(*measured, stars["plate"], share)
        return MagnitudeLattice.of(isochrones, rule.prior).estimate(*measured, share)
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = stars["e_parallax"] / parallax
        good = (parallax > 0) & (fraction < TRAINING_FRACTION)
        M = np.where(good, parallax_magnitude(stars["k_mag"], parallax, extinction), np.nan)
    giants = GiantLuminosity.train(teff, logg, feh, M, fraction / PER_MAG)
    return giants.estimate(teff, logg, feh, share)


def isochrone_files(rule: DistanceTable, folder: Path) -> list[Path]:
    """The isochrone files of a config: paths, which may be patterns such as iso/*.dat, relative to `folder`.

    Raises CatalogueError for a pattern that no file matches.
    """
    files: list[Path] = []
    for text in rule.isochrones:
        path = resolve_path(text, folder)
        found = sorted(path.parent.glob(path.name)) if any(c in path.name for c in "*?[") else [path]
        if not found:
            raise CatalogueError(f"isochrones: no file matches {path}")
        files += found
    return files
