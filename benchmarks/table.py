"""The table of the benchmark: figures of a run side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.history import Entry, before, change
from benchmarks.measured import OURS, Measured

HEADINGS = (
    *("task", "program", "cold start", "warm start", "steady", "CPU", "each", "memory", "ratio", "error"),
    "since last",
)


@dataclass(frozen=True)
class Line:
    """One task of one program: what was measured with warm compiled code, and, where it was measured, with
    nothing compiled."""

    warm: Entry
    cold: Entry | None = None


def lines(entries: Sequence[Entry]) -> list[Line]:
    """Cold and warm starts of a task brought together, and programs that do the same task below each other,
    ours first; else in the order of the entries."""
    cold = {entry.key[:-1]: entry for entry in entries if entry.start == "cold"}
    warm = [entry for entry in entries if entry.start == "warm"]
    tasks = list(dict.fromkeys(entry.measured.key for entry in warm))
    ordered = sorted(warm, key=lambda e: (tasks.index(e.measured.key), e.measured.program != OURS))
    return [Line(entry, cold.get(entry.key[:-1])) for entry in ordered]


def cells(line: Line, all_lines: Sequence[Line], known: Sequence[Entry]) -> list[str]:
    """The texts of a line, under `HEADINGS`; the last one against the `known` history."""
    measured = line.warm.measured
    old = before(line.warm, known)
    changed = change(line.warm, old) if old else None
    cold = line.cold.measured.first if line.cold else None
    each = f"{shown(measured.each)} a {measured.unit}" if measured.each is not None else ""
    return [
        name(measured),
        measured.program,
        shown(cold),
        shown(measured.first),
        shown(measured.seconds),
        shown(measured.cpu),
        each,
        memory(measured),
        ratio(measured, [other.warm.measured for other in all_lines]),
        measured.error,
        "" if changed is None else f"{changed:+.0%}",
    ]


def name(measured: Measured) -> str:
    """The task and, where it is measured at several sizes, how many of what."""
    size = f": {measured.size:,d} {measured.unit}{'s' * (measured.size != 1)}" if measured.growth else ""
    return measured.task + size


def ratio(measured: Measured, others: Iterable[Measured]) -> str:
    """Of another program: how many times our time for each of what is counted; of a task at several sizes:
    how many times the time of the smallest."""
    if measured.program == OURS and not measured.growth:
        return ""
    for other in others:
        if other.task != measured.task or other.program != OURS or other is measured:
            continue
        if measured.growth and other.growth == 1 and other.seconds and measured.seconds:
            return f"{_times(measured.seconds / other.seconds)} the time"
        if not measured.growth and measured.each and other.each:
            return f"{_times(measured.each / other.each)} ours"
    return ""


def _times(factor: float) -> str:
    return f"{factor:.0f} x" if factor >= 10 else f"{factor:.2g} x"


def memory(measured: Measured) -> str:
    """Peak memory of the process, and that of the accelerator."""
    parts = [] if measured.peak is None else [f"{measured.peak:.2f} GiB"]
    if measured.device_peak is not None:
        parts.append(f"{measured.device_peak:.2f} GiB on the device")
    return ", ".join(parts)


def shown(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
