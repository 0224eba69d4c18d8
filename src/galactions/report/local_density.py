"""The densities of the components at the Sun, beside those of the paper's Table 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from galactions.report.course import component_name

NEGLIGIBLE = 1e-6
"""Densities at the Sun below this (Msun/pc^3; the bulge's, say) are left out of the table."""


@dataclass(frozen=True)
class DensityRow:
    """A component's density at the Sun: of the model, of the paper (None if not given), in Msun/pc^3."""

    component: str
    model: float
    paper: float | None

    @property
    def difference_percent(self) -> float | None:
        """How far the model lies above the paper, in percent; None without a paper value."""
        return None if not self.paper else 100.0 * (self.model / self.paper - 1.0)


def density_rows(model: Mapping[str, float], paper: Mapping[str, float] | None) -> tuple[DensityRow, ...]:
    """One row a component, then sums: all stars (the discs, as in the abstract of the paper), and
    everything.
    """
    paper = paper or {}
    rows = [
        DensityRow(component_name(name), value, paper.get(name))
        for name, value in model.items()
        if value > NEGLIGIBLE
    ]
    discs = [name for name in model if name.endswith("_disk")]
    if len(discs) > 1:
        both = sum(paper[name] for name in discs) if all(name in paper for name in discs) else None
        label = "both stellar discs" if len(discs) == 2 else "all stellar discs"
        rows.append(DensityRow(label, sum(model[name] for name in discs), both))
    rows.append(DensityRow("all components", sum(model.values()), None))
    return tuple(rows)
