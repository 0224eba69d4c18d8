"""The history of the benchmark: what is written is read again, and a regression is seen."""

from dataclasses import replace
from importlib.util import find_spec

import pytest
from benchmarks.history import SLOWER, Entry, Run, append, before, change, read, regressions
from benchmarks.machine import commit, device_name
from benchmarks.measured import Measured

RUN = Run("2026-01-01T00:00:00+00:00", "a processor, 2 cores, 8 GiB", "cpu", 0.5, "1.0", "abc1234")
MEASURED = Measured(
    "one chi2", first=8.0, seconds=1.5, cpu=2.5, size=30, peak=1.25, error='0.03, and "so on"'
)
OLD = Entry(RUN, "warm", MEASURED)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "history.csv"


def test_what_is_written_is_read_again(path):
    growing = Entry(RUN, "cold", Measured("stars", first=0.25, size=7, growth=4))
    append([OLD], path)
    append([growing], path)
    first, second = read(path)
    assert first == OLD
    assert second.key == growing.key
    assert second.measured.seconds is None


def test_no_file_is_an_empty_history(path):
    assert read(path) == []


def test_lines_that_are_no_entries_are_passed_over(path):
    append([OLD], path)
    append([OLD], path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "what is this", lines[1], lines[2].replace("2.5", "much")]))
    assert read(path) == [OLD]
    append([OLD], path)  # the last line did not end
    assert read(path) == [OLD, OLD]


@pytest.mark.parametrize(
    "other",
    [
        replace(OLD, start="cold"),
        replace(OLD, run=replace(RUN, machine="another processor")),
        replace(OLD, run=replace(RUN, device="a GPU")),
        replace(OLD, measured=replace(MEASURED, program="galpy")),
        replace(OLD, measured=replace(MEASURED, size=31)),
        replace(OLD, measured=replace(MEASURED, growth=4)),
    ],
)
def test_only_like_is_compared_with_like(other):
    assert before(OLD, [other]) is None
    assert before(other, [other, OLD]) is other


def test_the_last_entry_counts():
    older = replace(OLD, run=replace(RUN, date="2025-01-01"))
    assert before(OLD, [older, OLD]) is OLD


def slower_by(factor, **changes):
    times = {"first": factor * 8.0, "seconds": factor * 1.5, "cpu": factor * 2.5} | changes
    return Entry(replace(RUN, commit="def5678"), "warm", replace(MEASURED, **times))


def test_change_goes_by_the_processor_time():
    assert change(slower_by(1.0, seconds=30.0), OLD) == pytest.approx(0.0)
    assert change(slower_by(1.0, cpu=5.0), OLD) == pytest.approx(1.0)


def test_change_goes_by_the_clock_on_an_accelerator():
    gpu = replace(RUN, device="a GPU")
    new = replace(slower_by(1.0, seconds=3.0), run=gpu)
    assert change(new, replace(OLD, run=gpu)) == pytest.approx(1.0)


def test_change_of_what_is_done_once_goes_by_the_first_call():
    once = replace(OLD, measured=replace(MEASURED, seconds=None, cpu=None))
    assert change(slower_by(0.5, seconds=None, cpu=None), once) == pytest.approx(-0.5)
    assert change(slower_by(0.5, first=None, seconds=None, cpu=None), once) is None


def test_regressions():
    assert regressions([slower_by(1 + 0.9 * SLOWER)], [OLD]) == []
    assert regressions([slower_by(0.5)], [OLD]) == []
    ((new, old, by),) = regressions([slower_by(1 + 1.1 * SLOWER)], [OLD])
    assert (new.run.commit, old) == ("def5678", OLD)
    assert by == pytest.approx(1.1 * SLOWER)
    theirs = [replace(e, measured=replace(e.measured, program="galpy")) for e in (slower_by(3.0), OLD)]
    assert regressions(theirs[:1], theirs[1:]) == []


def test_no_repository_is_no_error(tmp_path, monkeypatch):
    assert commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))  # there is no git
    assert commit() == "unknown"


def test_a_device_that_is_not_there_is_told_in_a_sentence():
    if find_spec("jax_cuda12_plugin") or find_spec("jax_cuda13_plugin"):
        pytest.skip("JAX is installed with CUDA here")
    assert device_name("cpu") == "cpu"
    with pytest.raises(SystemExit, match="No CUDA device: JAX finds none on this machine"):
        device_name("gpu")
