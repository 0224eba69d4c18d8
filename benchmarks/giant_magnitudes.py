"""Absolute magnitudes of real giants on real isochrones, against the published ones.

    pip install lachesis-grids==0.0.9     # PARSEC 1.2S, MIST 2.5 and Dartmouth, without magnitudes of 2MASS
    python -m benchmarks.giant_magnitudes [FOLDER]

FOLDER holds `lamost_dr3_rgb` (default: the folder `data` in that of the environment variable
GALACTIONS_SHARED). M_K of the isochrones is their bolometric magnitude less a correction to K_s that is
linear in T_eff, as in `galactions.survey.mock_giants`; good to about 0.1 mag.
"""

import os
import sys
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np

GRIDS = {"PARSEC": "parsec_v1.25", "MIST": "mist_v2.5_vvcrit0.4", "Dartmouth": "dartmouth_dsep"}
AGES = (9.0, 10.1)
"""log10 of years: 1 to 12.6 Gyr."""

ERRORS = (110.0, 0.2, 0.15)
"""K, dex, dex: of the giants, which the file does not give."""

METALLICITIES = ((-2.0, -1.0), (-1.0, -0.5), (-0.5, 0.0), (0.0, 0.5))


def isochrones(name: str):  # type: ignore[no-untyped-def]
    """The giants of a grid, all ages and metallicities."""
    from galactions.survey import Isochrones
    from galactions.survey.mock_giants import SUN_M_BOL, bolometric_correction_K

    with files("lachesis_grids").joinpath(f"grids/{name}.h5").open("rb") as opened, h5py.File(opened) as file:
        columns, rows, lengths = list(file.attrs["columns"]), file["values"][:], file["lengths"][:]
        feh, ages = file["feh_values"][:], file["age_values"][:]
    parts = []
    for k, run in enumerate(np.split(rows, np.cumsum(lengths)[:-1])):
        point = dict(zip(columns, run.T.astype(np.float64), strict=True))
        if len(run) < 2 or not AGES[0] <= ages[k % len(ages)] <= AGES[1]:
            continue
        teff, mass = 10.0 ** point["log_Teff"], point["initial_mass"]
        M_K = SUN_M_BOL - 2.5 * point["log_L"] - bolometric_correction_K(teff)
        weight = np.clip(np.gradient(mass), 0.0, None) * mass**-2.35
        metal = np.full(len(run), feh[k // len(ages)])
        giant = (point["log_g"] < 3.9) & (teff < 6000.0)
        parts.append(np.stack([teff, point["log_g"], metal, M_K, weight])[:, giant])
    return Isochrones(*np.concatenate(parts, axis=1))


def spread(values: np.ndarray) -> float:
    """1.4826 times the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def main(data: Path) -> None:
    """Prints a table: M_K less the published one, by grid, prior and [Fe/H]."""
    from galactions.survey import MagnitudeLattice
    from galactions.survey.tables import read_columns

    c = read_columns(
        data / "lamost_dr3_rgb" / "LMDR3_diskRGB2.dat",
        ["teff", "logg", "feh", "MK", "MKerr_low", "MKerr_up"],
    )
    errors = [np.full(len(c["MK"]), e) for e in ERRORS]
    boxes = [(c["feh"] > low) & (c["feh"] <= high) for low, high in METALLICITIES]
    published = np.median(0.5 * (c["MKerr_low"] + c["MKerr_up"]))
    print(f"{len(c['MK']):,d} giants; published errors {published:.2f} mag in the median")
    print(
        f"{'':<26} told   all  scatter  error  " + "  ".join(f"{a:+.1f}..{b:+.1f}" for a, b in METALLICITIES)
    )
    for title, name in GRIDS.items():
        points = isochrones(name)
        for prior in ("flat", "mass-function"):
            M_K, e = MagnitudeLattice.of(points, prior).estimate(c["teff"], c["logg"], c["feh"], *errors)
            told = np.isfinite(M_K)
            off = M_K - c["MK"]
            by_feh = "  ".join(f"{np.median(off[told & box]):>+10.2f}" for box in boxes)
            of_all = f"{np.median(off[told]):+.2f} {spread(off[told]):>7.2f} {np.median(e[told]):>7.2f}"
            print(f"{title:<10} {prior:<15} {told.mean():.3f} {of_all} {by_feh}")


if __name__ == "__main__":
    shared = Path(os.environ.get("GALACTIONS_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else shared / "data")
