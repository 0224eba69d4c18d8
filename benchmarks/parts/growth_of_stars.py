"""How time and memory grow with the number of stars."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp

from benchmarks.measured import Measured, measure
from benchmarks.parts.actions import tabulated
from benchmarks.parts.model import settled_galaxy
from benchmarks.parts.stars import cylindrical, disc_stars
from galactions.galaxy.sampling import Sampler
from galactions.galaxy.star_files import stream

LEAST = 500_000


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Stars that are drawn and written, and whose actions are looked up: x1, x4, x16."""
    galaxy = settled_galaxy(folder)
    sampler = Sampler(galaxy)
    sampler.sample(1000)  # compiles
    path = folder / "growing.parquet"
    result = []
    for times in (1, 4, 16):
        n = LEAST * times
        drawn, _ = measure(
            "stars drawn and written",
            lambda n=n: stream(sampler, path, n),
            repeats=0,
            size=n,
            unit="star",
            growth=times,
        )
        result.append(replace(drawn, seconds=drawn.first))
    path.unlink()
    for times in (1, 4, 16):
        n = LEAST * times
        stars = [jnp.asarray(a) for a in cylindrical(disc_stars(n))]
        looked_up, _ = measure(
            "actions looked up",
            lambda stars=stars: tabulated(galaxy.action_table, *stars),
            repeats,
            size=n,
            unit="star",
            growth=times,
        )
        result.append(looked_up)
    return result
