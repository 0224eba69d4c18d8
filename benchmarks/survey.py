"""The survey chain on mock files of the paper's size, and the cross-match of millions: time and peak memory.

python -m benchmarks.survey            607,833 stars from files to binned velocities
python -m benchmarks.survey 10000000   cross-match of as many rows of each, from files
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measured import Measured, peak_memory

PAPER_STARS = 607_833
"""Giants of section 2 of the paper."""


def disc_stars(n: int, seed: int = 0):  # type: ignore[no-untyped-def]
    """Stars within 5 kpc on nearly circular orbits, in half of the sky."""
    from galactions.survey import PAPER_SUN, Stars, stars_from_phase_space

    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(60.0, 300.0, n), np.degrees(np.arcsin(rng.uniform(-0.5, 1.0, n)))
    still = Stars(lon, lat, 5.0 * rng.uniform(0.05, 1.0, n) ** 0.6, *np.zeros((3, n)))
    place = still.phase_space(PAPER_SUN)[:, :3]
    R = np.hypot(place[:, 0], place[:, 1])
    along = np.stack([place[:, 1] / R, -place[:, 0] / R, np.zeros(n)], axis=1)
    velocity = 220.0 * along + rng.normal(0.0, [35.0, 25.0, 20.0], (n, 3))
    return stars_from_phase_space(np.concatenate([place, velocity], axis=1), PAPER_SUN)


def write_mock(folder: Path, n: int) -> None:
    """FITS files of n stars with spectra, half of them near others without, and repeated spectra."""
    from galactions.survey import MockRecipe, mock_catalogues

    recipe = MockRecipe(g_limit=30.0, without_spectrum=0.5, halo=0.03, spectra="lamost_dr8_v1")
    mock_catalogues(disc_stars(round(n / 1.03)), recipe).write(folder, ".fits")


def chain(folder: Path) -> str:
    """From the two files to binned velocities; how many stars and regions result."""
    from galactions.survey import load_survey, parse_survey_config

    config = {
        "spectra": {"file": "spectra.fits", "preset": "lamost_dr8_v1"},
        "astrometry": {"file": "astrometry.fits", "preset": "gaia_edr3"},
        "v_los_offset": 5.7,
        "min_stars": 50,
    }
    survey = load_survey(parse_survey_config(config), folder)
    left = {cut["name"]: cut["left"] for cut in survey.meta["cut_flow"]}
    return f"{left['distance and its error are known']:,d} stars with distances, {len(survey.used)} regions"


def write_positions(folder: Path, n: int) -> None:
    """Parquet files of n positions with proper motions, and of the same 16 years earlier, shuffled."""
    from galactions.survey.write_table import write_columns

    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0.0, 360.0, n), np.degrees(np.arcsin(rng.uniform(-0.2, 0.999, n)))
    pm_ra, pm_dec, error = rng.normal(0.0, 10.0, n), rng.normal(0.0, 10.0, n), np.full(n, 0.03)
    gaia = {"source_id": np.arange(n), "ra": ra, "dec": dec, "pmra": pm_ra, "pmdec": pm_dec}
    write_columns(gaia | {"pmra_error": error, "pmdec_error": error}, folder / "astrometry.parquet")
    order = rng.permutation(n)
    spectra = {
        "ra": np.mod(ra - 16.0 * pm_ra / 3.6e6 / np.cos(np.radians(dec)), 360.0)[order],
        "dec": (dec - 16.0 * pm_dec / 3.6e6)[order],
        "snrg": rng.uniform(5.0, 100.0, n),
        "true": order,
    }
    for name in ("teff", "teff_err", "logg", "logg_err", "feh", "feh_err", "rv", "rv_err"):
        spectra[name] = rng.normal(0.0, 30.0, n)
    write_columns(spectra, folder / "spectra.parquet")


def match(folder: Path) -> str:
    """Reads the two files and matches them; purity and completeness."""
    from galactions.survey import ASTROMETRY, SPECTRA, cross_match, read_source

    true = {"spec_id": "true"}
    preset = replace(SPECTRA["lamost_dr8_v2"], epoch=2000.0)
    spectra = read_source(folder / "spectra.parquet", preset, columns=true)
    astrometry = read_source(folder / "astrometry.parquet", ASTROMETRY["gaia_edr3"])
    i, j, _ = cross_match(spectra, astrometry, by="sky")
    right = np.sum(spectra.stars["spec_id"][i] == j)
    return f"purity {right / len(i):.6f}, completeness {right / len(spectra.stars):.6f}"


def measured(task: str, folder: Path) -> tuple[float, float, float, str]:
    """Seconds, seconds of CPU (which other work on the machine does not lengthen), peak memory in GiB, and
    the words of a task, in a process of its own.
    """
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks.survey", "--do", task, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, cpu, memory, words = out.stdout.strip().splitlines()[-1].split("\t")
    return float(seconds), float(cpu), float(memory), words


def figures(folder: Path, repeats: int) -> list[Measured]:
    """The chain on files of the paper's size, in a process of its own: once, as it is used."""
    files = folder / "survey"
    files.mkdir(exist_ok=True)
    write_mock(files, PAPER_STARS)
    seconds, cpu, memory, words = measured("chain", files)
    return [
        Measured(
            f"survey: {PAPER_STARS:,d} stars, files to bins",
            first=seconds,
            seconds=seconds,
            cpu=cpu,
            peak=memory,
            size=PAPER_STARS,
            unit="star",
            error=words,
        )
    ]


def main() -> None:
    """Prints time, memory and outcome of one task; `--do` runs it here."""
    if "--do" in sys.argv:
        task, folder = {"chain": chain, "match": match}[sys.argv[-2]], Path(sys.argv[-1])
        begin, begin_cpu = time.perf_counter(), time.process_time()
        words = task(folder)
        peak = peak_memory() or float("nan")
        seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        print(f"{seconds:.2f}\t{cpu:.2f}\t{peak:.2f}\t{words}")
        return
    with tempfile.TemporaryDirectory() as name:
        if len(sys.argv) > 1:
            n, task = int(sys.argv[1]), "match"
            write_positions(Path(name), n)
        else:
            n, task = PAPER_STARS, "chain"
            write_mock(Path(name), n)
        seconds, cpu, memory, words = measured(task, Path(name))
    print(f"{task} of {n:,d} stars: {seconds:.1f} s ({cpu:.1f} s CPU), {memory:.2f} GiB; {words}")


if __name__ == "__main__":
    main()
