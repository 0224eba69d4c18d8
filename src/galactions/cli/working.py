"""What commands share: folders for their output, and a word on what takes its time."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from galactions.errors import GalactionsError


def make_folder(folder: Path) -> None:
    """Makes a folder and its parents. Raises GalactionsError when that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalactionsError(f"{folder}: cannot be made a folder ({error.strerror})") from error


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Says on standard error what takes its time: a spinner with a clock on a terminal, else nothing but the
    work. The block gets a function that is told each new stage.
    """
    if not sys.stderr.isatty():
        yield lambda stage: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda stage: bar.update(task, description=f"{what}: {stage}")
