"""Where the bins of a velocity histogram lie: given, even, or found by a stated rule."""

import numpy as np

from galactions.survey.config import BinRule
from galactions.survey.stars import FloatArray

REACH = 4.5
"""Automatic bins cover the median plus and minus so many robust standard deviations."""

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Automatic widths are one of these times a power of ten."""


def count_in(values: FloatArray, edges: FloatArray) -> np.ndarray:
    """Number of values (N,) in each bin lower <= x < upper of `edges` (B + 1,): integers (B,)."""
    below = np.searchsorted(np.sort(values), edges, side="left")
    return np.diff(below)


def make_edges(values: FloatArray, rule: BinRule, error: float = 0.0) -> FloatArray:
    """Bin edges (B + 1,) for the values (N,) of one observable in one region.

    Given edges, or a range and a width, are taken as they are. Automatic bins: half the Freedman-Diaconis
    width, IQR N^(-1/3) (a fit loses more by wide bins than a picture does), but at least the typical
    measuring `error` (narrower bins would be correlated), rounded up to 1, 2, 2.5 or 5 times a power of
    ten; edges at multiples of the width, reaching 4.5 robust standard deviations to each side of the
    median. Then bins with fewer than `rule.min_count` stars are merged (`merge_thin`).
    """
    if rule.edges is not None:
        edges = np.array(rule.edges, dtype=np.float64)
    elif rule.range is not None and rule.width is not None:
        edges = _even(rule.range[0], rule.range[1], rule.width)
    else:
        edges = _automatic(values, error)
    return merge_thin(edges, count_in(values, edges), rule.min_count)


def _even(low: float, high: float, width: float) -> FloatArray:
    """Bins of one width from `low`; the last is shorter where the range is no multiple of the width."""
    n = int(np.ceil((high - low) / width - 1e-9))
    return np.append(low + width * np.arange(n), high)


def _automatic(values: FloatArray, error: float) -> FloatArray:
    low, middle, high = np.percentile(values, [25.0, 50.0, 75.0])
    spread = max((high - low) / 1.349, error, 1e-3 * abs(middle), 1e-6)
    width = _round_up(max(1.349 * spread * len(values) ** (-1.0 / 3.0), error))
    first = int(np.floor((middle - REACH * spread) / width))
    last = int(np.ceil((middle + REACH * spread) / width))
    return width * np.arange(first, last + 1, dtype=np.float64)


def _round_up(width: float) -> float:
    power = 10.0 ** np.floor(np.log10(width))
    return float(power * next(r for r in ROUND if r * power >= width * (1.0 - 1e-9)))


def merge_thin(edges: FloatArray, counts: np.ndarray, min_count: int) -> FloatArray:
    """Edges with neighbouring bins merged until each holds at least `min_count` stars.

    Merging goes from either end towards the fullest bin, which takes what is left over on both sides; so
    the outermost edges stay, and wings become wide bins. One bin is left when all of them together hold too
    few.
    """
    if min_count <= 0:
        return edges
    peak = int(np.argmax(counts))
    left = _close(counts[:peak], min_count)
    right = [len(counts) - i for i in _close(counts[: peak + 1 - len(counts) - 1 : -1], min_count)]
    kept = [0, *left, *reversed(right), len(counts)]
    if counts[kept[len(left)] : kept[len(left) + 1]].sum() < min_count:
        kept = [0, len(counts)]
    return edges[kept]


def _close(counts: np.ndarray, min_count: int) -> list[int]:
    """Where to close bins, going inwards from the end: numbers of cells passed at each closing."""
    closed, held = [], 0
    for i, count in enumerate(counts, start=1):
        held += int(count)
        if held >= min_count:
            closed.append(i)
            held = 0
    return closed
