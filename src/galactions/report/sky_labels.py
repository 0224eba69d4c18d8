"""What stands in a region's box on the sky map: names and numbers of stars, as large as the box allows."""

from __future__ import annotations

from collections.abc import Sequence

from galactions.report.plan import SkyRegion
from galactions.report.style import interval

LINE = 1.3
"""Distance of two lines, in units of the size of the letters."""

ROOM = 0.88
"""Share of a box that its text may fill."""

_TRIES: tuple[tuple[str, Sequence[float]], ...] = (
    ("{name} ({distance} kpc): {stars}", (8.0, 7.5, 7.0)),
    ("{name}: {stars}", (8.0, 7.5, 7.0, 6.5, 6.0, 5.5)),
    ("{name}:\n{stars}", (6.0, 5.5)),
    ("{name}", (6.0, 5.5, 5.0)),
)


def box_label(members: Sequence[SkyRegion], width: float, height: float) -> tuple[str, float]:
    """Text and size (points) of the label of regions that share a box of `width` x `height` points."""
    text, size = "", 5.0
    for form, sizes in _TRIES:
        text = "\n".join(_told(item, form, members) for item in members)
        for size in sizes:
            if fits(text, size, width, height):
                return text, size
    return text, size


def fits(text: str, size: float, width: float, height: float) -> bool:
    """Whether text of a size fits into `width` x `height`, all in points."""
    lines = text.split("\n")
    tall = len(lines) * LINE * size
    return tall <= ROOM * height and max(text_width(line, size) for line in lines) <= ROOM * width


def text_width(line: str, size: float) -> float:
    """Width of a line of text, points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return float(text_to_path.get_text_width_height_descent(line, FontProperties(size=size), ismath=False)[0])


def named_count(item: SkyRegion) -> str:
    """A region's name and number of stars: "11: 3,039"."""
    return f"{item.region.name}: {item.n_stars:,}"


def _told(item: SkyRegion, form: str, members: Sequence[SkyRegion]) -> str:
    told = form.format(
        name=item.region.name, distance=interval(*item.region.distance), stars=f"{item.n_stars:,}"
    )
    alone_left_out = not item.used and any(other.used for other in members)
    return f"{told} (left out)" if alone_left_out else told
