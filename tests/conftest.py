"""What all tests share."""

import os
from pathlib import Path

import numpy as np
import pytest

import galactions as ga


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` (reference values, real survey files): `GALACTIONS_SHARED`, or beside the
    checkout.
    """
    named = os.environ.get("GALACTIONS_SHARED")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(
            f"needs the folder 'shared' of reference data; looked at {folder} (set GALACTIONS_SHARED)"
        )
    return folder


@pytest.fixture(scope="session")
def reference(shared) -> dict[str, np.ndarray]:
    """Reference values of the model Mc17a, by name; their meanings stand in the README beside them."""
    path = shared / "reference" / "Mc17a.npz"
    if not path.is_file():
        pytest.skip(f"needs the reference values {path}")
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(scope="session")
def initial():
    """The model Mc17a before any iteration."""
    return ga.build("Mc17a", iterations=0)


@pytest.fixture(scope="session")
def settled():
    """The model Mc17a after five iterations, as many as the reference has."""
    return ga.build("Mc17a", iterations=5)
