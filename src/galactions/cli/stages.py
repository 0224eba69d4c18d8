"""How far a run of several stages is: a bar with an estimate of the time left on a terminal, elsewhere a line
for each stage, and more while a long one lasts.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from galactions.survey.progress import Progress

EVERY = 10.0
"""Seconds between two lines about the same stage."""


class Stages:
    """The clock of a run whose stages take about the given times (any unit), in their order.

    `begin` is told each stage, `go` how much of it is done; stages passed over were done before. Times are
    seconds of `clock`.
    """

    def __init__(self, plan: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self.plan, self.clock = dict(plan), clock
        self.started = self.told = clock()
        self.now: str | None = None
        self.part = 0.0
        """Share of the present stage that was done when it was `told` last."""
        self.run = 0.0
        """Planned time of the stages that this run has done."""

    def begin(self, stage: str) -> None:
        """A new stage begins, and with it the last one has ended. Raises KeyError for one not planned."""
        if stage not in self.plan:
            raise KeyError(f"stage {stage!r} is not planned; there are {', '.join(self.plan)}")
        if self.now is not None:
            self.run += self.plan[self.now]
        self.now, self.part, self.told = stage, 0.0, self.clock()

    def go(self, stage: str, share: float = 0.0) -> None:
        """The stage is done to a share, from 0 to 1; one that has not yet begun begins."""
        if stage != self.now:
            self.begin(stage)
        if share > self.part:
            self.part, self.told = min(share, 1.0), self.clock()

    @property
    def number(self) -> int:
        """Of the stage that runs, from 1."""
        return 0 if self.now is None else 1 + list(self.plan).index(self.now)

    @property
    def share(self) -> float:
        """Of the plan that is done, from 0 to 1."""
        times = list(self.plan.values())
        here = self.part * self.plan[self.now] if self.now else 0.0
        return (sum(times[: max(0, self.number - 1)]) + here) / sum(times)

    @property
    def left(self) -> float | None:
        """Seconds that are left, by how long it has taken to get so far; None before anything is done."""
        if self.now is None or not (done := self.run + self.part * self.plan[self.now]):
            return None
        speed = (self.told - self.started) / done
        later = sum(list(self.plan.values())[self.number :]) * speed
        rest = (1.0 - self.part) * self.plan[self.now] * speed
        return later + max(0.0, rest - (self.clock() - self.told))

    def __str__(self) -> str:
        left = self.left
        told = "" if left is None else f", about {in_words(left)} left"
        elapsed = in_words(self.clock() - self.started)
        part = f", {100 * self.part:.0f} %" if self.part else ""
        return f"{self.now} ({self.number} of {len(self.plan)}{part}; {elapsed} so far{told})"


def in_words(seconds: float) -> str:
    """12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def telling(
    what: str, plan: Mapping[str, float], clock: Callable[[], float] = time.monotonic
) -> "Iterator[Progress]":
    """The block gets a function that is told each stage of `plan`, and how much of it is done; what becomes
    of it is said on standard error.
    """
    stages = Stages(plan, clock)
    if not sys.stderr.isatty():
        last = -float("inf")

        def tell(stage: str, share: float = 0.0) -> None:
            nonlocal last
            begins = stage != stages.now
            stages.go(stage, share)
            if begins or clock() - last >= EVERY:
                last = clock()
                typer.echo(f"{what}: {stages}", err=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class Clock(ProgressColumn):
        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            return Text(str(stages) if stages.now else "")

    columns = (TextColumn("{task.description}"), BarColumn(), Clock())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)

        def show(stage: str, share: float = 0.0) -> None:
            stages.go(stage, share)
            bar.update(task, completed=stages.share)

        yield show
