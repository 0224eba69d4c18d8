"""What a long piece of work tells of itself: which stage it is in, and how much of the stage is done."""

from collections.abc import Callable, Iterator
from typing import Protocol

Share = Callable[[float], None]
"""Is told how much of a piece of work is done, from 0 to 1."""


class Progress(Protocol):
    """Is told the name of each stage when it begins, and again while it lasts, with the share of it (0 to 1)
    that is done.
    """

    def __call__(self, stage: str, share: float = 0.0) -> None: ...


def silent(stage: str, share: float = 0.0) -> None:
    """Tells nobody."""


def untold(share: float) -> None:
    """Tells nobody."""


def share_of(progress: Progress, stage: str) -> Share:
    """Begins a stage; gives what is to be told its share."""
    progress(stage)
    return lambda share: progress(stage, share)


def part_of(share: Share, begin: float, end: float) -> Share:
    """For a part of the work: its 0 is `begin` of the whole, its 1 is `end`."""
    return lambda done: share(begin + (end - begin) * done)


def chunks(n: int, size: int, share: Share = untold) -> Iterator[slice]:
    """Slices of at most `size` that cover `n` things, in order; after each, `share` is told."""
    for start in range(0, n, size):
        stop = min(start + size, n)
        yield slice(start, stop)
        share(stop / n)
