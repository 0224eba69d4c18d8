"""The potential for AGAMA (Vasiliev 2019, MNRAS 482, 1525)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from galactions.errors import ModelError
from galactions.interop.table import Floats, TablePotential

if TYPE_CHECKING:
    from galactions.galaxy import Galaxy

_R = 0.15 * np.sinh(np.linspace(0.0, np.arcsinh(1000.0 / 0.15), 110))
_Z = 0.03 * np.sinh(np.linspace(0.0, np.arcsinh(1000.0 / 0.03), 100))


def to_agama(galaxy: "Galaxy", folder: str | Path) -> Path:
    """Write the total potential to `folder` for AGAMA, and return the path of the file to load there.

    `potential.ini` has one section `[Potential]` and names the file of coefficients beside it:
    `potential.coef`, of AGAMA's type CylSpline, with the potential and both derivatives at 110 x 100 points
    within R, |z| <= 1000 kpc (quintic interpolation). Lengths are in kpc, potentials in (km/s)^2: load it by
    `agama.setUnits(length=1, velocity=1, mass=1); agama.Potential(path)`. Raises `ModelError` if the folder
    cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be made a folder ({error.strerror})") from error
    table = TablePotential.of(galaxy)
    R, z = np.meshgrid(_R, _Z, indexing="ij")
    blocks = {"Phi": table(R, z), **dict(zip(("dPhi/dR", "dPhi/dz"), table.gradient(R, z), strict=True))}
    header = f"type=CylSpline\ngridSizeR={len(_R)}\ngridSizez={len(_Z)}\nmmax=0\nsymmetry=Axisymmetric\n"
    coefficients = "\n".join(f"#{name}\n{_block(values)}" for name, values in blocks.items())
    about = f"# {galaxy.spec.name} after {galaxy.iterations} iterations; kpc, km/s, Msun\n"
    path = folder / "potential.ini"
    (folder / "potential.coef").write_text(f"[Potential]\n{header}Coefficients\n{coefficients}")
    path.write_text(f"{about}[Potential]\nfile={(folder / 'potential.coef').resolve()}\n")
    return path


def _block(values: Floats) -> str:
    """The axisymmetric harmonic: a table of R (rows) and z (columns)."""
    lines = ["0\t#m", "\t".join(["#R(row)\\z(col)", *(f"{z:.15g}" for z in _Z)])]
    for R, row in zip(_R, values, strict=True):
        lines.append("\t".join(f"{x:.15g}" for x in (R, *row)))
    return "\n".join(lines) + "\n"
