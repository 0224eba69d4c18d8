"""The table of the benchmark: programs below each other, cold beside warm, ratios for the same work."""

from dataclasses import replace

import pytest
from benchmarks.history import Entry, Run
from benchmarks.measured import Measured, measure
from benchmarks.table import HEADINGS, cells, lines, memory, name, ratio, shown

RUN = Run("2026-01-01", "a machine", "cpu", None, "1.0", "abc1234")
OURS = Measured("actions", first=2.0, seconds=0.1, cpu=0.2, size=1000, unit="star")
THEIRS = Measured("actions", "galpy", first=3.0, seconds=0.5, size=100, unit="star")


def entries(*measured, start="warm"):
    return [Entry(RUN, start, one) for one in measured]


def test_programs_that_do_the_same_stand_below_each_other():
    other = Measured("density", seconds=1.0)
    found = lines([*entries(OURS, start="cold"), *entries(OURS, other, THEIRS)])
    assert [line.warm.measured for line in found] == [OURS, THEIRS, other]
    assert found[0].cold == Entry(RUN, "cold", OURS)
    assert found[1].cold is None


def test_ratios_are_of_the_time_for_each():
    assert ratio(OURS, [OURS, THEIRS]) == ""
    assert ratio(THEIRS, [OURS, THEIRS]) == "50 x ours"
    assert ratio(THEIRS, [THEIRS]) == ""
    assert ratio(replace(THEIRS, seconds=0.5e-2), [OURS]) == "0.5 x ours"
    assert ratio(replace(THEIRS, seconds=None), [OURS]) == ""


def test_growth_is_told_relative_to_the_smallest():
    sizes = [replace(OURS, growth=n, seconds=0.1 * n**0.5) for n in (1, 4, 16)]
    assert [name(one) for one in sizes] == ["actions: 1,000 stars"] * 3
    assert name(OURS) == "actions"
    assert [ratio(one, sizes) for one in sizes] == ["", "2 x the time", "4 x the time"]


def test_a_line_has_a_text_under_each_heading():
    (line,) = lines(entries(OURS))
    old = Entry(RUN, "warm", replace(OURS, cpu=0.1))
    told = dict(zip(HEADINGS, cells(line, [line], [old]), strict=True))
    assert told["each"] == "100 us a star"
    assert told["warm start"] == "2 s"
    assert told["cold start"] == ""
    assert told["since last"] == "+100%"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (75.0, "75 s"), (0.012, "12 ms"), (2e-6, "2 us"), (5e-10, "0.5 ns")]
)
def test_times_are_shown_in_their_unit(seconds, text):
    assert shown(seconds) == text


def test_memory_of_both():
    assert memory(replace(OURS, peak=1.234)) == "1.23 GiB"
    assert memory(replace(OURS, peak=1.0, device_peak=2.0)) == "1.00 GiB, 2.00 GiB on the device"


def test_the_first_call_is_kept_apart():
    calls = []
    measured, result = measure("task", lambda: calls.append(None) or len(calls), repeats=2, size=3)
    assert result == len(calls) > 3  # quick tasks are repeated
    assert measured.first is not None
    assert measured.seconds is not None
    assert measured.size == 3
    assert 0.01 < measured.peak < 100
    once, result = measure("task", lambda: 1, repeats=0)
    assert result == 1
    assert once.seconds is None
    assert Measured(**once.as_json()) == once
