"""How far a run of several stages is: a bar with an estimate of the time left on a terminal, a line for each
stage elsewhere.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import typer


class Stages:
    """The clock of a run whose stages take about the given times (any unit), in their order.

    `begin` is told each stage; those passed over were done before. Times are seconds of `clock`.
    """

    def __init__(self, plan: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self.plan, self.clock = dict(plan), clock
        self.started = self.since = clock()
        self.now: str | None = None
        self.run = 0.0
        """Planned time of the stages that this run has done."""

    def begin(self, stage: str) -> None:
        """A new stage begins, and with it the last one has ended. Raises KeyError for one not planned."""
        if stage not in self.plan:
            raise KeyError(f"stage {stage!r} is not planned; there are {', '.join(self.plan)}")
        if self.now is not None:
            self.run += self.plan[self.now]
        self.now, self.since = stage, self.clock()

    @property
    def number(self) -> int:
        """Of the stage that runs, from 1."""
        return 0 if self.now is None else 1 + list(self.plan).index(self.now)

    @property
    def share(self) -> float:
        """Of the plan that is done, from 0 to 1."""
        times = list(self.plan.values())
        return sum(times[: max(0, self.number - 1)]) / sum(times)

    @property
    def left(self) -> float | None:
        """Seconds that are left, by how long the stages done so far have taken; None before one is done."""
        if self.now is None or not self.run:
            return None
        speed = (self.since - self.started) / self.run
        later = sum(list(self.plan.values())[self.number :]) * speed
        return later + max(0.0, self.plan[self.now] * speed - (self.clock() - self.since))

    def __str__(self) -> str:
        left = self.left
        told = "" if left is None else f", about {in_words(left)} left"
        elapsed = in_words(self.clock() - self.started)
        return f"{self.now} ({self.number} of {len(self.plan)}; {elapsed} so far{told})"


def in_words(seconds: float) -> str:
    """12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def telling(what: str, plan: Mapping[str, float]) -> Iterator[Callable[[str], None]]:
    """The block gets a function that is told each stage of `plan`; what becomes of it is said on standard
    error.
    """
    stages = Stages(plan)
    if not sys.stderr.isatty():

        def tell(stage: str) -> None:
            stages.begin(stage)
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

        def show(stage: str) -> None:
            stages.begin(stage)
            bar.update(task, completed=stages.share)

        yield show
