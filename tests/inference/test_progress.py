"""What a fit shows while it runs."""

import io

import pytest

from galactions.inference import ProgressUpdate, show_progress
from galactions.inference.progress import duration

UPDATE = ProgressUpdate(12, 600, 1, 3.25, 3.0, 2, 75.0, 5880.0)


def test_a_line_has_trial_chi2_best_failures_and_time():
    assert UPDATE.line == (
        "trial 12 of at most 600: chi2 3.2500, best 3.0000, 2 failed, 1 min 15 s, at most 1 h 38 min left"
    )


@pytest.mark.parametrize(("seconds", "words"), [(8.2, "8 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_plain_lines_where_there_is_no_terminal():
    stream = io.StringIO()
    with show_progress(stream, every=3600) as progress:
        progress(UPDATE)
        progress(UPDATE)
        progress(ProgressUpdate.stage("building the final model"))
    assert stream.getvalue().splitlines() == [UPDATE.line, "building the final model"]


def test_a_bar_on_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with show_progress(stream) as progress:
        progress(UPDATE)
        progress(ProgressUpdate(13, 600, 1, None, 3.0, 3, 80.0, None, "ModelError: no"))
        progress(ProgressUpdate.stage("building the final model"))
    assert "building the final model" in stream.getvalue()
    assert "chi2 failed" in stream.getvalue()
