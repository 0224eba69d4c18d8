"""Isochrone files, as their authors' web pages give them: PARSEC, MIST, Dartmouth.

Each point of an isochrone is a star of some mass at one age and metallicity; what is kept of it is what a
spectrum shows (T_eff, log g, [Fe/H]), its absolute magnitude in 2MASS K_s, and its share of a population.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from galactions.errors import CatalogueError
from galactions.survey.stars import FloatArray

IsochroneFormat = Literal["parsec", "mist", "dartmouth"]

PARSEC_LABELS = (1, 8)
"""First and last `label` of PARSEC's points that are kept, main sequence to the end of the AGB: 0 is before
the main sequence, where stars cross the region of giants in the wrong direction, and 9 after the AGB."""

MIST_PHASES = (0, 5)
"""The same by `phase` of MIST, which has -1 before the main sequence, and 6 and 9 after the AGB."""

FAINTEST = 50.0
"""mag; a magnitude beyond it stands for "none" (PARSEC writes 99.999)."""


@dataclass(frozen=True)
class Isochrones:
    """Points (P,) of isochrones: `teff` (K), `logg`, `feh` (dex), `M_K` (mag), and `weight`.

    `weight` is proportional to the number of stars that a point stands for among stars born together: the
    interval of initial mass to the next point times Salpeter's (1955) mass function m^-2.35.
    """

    teff: FloatArray
    logg: FloatArray
    feh: FloatArray
    M_K: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.teff)

    def select(self, which: npt.NDArray[np.bool_]) -> "Isochrones":
        """The points that a mask (P,) picks out."""
        return Isochrones(*(getattr(self, field.name)[which] for field in fields(self)))


def read_isochrones(paths: Iterable[str | Path], form: IsochroneFormat | None = None) -> Isochrones:
    """All points of one or more files of isochrones; the format is recognised when it is not given.

    Raises CatalogueError for a file that is missing, of none of the formats, or lacks a column.
    """
    parts: list[Isochrones] = []
    for path in map(Path, paths):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{path}: the file of isochrones cannot be read: {error}") from None
        kind = form or _recognise(path, lines)
        parts += _READERS[kind](path, lines)
    if not parts:
        raise CatalogueError("no isochrones: found no file, or none with a point in it")
    return Isochrones(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Isochrones))
    )


def _recognise(path: Path, lines: list[str]) -> IsochroneFormat:
    head = "\n".join(lines[:40])
    if "MIST" in head or "isochrone_age_yr" in head:
        return "mist"
    if "#AGE=" in head or "EEPS=" in head:
        return "dartmouth"
    if "logTe" in head and "Zini" in head:
        return "parsec"
    raise CatalogueError(f"{path}: not recognised as isochrones of PARSEC, MIST or Dartmouth")


def _isochrone(
    mass: FloatArray, log_teff: FloatArray, logg: FloatArray, feh: float, M_K: FloatArray
) -> Isochrones:
    """One isochrone from its points in the order of the file (initial mass does not fall along it)."""
    interval = np.clip(np.gradient(mass), 0.0, None) if len(mass) > 1 else np.ones(1)
    all_points = Isochrones(10.0**log_teff, logg, np.full(len(mass), feh), M_K, interval * mass**-2.35)
    return all_points.select(np.abs(M_K) < FAINTEST)


def _numbers(path: Path, number: int, line: str, names: list[str]) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        raise CatalogueError(f"{path}: line {number} is not a row of numbers: {line[:60]!r}") from None
    if len(values) != len(names):
        raise CatalogueError(f"{path}: line {number} has {len(values)} numbers, but {len(names)} are named")
    return values


def _named(path: Path, names: list[str], wanted: Iterable[str], band: str) -> list[int]:
    """Where the columns are, that of the 2MASS K_s `band` last."""
    columns = (*wanted, band)
    if missing := [name for name in columns if name not in names]:
        hint = "; ask for the photometric system of 2MASS" if band in missing else ""
        raise CatalogueError(f"{path}: no column {', '.join(missing)}{hint}; the file has {', '.join(names)}")
    return [names.index(name) for name in columns]


def _by_header(path: Path, lines: list[str]) -> tuple[list[str], FloatArray]:
    """Rows of numbers (P, C) and their names, which stand in the last comment line before the numbers."""
    names: list[str] = []
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            words = line.lstrip("# ").split()
            if {"logTe", "log_Teff"} & set(words):
                names = words
        elif line.strip():
            rows.append(_numbers(path, number, line, names))
    if not rows:
        raise CatalogueError(f"{path}: the file holds no isochrone")
    return names, np.array(rows)


def _groups(keys: FloatArray) -> Iterator[slice]:
    """Runs of equal rows of (P, C)."""
    cuts = np.flatnonzero(np.any(keys[1:] != keys[:-1], axis=1)) + 1
    edges = [0, *cuts.tolist(), len(keys)]
    yield from (slice(a, b) for a, b in pairwise(edges))


def _parsec(path: Path, lines: list[str]) -> list[Isochrones]:
    """CMD (stev.oapd.inaf.it/cgi-bin/cmd), in its versions 3.1 and later, in the 2MASS system.

    `MH` is [M/H], taken for [Fe/H] (scaled-solar abundances).
    """
    names, table = _by_header(path, lines)
    columns = _named(path, names, ("logAge", "MH", "Mini", "logTe", "logg"), "Ksmag")
    return _of_runs(_alive(names, table, "label", PARSEC_LABELS)[:, columns])


def _mist(path: Path, lines: list[str]) -> list[Isochrones]:
    """MIST photometry (.iso.cmd): `[Fe/H]_init` is the metallicity; the age is linear or its logarithm."""
    names, table = _by_header(path, lines)
    age = "isochrone_age_yr" if "isochrone_age_yr" in names else "log10_isochrone_age_yr"
    if "[Fe/H]_init" not in names:  # version 1.0 has it in the header alone
        names, table = [*names, "[Fe/H]_init"], np.insert(table, len(names), _mist_feh(path, lines), axis=1)
    columns = _named(path, names, (age, "[Fe/H]_init", "initial_mass", "log_Teff", "log_g"), "2MASS_Ks")
    return _of_runs(_alive(names, table, "phase", MIST_PHASES)[:, columns])


def _mist_feh(path: Path, lines: list[str]) -> float:
    for line, after in pairwise(lines):
        words = line.lstrip("# ").split()
        if words[:1] == ["Yinit"] and "[Fe/H]" in words:
            return float(after.lstrip("# ").split()[words.index("[Fe/H]")])
    raise CatalogueError(f"{path}: neither a column [Fe/H]_init nor [Fe/H] in the header")


def _alive(names: list[str], table: FloatArray, name: str, limits: tuple[int, int]) -> FloatArray:
    """The rows whose evolutionary phase lies within the limits; all where the file tells no phase."""
    if name not in names:
        return table
    phase = table[:, names.index(name)]
    return table[(phase >= limits[0]) & (phase <= limits[1])]


def _of_runs(table: FloatArray) -> list[Isochrones]:
    """Isochrones of the runs of one age and metallicity; `table` (P, 6) holds age, [Fe/H], mass, log T_eff,
    log g, M_K.
    """
    runs = (table[run] for run in _groups(table[:, :2])) if len(table) else ()
    return [_isochrone(rows[:, 2], rows[:, 3], rows[:, 4], float(rows[0, 1]), rows[:, 5]) for rows in runs]


def _dartmouth(path: Path, lines: list[str]) -> list[Isochrones]:
    """DSEP (stellar.dartmouth.edu/models): one metallicity in a file, a block of points for each age."""
    feh: float | None = None
    names: list[str] = []
    blocks: list[list[list[float]]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            words = line.lstrip("#").split()
            if "[Fe/H]" in words and "Zeff" in words:
                values = lines[number].lstrip("#").split()
                feh = float(values[words.index("[Fe/H]")])
            elif "LogTeff" in words:
                names = words
            elif line.startswith("#AGE="):
                blocks.append([])
        elif line.strip():
            if not blocks:
                raise CatalogueError(f"{path}: line {number}: points stand before any '#AGE=' line")
            blocks[-1].append(_numbers(path, number, line, names))
    if feh is None:
        raise CatalogueError(f"{path}: no [Fe/H] in the header of the file")
    mass, log_teff, logg, M_K = _named(path, names, ("M/Mo", "LogTeff", "LogG"), "Ks")
    isochrones = []
    for block in filter(None, blocks):
        rows = np.array(block)
        isochrones.append(_isochrone(rows[:, mass], rows[:, log_teff], rows[:, logg], feh, rows[:, M_K]))
    return isochrones


_READERS = {"parsec": _parsec, "mist": _mist, "dartmouth": _dartmouth}
