"""Figures on their way into the page: saved beside it, and embedded in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from galactions.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure in the page: its name (also of its files), its data as a URI, size in pixels, and words."""

    name: str
    source: str
    width: int
    height: int
    alt: str
    caption: str


class Album:
    """Saves figures beside the page and hands them back ready for embedding."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder

    def add(self, name: str, figure: Figure, alt: str, caption: str, embed: str = "svg") -> Picture:
        """Saves a figure; `embed`: "svg", or "png" for one whose many lines would swell the page."""
        image = style.save(figure, self.folder, name)[embed]
        width, height = (round(96 * float(inches)) for inches in figure.get_size_inches())
        kind = {"svg": "svg+xml", "png": "png"}[embed]
        source = f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"
        return Picture(name, source, width, height, alt, caption)
