"""The regions of a survey spread over maps of the sky, so that on each of them none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from galactions.report.plan import SkyRegion

Footprint = tuple[float, float, float, float]
"""Longitudes from and to, latitudes from and to, in degrees."""


@dataclass
class Layer:
    """A map's regions, by footprint: those one behind the other share one."""

    footprints: dict[Footprint, list[SkyRegion]] = field(default_factory=dict)

    @property
    def items(self) -> list[SkyRegion]:
        return [item for members in self.footprints.values() for item in members]

    @property
    def distance(self) -> tuple[float, float]:
        """The range of distances of its regions, kpc."""
        ends = [item.region.distance for item in self.items]
        return min(near for near, _ in ends), max(far for _, far in ends)

    def takes(self, footprint: Footprint) -> bool:
        """Whether the footprint is there already, or overlaps with none."""
        return footprint in self.footprints or not any(
            footprint[0] < other[1]
            and other[0] < footprint[1]
            and footprint[2] < other[3]
            and other[2] < footprint[3]
            for other in self.footprints
        )


def layers(
    items: Sequence[SkyRegion], footprints: Sequence[Footprint]
) -> tuple[list[Layer], list[SkyRegion]]:
    """Maps in the order of distance, and the regions that found no place.

    A region goes where its footprint is, else to the map whose distances are most like its own, else to a new
    one. One that is left out of the fit gets no map of its own: it waits until all others have theirs, and is
    then drawn where there is room.
    """
    order = sorted(
        zip(items, footprints, strict=True), key=lambda pair: (not pair[0].used, *pair[0].region.distance)
    )
    counts = any(item.used for item in items)
    made: list[Layer] = []
    homeless = []
    for item, footprint in order:
        fitting = [layer for layer in made if layer.takes(footprint) and _overlap(layer, item) >= 0.0]
        if fitting:
            best = max(fitting, key=lambda layer: (footprint in layer.footprints, _overlap(layer, item)))
        elif item.used or not counts:
            best = Layer()
            made.append(best)
        else:
            homeless.append(item)
            continue
        best.footprints.setdefault(footprint, []).append(item)
    return sorted(made, key=lambda layer: layer.distance), homeless


def _overlap(layer: Layer, item: SkyRegion) -> float:
    """The common part of two ranges of distance, kpc; negative for a gap between them."""
    near, far = layer.distance
    return min(far, item.region.distance[1]) - max(near, item.region.distance[0])
