"""How far a fit or a posterior has come: what is reported after each trial, and two ways of showing it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

Progress = Callable[["ProgressUpdate | SamplingUpdate"], None]
"""Called after each trial, and with `message` alone between stages. What it raises ends the fit."""


@dataclass(frozen=True)
class ProgressUpdate:
    """State of a fit after a trial.

    trial, max_trials: how many there were and may be. round: of re-weighting, from 1. chi2: mean reduced
    chi2 of this trial (None: derivatives, or a failed trial), best_chi2: the lowest of this round.
    failures: failed trials so far. elapsed: seconds since this process began the fit. at_most_left: seconds
    until all allowed trials are used up, by the time of the latest ones (a search that converges ends
    earlier); None as long as none was timed. message: why the trial failed, or which stage begins.
    """

    trial: int
    max_trials: int
    round: int
    chi2: float | None
    best_chi2: float | None
    failures: int
    elapsed: float
    at_most_left: float | None
    message: str = ""

    @classmethod
    def stage(cls, message: str) -> "ProgressUpdate":
        """The beginning of a stage, with no trial to tell of (`trial` is 0)."""
        return cls(0, 0, 0, None, None, 0, 0.0, None, message)

    @property
    def line(self) -> str:
        """All of it in one line of text."""
        if not self.trial:
            return self.message
        best = "" if self.best_chi2 is None else f", best {self.best_chi2:.4f}"
        chi2 = "-" if self.chi2 is None else f"{self.chi2:.4f}"
        failed = f", {self.failures} failed" if self.failures else ""
        left = "" if self.at_most_left is None else f", at most {duration(self.at_most_left)} left"
        told = f" ({self.message})" if self.message else ""
        return (
            f"trial {self.trial} of at most {self.max_trials}: chi2 {chi2}{best}{failed}, "
            f"{duration(self.elapsed)}{left}{told}"
        )

    @property
    def bar_text(self) -> str:
        """What stands beside a bar of trials."""
        best = "-" if self.best_chi2 is None else f"{self.best_chi2:.4f}"
        chi2 = f"{self.chi2:.4f}" if self.chi2 is not None else "failed" if self.message else "-"
        left = "" if self.at_most_left is None else f" · at most {duration(self.at_most_left)} left"
        failed = f" · {self.failures} failed" if self.failures else ""
        return f"round {self.round} · chi2 {chi2} · best {best}{failed}{left}"


@dataclass(frozen=True)
class SamplingUpdate:
    """State of a posterior run: `trial` of `max_trials` draws or points of the present stage, how many
    evaluations of the model the stage has needed, and the seconds it has run and may still need."""

    stage: str
    trial: int
    max_trials: int
    evaluations: int
    elapsed: float
    left: float | None
    message: str = ""

    @property
    def line(self) -> str:
        """All of it in one line of text."""
        left = "" if self.left is None else f", about {duration(self.left)} left"
        return (
            f"{self.stage}, {self.trial} of {self.max_trials}: {self.evaluations} evaluations, "
            f"{duration(self.elapsed)}{left}"
        )

    @property
    def bar_text(self) -> str:
        """What stands beside a bar of draws."""
        left = "" if self.left is None else f" · about {duration(self.left)} left"
        return f"{self.stage} · {self.evaluations} evaluations{left}"


def duration(seconds: float) -> str:
    """Seconds as people say them: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def show_progress(stream: TextIO | None = None, every: float = 10.0) -> Iterator[Progress]:
    """A progress display for `fit(..., progress=...)`: a live bar on a terminal, plain lines elsewhere.

    stream: where to (standard error by default). every: seconds between two plain lines; failures and
    stages are always told.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with _live_bar(stream) as show:
            yield show
    else:
        yield _plain_lines(stream, every)


def _plain_lines(stream: TextIO, every: float) -> Progress:
    last = -float("inf")

    def show(update: ProgressUpdate | SamplingUpdate) -> None:
        nonlocal last
        now = time.monotonic()
        if update.message or now - last >= every:
            last = now
            print(update.line, file=stream, flush=True)

    return show


@contextmanager
def _live_bar(stream: TextIO) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(file=stream), transient=False) as bar:
        task = bar.add_task("starting", total=1)

        def show(update: ProgressUpdate | SamplingUpdate) -> None:
            if not update.trial:
                bar.console.print(update.message)
                return
            bar.update(task, completed=update.trial, total=update.max_trials, description=update.bar_text)

        yield show
