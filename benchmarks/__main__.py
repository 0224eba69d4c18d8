"""Prints one table of the times (and, where they are cheap to have, the errors) of the main tasks."""

import os
import platform

from rich.console import Console
from rich.table import Table

import galactions as ga
from benchmarks import actions, chi2, galaxy, sampling, survey
from benchmarks.timing import shown


def main() -> None:
    """Run all benchmarks; a few minutes."""
    console = Console(width=150)
    rows = galaxy.rows()
    built = ga.build("Mc17a", iterations=3)
    rows += actions.rows(built)
    rows += sampling.rows(built)
    rows += chi2.rows()
    rows += survey.rows()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    title = f"galactions {ga.__version__}, {machine}"
    table = Table(title=title)
    for heading in ("task", "first call", "then", "per star", "ratio", "error"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row.task, shown(row.first), shown(row.best), shown(row.per_star), row.note, row.error)
    console.print(table)


if __name__ == "__main__":
    main()
