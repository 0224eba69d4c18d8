"""Published samples through the survey chain: our numbers beside those that are known of them.

    python examples/real_surveys.py [FOLDER]

FOLDER holds `lamost_gaia_field`, `lamost_dr3_rgb`, `solar_nbhd`, `open_clusters` (default: the folder `data`
in that of the environment variable GALACTIONS_SHARED, or in `../shared`). Samples that are not there are
passed over.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from galactions.survey import (
    PAPER_SUN,
    GiantLuminosity,
    Stars,
    cylindrical_velocity,
    is_k_giant,
    photometric_distance,
    read_catalogue,
    sight_line_basis,
)
from galactions.survey.tables import read_columns

Row = tuple[str, float, float, float]
"""What, the known value, ours, and by how much they may differ (the known one's rounding)."""


def spread(values: np.ndarray) -> float:
    """1.4826 times the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def kinematics(
    stars: Stars, known: tuple[float, float, float, float], rounding: float = 0.06
) -> Iterator[Row]:
    """Median V_phi and the dispersions of V_R, V_phi, V_z (km/s), with the paper's Sun."""
    velocity = np.asarray(cylindrical_velocity(stars.phase_space(PAPER_SUN)))
    ours = (float(np.median(velocity[:, 1])), *(spread(v) for v in velocity.T))
    names = ("median V_phi", "sigma_R", "sigma_phi", "sigma_z")
    for name, value, mine in zip(names, known, ours, strict=True):
        yield f"{name} (km/s)", value, mine, rounding


def lamost_gaia_field(data: Path) -> Iterator[Row]:
    """LAMOST DR9 x Gaia DR3 in one field: the K giants of Liu et al. (2014) among 1,838 stars."""
    path = data / "lamost_gaia_field" / "gaia_lamost_larger_velocity_features.csv"
    stars, _ = read_catalogue(path, preset="lamost_gaia_field")
    giants = stars.select(is_k_giant(stars.teff, stars.logg))
    yield "K giants", 518, len(giants), 0
    yield from kinematics(giants, (-220.5, 34.1, 24.8, 20.1))


def lamost_dr3_giants(data: Path) -> Iterator[Row]:
    """Red giants of LAMOST DR3 (Liu et al. 2017): selection, distances, and velocities at the anticentre."""
    path = data / "lamost_dr3_rgb" / "LMDR3_diskRGB2.dat"
    stars, _ = read_catalogue(path, preset="lamost_dr3_rgb")
    yield "K giants", 18_064, int(is_k_giant(stars.teff, stars.logg).sum()), 0
    feh = np.asarray(stars.feh)
    anticentre = (stars.l >= 160) & (stars.l <= 200) & (np.abs(stars.b) < 20) & (feh > -1)
    for near, far, known in (
        (0, 2, 35.6),
        (2, 3, 38.5),
        (3, 4, 41.5),
        (4, 5, 38.5),
        (5, 6, 40.8),
        (6, 8, 37.1),
        (8, 12, 34.1),
    ):
        mine = anticentre & (stars.distance > near) & (stars.distance <= far)
        yield f"sigma(v_los) at {near}-{far} kpc (km/s)", known, spread(stars.v_los[mine]), 0.06
    c = read_columns(path, ["K", "AK", "MK", "dist", "teff", "logg", "feh"])
    ratio = photometric_distance(c["K"], c["MK"], c["AK"]) / c["dist"]
    yield "distance from K, A_K, M_K / published", 1.0, float(np.median(ratio)), 0.0005
    half = np.arange(len(ratio)) % 2 == 0
    learnt = GiantLuminosity.train(
        *(c[n][half] for n in ("teff", "logg", "feh", "MK")), np.zeros(int(half.sum()))
    )
    M_K, _ = learnt.estimate(*(c[n][~half] for n in ("teff", "logg", "feh")))
    good = np.isfinite(M_K)
    again = photometric_distance(c["K"][~half][good], M_K[good], c["AK"][~half][good])
    yield (
        "distance from M_K learnt from the others / published",
        1.0,
        float(np.median(again / c["dist"][~half][good])),
        0.01,
    )


def gaia_within_100_pc(data: Path) -> Iterator[Row]:
    """Gaia DR2 stars with radial velocities within 100 pc."""
    path = data / "solar_nbhd" / "astropy_tutorials_gaia_dr2_4096.fits"
    stars, _ = read_catalogue(path, preset="gaia_dr2_6d")
    yield "stars", 4096, len(stars), 0
    yield from kinematics(stars, (-227.3, 32.9, 20.3, 15.0))


def open_clusters(data: Path) -> Iterator[Row]:
    """Open clusters with three or more radial velocities (Hunt & Reffert 2024)."""
    path = data / "open_clusters" / "HUNT2024.csv"
    stars, _ = read_catalogue(path, preset="hunt2024")
    c = read_columns(path, ["Name", "n_RV"])
    known = set(c["Name"][c["n_RV"] >= 3])
    stars = stars.select(np.array([name in known for name in np.asarray(stars.ident)]))
    yield "clusters", 2860, len(stars), 0
    yield from kinematics(stars, (-230.6, 16.6, 13.0, 5.9))


def soubiran_clusters(data: Path) -> Iterator[Row]:
    """Velocities that Soubiran et al. (2018) publish for open clusters, and ours from their positions and
    U, V, W, with their Sun: 8.34 kpc from the centre, 14 pc above the plane, 240 km/s.
    """
    path = data / "open_clusters" / "SOUBIRAN2018.csv"
    stars, _ = read_catalogue(path, preset="soubiran2018")
    c = read_columns(path, ["RV", "X", "Y", "Z", "U", "V", "W", "Vr", "Vphi", "Vz"])
    yield "clusters", 859, len(stars), 0
    peculiar = np.stack([c["U"], c["V"], c["W"]], axis=1)
    los = np.asarray(sight_line_basis(stars.l, stars.b)[0])
    yield (
        "largest difference of RV from U, V, W (km/s)",
        0,
        np.abs((peculiar * los).sum(1) - c["RV"]).max(),
        0.01,
    )
    place = np.stack([c["X"], c["Y"], c["Z"]], axis=1) / 1000.0
    velocity = peculiar + np.array([11.1, 240.0 + 12.24, 7.25])
    ours = np.asarray(cylindrical_velocity(np.concatenate([place, velocity], axis=1)))
    for name, mine, sign in zip(("Vr", "Vphi", "Vz"), ours.T, (1, -1, 1), strict=True):
        yield f"median {name} (km/s)", float(np.median(c[name])), float(np.median(sign * mine)), 0.01
        yield f"largest difference of {name} (km/s)", 0, np.abs(sign * mine - c[name]).max(), 0.011


SAMPLES = {
    "LAMOST DR9 x Gaia DR3, one field": lamost_gaia_field,
    "LAMOST DR3 red giants": lamost_dr3_giants,
    "Gaia DR2 within 100 pc": gaia_within_100_pc,
    "Open clusters (Hunt & Reffert 2024)": open_clusters,
    "Open clusters (Soubiran et al. 2018)": soubiran_clusters,
}


def main(data: Path) -> int:
    """Prints a table; returns how many numbers differ by more than the rounding of the known ones."""
    apart = 0
    for title, sample in SAMPLES.items():
        print(f"\n{title}\n{'':<56} {'known':>9} {'here':>9}")
        try:
            for what, known, ours, rounding in sample(data):
                differs = bool(abs(ours - known) > rounding)
                apart += differs
                print(f"  {what:<54} {known:>9g} {ours:>9.6g}{'  differs' if differs else ''}")
        except ValueError as error:
            print(f"  passed over: {error}")
    return apart


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("GALACTIONS_SHARED", beside)) / "data"
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else folder) > 0)
