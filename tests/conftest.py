"""What all tests share."""

import os
from pathlib import Path

import pytest


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
