"""The history of measurements: one line for each task of each run, in a CSV file."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured import Measured
from galactions.inference.files import write_text

HISTORY = Path(__file__).parent / "results" / "history.csv"
_OF_RUN = ("date", "machine", "device", "load", "version", "commit")
_MEASURED = ("first", "seconds", "cpu", "peak", "device_peak", "error")
COLUMNS = (*_OF_RUN, "task", "size", "program", "start", *_MEASURED)
SLOWER = 0.25
"""Relative growth of the time of a task that is told as a regression: less is within what repeats differ."""


@dataclass(frozen=True)
class Run:
    """Where and when figures were taken. date: ISO 8601, UTC; device: "cpu", or the accelerator's name; load:
    processes that ran on the machine just before, on average."""

    date: str
    machine: str
    device: str
    load: float | None
    version: str
    commit: str


@dataclass(frozen=True)
class Entry:
    """One task of a run. start: "cold" where nothing was compiled before, "warm" where everything was."""

    run: Run
    start: str
    measured: Measured

    @property
    def key(self) -> tuple[str, ...]:
        """What makes entries comparable."""
        run, measured = self.run, self.measured
        return run.machine, run.device, measured.key, str(measured.size), measured.program, self.start


def read(path: Path = HISTORY) -> list[Entry]:
    """All entries, oldest first; none where there is no file. Lines that are no entries are passed over: a
    history that somebody has edited shall not keep anybody from measuring."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    entries = []
    for row in csv.DictReader(io.StringIO(text)):
        try:
            entries.append(_entry(row))
        except (KeyError, TypeError, ValueError):
            continue
    return entries


def append(entries: Iterable[Entry], path: Path = HISTORY) -> None:
    """Writes the file anew with further entries at its end, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    if known:
        out.write(known if known.endswith("\n") else known + "\n")
    else:
        writer.writeheader()
    writer.writerows(_row(entry) for entry in entries)
    write_text(path, out.getvalue())


def before(entry: Entry, known: Sequence[Entry]) -> Entry | None:
    """The last of the `known` entries of the same task, program, machine and device."""
    return next((old for old in reversed(known) if old.key == entry.key), None)


def change(entry: Entry, old: Entry) -> float | None:
    """Relative change of the time of a task: that of the CPU where both have it, which other work on the
    machine does not lengthen, else that of the steady state or of the first call; None where there is none.
    """
    new, past = entry.measured, old.measured
    names = ("cpu", "seconds", "first") if entry.run.device == "cpu" else ("seconds", "first")
    for name in names:
        a, b = getattr(new, name), getattr(past, name)
        if a is not None and b:
            return float(a / b - 1)
    return None


def regressions(entries: Iterable[Entry], known: Sequence[Entry]) -> list[tuple[Entry, Entry, float]]:
    """Those of our own tasks that take longer by more than `SLOWER` than the last time, with that entry and
    the relative change."""
    found = []
    for entry in entries:
        old = before(entry, known)
        slower = change(entry, old) if old else None
        if old and slower is not None and slower > SLOWER and entry.measured.program == "galactions":
            found.append((entry, old, slower))
    return found


def _row(entry: Entry) -> dict[str, object]:
    own = {name: getattr(entry.run, name) for name in _OF_RUN}
    measured = {name: getattr(entry.measured, name) for name in _MEASURED}
    named = {"task": entry.measured.key, "size": entry.measured.size, "program": entry.measured.program}
    row = own | named | {"start": entry.start} | measured
    return {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in row.items()}


def _entry(row: Mapping[str, str]) -> Entry:
    run = Run(**{name: row[name] for name in _OF_RUN} | {"load": _number(row["load"])})
    numbers = {name: _number(row[name]) for name in _MEASURED[:-1]}
    measured = Measured(row["task"], row["program"], size=int(row["size"]), error=row["error"], **numbers)
    if not (run.machine and measured.task and row["start"] in ("cold", "warm")):
        raise ValueError("no entry")
    return Entry(run, row["start"], measured)


def _number(text: str) -> float | None:
    return float(text) if text else None
