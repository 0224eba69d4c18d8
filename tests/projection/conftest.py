"""A model with the initial potential only, three regions and their bins."""

import numpy as np
import pytest

import galactions as ga


@pytest.fixture(scope="session")
def galaxy(initial: ga.Galaxy) -> ga.Galaxy:
    return initial


@pytest.fixture(scope="session")
def hotter() -> ga.Galaxy:
    """The same with the thin disc's radial dispersion 10% higher."""
    spec = ga.named_model("Mc17a")
    return ga.build(spec.replace(sigma_r0_thin=1.1 * spec.parameters["sigma_r0_thin"]), iterations=0)


@pytest.fixture(scope="session")
def edges() -> dict[str, np.ndarray]:
    return {
        "v_los": np.arange(-250.0, 251.0, 20.0),
        "pm_ra": np.arange(-25.0, 25.1, 1.0),
        "pm_dec": np.arange(-25.0, 25.1, 1.0),
    }


@pytest.fixture(scope="session")
def boxes() -> tuple[ga.Region, ...]:
    wide = ga.Region("wide", (350.0, 370.0), (-30.0, 30.0), (1.0, 3.0))
    return (ga.paper_regions()[1], ga.paper_regions()[22], wide)
