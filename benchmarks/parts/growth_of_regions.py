"""How time and memory grow with the number of regions."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measured import Measured, measure
from benchmarks.parts.chi2 import EDGES
from benchmarks.parts.model import settled_galaxy
from galactions.projection import SurveyNodes
from galactions.survey.regions import Region, paper_regions

NODES, REFERENCE = 512, 2048
"""Fewer than a fit has: it is the growth that is looked at."""


def split(regions: Sequence[Region], n: int) -> list[Region]:
    """Each region cut into `n` of equal width in longitude."""
    parts = []
    for region in regions:
        low, high = region.l
        for k in range(n):
            edges = low + (high - low) * k / n, low + (high - low) * (k + 1) / n
            parts.append(replace(region, name=f"{region.name}.{k}", l=edges, count=None))
    return parts


def figures(folder: Path, repeats: int) -> list[Measured]:
    """Eight of the paper's regions, and each of them cut into 4 and 16: nodes laid, and a model seen."""
    galaxy = settled_galaxy(folder)
    some = paper_regions()[::4]
    SurveyNodes.for_regions(galaxy, some[:1], [EDGES], nodes=NODES, reference=REFERENCE)  # compiles
    result = []
    for times in (1, 4, 16):
        regions = split(some, times)
        about = {"size": len(regions), "unit": "region", "growth": times}
        laid, nodes = measure(
            "nodes laid in regions",
            lambda regions=regions: SurveyNodes.for_regions(
                galaxy, regions, [EDGES] * len(regions), nodes=NODES, reference=REFERENCE
            ),
            repeats=0,
            **about,
        )
        seen, _ = measure(
            "projection of regions", lambda nodes=nodes: nodes.predict(galaxy), repeats, **about
        )
        result += [replace(laid, seconds=laid.first), seen]
    return result
