"""How the components of a model are drawn: a colour for each kind of component, a dash for each of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from galactions.report import style
from galactions.report.course import component_name

if TYPE_CHECKING:
    from galactions.galaxy import ComponentSpec, ModelSpec

_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 2, 1, 2)))
_KINDS = {"disc": style.INK, "spheroid": style.MODEL, "gas": style.DATA, "medium": style.SERIES[2]}


def component_styles(spec: ModelSpec) -> dict[str, dict[str, Any]]:
    """Keywords of matplotlib's `plot` for each component, by name, `label` among them.

    As in the paper's Fig. 13: stellar discs black, spheroids blue, gas discs red, the circumgalactic medium
    green; those of one kind differ in their dashes.
    """
    counts: dict[str, int] = {}
    styles = {}
    for component in spec.components:
        kind = _kind(component)
        number = counts[kind] = counts.get(kind, -1) + 1
        styles[component.name] = {
            "color": _KINDS[kind],
            "linestyle": _DASHES[number % len(_DASHES)],
            "linewidth": 1.5,
            "label": component_name(component.name),
        }
    return styles


def _kind(component: ComponentSpec) -> str:
    if component.density == "cgm":
        return "medium"
    if component.density in ("spheroid", "contracted"):
        return "spheroid"
    return "gas" if component.df is None else "disc"
