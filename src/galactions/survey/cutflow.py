"""How many stars each step of the selection leaves: nothing is dropped without being counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cut:
    """One step: what was asked, how many stars it removed and left; `note`: why it was not applied."""

    name: str
    removed: int
    left: int
    note: str = ""


@dataclass(frozen=True)
class CutFlow:
    """The steps in order: `CutFlow.start(n)` is the catalogue as read, `after` gives a longer flow."""

    cuts: tuple[Cut, ...]

    @classmethod
    def start(cls, n: int, name: str = "rows in the catalogue") -> "CutFlow":
        """A flow of `n` stars before any cut."""
        return cls((Cut(name, 0, n),))

    @property
    def left(self) -> int:
        """Stars left after the last step."""
        return self.cuts[-1].left

    def after(self, name: str, left: int, note: str = "") -> "CutFlow":
        """The flow with one more step that leaves `left` stars; ValueError if that is more than before."""
        if not 0 <= left <= self.left:
            raise ValueError(f"cut {name!r} leaves {left} of {self.left} stars: a cut can only remove stars")
        return CutFlow((*self.cuts, Cut(name, self.left - left, left, note)))

    def removed_by(self, name: str) -> int:
        """Stars removed by the step of that name. Raises KeyError when there is none."""
        for cut in self.cuts:
            if cut.name == name:
                return cut.removed
        raise KeyError(f"no cut named {name!r}; there are {[cut.name for cut in self.cuts]}")

    def to_list(self) -> list[dict[str, Any]]:
        """Plain rows, for JSON."""
        return [{"name": c.name, "removed": c.removed, "left": c.left, "note": c.note} for c in self.cuts]

    @classmethod
    def from_list(cls, rows: Sequence[Mapping[str, Any]]) -> "CutFlow":
        """The inverse of `to_list`."""
        return cls(tuple(Cut(r["name"], int(r["removed"]), int(r["left"]), r.get("note", "")) for r in rows))

    def __str__(self) -> str:
        width = max(len(cut.name) for cut in self.cuts)
        lines = [f"{'cut':<{width}} {'removed':>10} {'left':>10}"]
        for cut in self.cuts:
            note = f"  ({cut.note})" if cut.note else ""
            lines.append(f"{cut.name:<{width}} {cut.removed:>10,d} {cut.left:>10,d}{note}")
        return "\n".join(lines)
