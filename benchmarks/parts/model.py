"""The galaxy that most parts of the benchmark use, built once a run."""

from pathlib import Path

from galactions.galaxy import Galaxy, build, load_galaxy, save_galaxy

NAME, ITERATIONS = "Mc17a", 3


def settled_galaxy(folder: Path) -> Galaxy:
    """Mc17a after three iterations, from a file in `folder`; it is built where there is none yet."""
    path = folder / f"{NAME}.h5"
    if not path.exists():
        save_galaxy(build(NAME, iterations=ITERATIONS), path)
    return load_galaxy(path)
