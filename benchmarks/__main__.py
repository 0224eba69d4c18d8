"""Measures the main tasks, prints one table, and adds the figures to the history.

    python -m benchmarks [--device gpu] [--only PART ...] [--out FILE] [--no-history]

Each part runs in a process of its own; together they take some ten minutes on two cores. Programs that do the
same tasks (galpy, AGAMA) are measured in the same run where they are installed.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

import galactions as ga
from benchmarks import history, markdown
from benchmarks.history import Entry, Run
from benchmarks.machine import commit, device_name, load, machine
from benchmarks.measured import Measured
from benchmarks.plan import PLAN, Part
from benchmarks.table import HEADINGS, cells, lines
from benchmarks.worker import run_part
from galactions.inference.files import write_text

REPEATS = 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--only", action="append", choices=[part.name for part in PLAN], metavar="PART")
    parser.add_argument("--out", type=Path, help="file for the table in Markdown")
    parser.add_argument("--no-history", action="store_true", help="leave the history as it is")
    asked = parser.parse_args()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    run = Run(now, machine(), device_name(asked.device), load(), ga.__version__, commit())
    console = Console(stderr=True)
    parts = [part for part in PLAN if not asked.only or part.name in asked.only]
    platforms = "cpu" if asked.device == "cpu" else "cuda,cpu"
    began = time.perf_counter()
    entries, remarks = [], []
    try:
        for part, start, figures, failure in _measured(parts, platforms, console):
            entries += [Entry(run, start, figure) for figure in figures]
            if failure:
                remarks.append(f"{part.name} ({start}): failed: {failure}")
    except KeyboardInterrupt:  # minutes of work are told all the same
        remarks.append("interrupted: the parts that are missing were not measured")
    failed = bool(remarks)
    remarks += [f"{part.needs} is not installed: {part.name} left out" for part in parts if part.lacking]
    known = history.read()
    for entry, old, slower in history.regressions(entries, known):
        remarks.append(
            f"slower by {slower:.0%} than on {old.run.date} (commit {old.run.commit}): {entry.measured.key}"
        )
    minutes = (time.perf_counter() - began) / 60
    remarks.append(
        f"{minutes:.1f} minutes; load before: {'unknown' if run.load is None else f'{run.load:.1f}'}"
    )
    _tell(run, entries, known, remarks, asked.out)
    if not asked.no_history:
        history.append(entries)
    if failed:
        raise SystemExit(1)


def _measured(
    parts: list[Part], platforms: str, console: Console
) -> Iterator[tuple[Part, str, list[Measured], str]]:
    """Each part with its start ("cold" or "warm"), its figures, and why it failed, if it did.

    Compiled code is kept in a folder that is empty at first, so that a part's first run is a cold start of
    all that earlier parts did not compile; the first one's is that of everything.
    """
    with tempfile.TemporaryDirectory(prefix="galactions-benchmark-") as name:
        folder = Path(name)
        for part in parts:
            if part.lacking:
                continue
            for start, repeats in (("cold", 0), ("warm", REPEATS)) if part.cold else (("warm", REPEATS),):
                console.print(f"{part.name}, {start} ...", end=" ")
                begin = time.perf_counter()
                figures, failure = run_part(part.module, folder, repeats, folder / "cache", platforms)
                console.print(failure or f"{time.perf_counter() - begin:.0f} s")
                yield part, start, figures, failure


def _tell(run: Run, entries: list[Entry], known: list[Entry], remarks: list[str], out: Path | None) -> None:
    """Prints the table, and writes it to a file where one is wanted."""
    rows = lines(entries)
    texts = [cells(line, rows, known) for line in rows]
    title = f"galactions {run.version} ({run.commit}), {run.device}; {run.machine}; {run.date}"
    table = Table(*HEADINGS, title=title)
    for text in texts:
        table.add_row(*text)
    console = Console(width=200)
    console.print(table)
    for remark in remarks:
        console.print(remark, highlight=False)
    if out is not None:
        told = "\n".join(f"* {remark}" for remark in remarks)
        write_text(out, f"{title}\n\n{markdown.table(HEADINGS, texts)}\n\n{told}\n")


if __name__ == "__main__":
    main()
