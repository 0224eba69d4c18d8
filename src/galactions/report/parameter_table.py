"""The table of a fit's parameters: where they began, where they came to, and of a mock the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from galactions.report.numbers import number, with_error
from galactions.report.parameter_names import meaning

if TYPE_CHECKING:
    from galactions.report.contents import RunContents

Row = dict[str, Any]


def parameter_rows(run: RunContents) -> Row | None:
    """The free parameters (start, best, standard error, change, bounds; of a mock the truth, and how many
    standard errors the best value lies from it) and the fixed ones; None where none are recorded.
    """
    start: Mapping[str, float] = run.record.get("start_parameters", {})
    free: Sequence[str] = run.record.get("free", [])
    if not start:
        return None
    best: Mapping[str, float] = {}
    errors: Mapping[str, float] = {}
    if run.result is not None:
        best, errors = run.result.best, run.result.standard_errors or {}
    elif run.best_trial is not None:
        best = run.best_trial.parameters
    truth: Mapping[str, float] = (run.survey.meta.get("mock") or {}).get("truth") or {}
    bounds = {name: tuple(float(end) for end in pair) for name, pair in run.record.get("bounds", {}).items()}
    rows = [
        _free_row(name, start.get(name), best.get(name), errors.get(name), truth.get(name), bounds.get(name))
        for name in free
    ]
    return {
        "free": rows,
        "fixed": [_row(n, v) for n, v in start.items() if n not in free],
        "uncertainties": bool(errors),
        "truth": bool(truth) and bool(errors),
        "note": _note(bool(errors), bool(truth) and bool(errors)),
    }


def _note(errors: bool, truth: bool) -> str:
    note = ""
    if errors:
        note = (
            "Standard errors are those that the scatter of the survey's counts implies; they do not contain "
            "what is wrong with the model itself."
        )
    if truth:
        note += (
            " The stars of the mock are those of a model with the true values; off by: (best − truth)/error."
        )
    return note


def _row(name: str, value: float) -> Row:
    words, unit = meaning(name)
    return {"name": name, "meaning": words, "unit": unit, "start": number(value)}


def _free_row(
    name: str,
    start: float | None,
    best: float | None,
    error: float | None,
    truth: float | None,
    bounds: tuple[float, ...] | None,
) -> Row:
    words, unit = meaning(name)
    shown, shown_error = (
        ("–", "–") if best is None else (number(best), "–") if error is None else with_error(best, error)
    )
    change = "" if not start or best is None else f"{100 * (best / start - 1):+.1f} %".replace("-", "−")
    off = None if None in (best, truth) or not error else (best - truth) / error  # type: ignore[operator]
    limits = "–" if bounds is None else " to ".join("∞" if math.isinf(end) else number(end) for end in bounds)
    return {
        "name": name,
        "meaning": words,
        "unit": unit,
        "start": number(start),
        "best": shown,
        "uncertainty": shown_error,
        "truth": number(truth),
        "off": "–" if off is None else f"{off:+.1f}".replace("-", "−"),
        "change": change,
        "bounds": limits,
        "note": _bound_note(best, error, bounds),
    }


def _bound_note(best: float | None, error: float | None, bounds: tuple[float, ...] | None) -> str:
    """Whether a parameter ended on a bound, or closer to one than its error."""
    if best is None or bounds is None:
        return ""
    gap = min((abs(best - end) for end in bounds if math.isfinite(end)), default=math.inf)
    if gap <= 1e-3 * max(abs(best), 1e-300):
        return "at its bound"
    return "near its bound" if error is not None and gap < error else ""
