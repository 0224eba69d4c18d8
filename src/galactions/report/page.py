"""The page: what a run folder holds, in words, tables and figures, as one self-contained HTML file."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

from galactions._version import __version__
from galactions.data.published import circular_velocity_curves
from galactions.inference.files import write_text
from galactions.inference.progress import duration
from galactions.report import style, tables
from galactions.report.album import Album
from galactions.report.chi2_by_region import chi2_figure
from galactions.report.contents import RunContents, read_run
from galactions.report.course import convergence_figure
from galactions.report.model_section import circular_velocity_picture, iteration_picture, model_words
from galactions.report.numbers import count, number, plural
from galactions.report.parameter_table import parameter_rows
from galactions.report.posterior import posterior_section
from galactions.report.survey_section import sky_picture, survey_section
from galactions.report.typeset import typeset
from galactions.report.velocities import velocity_section, velocity_summary


def write_report(folder: str | Path) -> Path:
    """Writes `report.html` into a run folder, and every figure into its `figures` folder as PNG and SVG.

    The page needs nothing but itself: no network, no scripts, no other file. A run that has not ended gets a
    page of what there is. Returns the page's path. Raises RunFolderError for a folder that holds no run, or
    a damaged one.
    """
    run = read_run(folder)
    page = run.folder / "report.html"
    write_text(page, _render(_page(run, Album(run.folder / "figures"))))
    return page


def _render(content: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined, select_autoescape
    from markupsafe import Markup

    templates = files("galactions.report").joinpath("templates")
    environment = Environment(
        autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["typeset"] = typeset
    template = environment.from_string(templates.joinpath("report.html.j2").read_text(encoding="utf-8"))
    # The style sheet is the package's own; all else on the page is escaped.
    css = Markup(templates.joinpath("report.css").read_text(encoding="utf-8"))
    return template.render(css=css, **content)


def _page(run: RunContents, album: Album) -> dict[str, Any]:
    return {
        "version": __version__,
        "title": f"{run.model} fitted to {_survey_name(run)}",
        "subtitle": _subtitle(run),
        "warnings": _warnings(run),
        "tiles": _tiles(run),
        "survey": survey_section(run),
        "sky": sky_picture(run, album),
        "chi2": _chi2(run, album),
        "velocities": velocity_section(run, album),
        "velocities_summary": velocity_summary(run),
        "parameters": parameter_rows(run),
        "constraints": tables.constraint_rows(run),
        "model": model_words(run),
        "circular_velocity": circular_velocity_picture(run, album),
        "published": circular_velocity_curves(),
        "densities": tables.densities(run),
        "iterations": iteration_picture(run, album),
        "posteriors": posterior_section(run.posteriors, album),
        "course": _course(run, album),
        "facts": tables.facts(run),
        "config_text": run.record.get("config", ""),
    }


def _survey_name(run: RunContents) -> str:
    catalogue = run.survey.meta.get("catalogue")
    if catalogue:
        return str(catalogue)
    return "a mock survey" if (run.survey.meta.get("config") or {}).get("mock") else "a survey"


def _subtitle(run: RunContents) -> str:
    free = len(run.record.get("free", []))
    when = tables.time_text(run.record.get("end_time") or run.record.get("start_time"))
    told = f"Fit of {plural(free, 'parameter')} by {run.record.get('method', 'an unnamed method')}, {when}."
    settings = run.record.get("identity", {}).get("model") or {}
    if "iterations" in settings and "final_iterations" in settings:
        each, final = (tables.times(settings[key]) for key in ("iterations", "final_iterations"))
        told += (
            f" The potential was rebuilt from the distribution functions {each} in each trial, and {final} "
            "for the model shown here."
        )
    return told


def _warnings(run: RunContents) -> list[str]:
    """What to know before any number: that a run has not ended, or the remarks of one that has."""
    if run.result is not None:
        sentences = run.result.sentences
        return list(sentences[1:] if run.result.converged else sentences)
    told = str(run.record.get("status", "unknown"))
    return [f"This run has not ended ({told}): the page shows what there is; `--resume` takes it up again."]


def _tiles(run: RunContents) -> list[dict[str, str]]:
    used = run.survey.used
    tiles = []
    if run.result is not None:
        tiles.append(
            {
                "value": f"{run.result.chi2_total:.2f}",
                "unit": "",
                "label": "mean reduced χ² of the fitted regions",
            }
        )
        tiles.append(
            {
                "value": f"{run.result.chi2_per_dof:.2f}",
                "unit": "",
                "label": "χ² per degree of freedom, all fitted bins",
            }
        )
    elif run.best_trial is not None:
        tiles.append(
            {"value": f"{run.best_trial.chi2:.2f}", "unit": "", "label": "lowest mean reduced χ² so far"}
        )
    tiles.append(
        {
            "value": count(sum(item.n_stars for item in used)),
            "unit": "stars",
            "label": f"in {plural(len(used), 'region')}",
        }
    )
    galaxy = run.galaxy
    if galaxy.get("v_circ_sun_kms"):
        tiles.append(
            {
                "value": f"{galaxy['v_circ_sun_kms']:.1f}",
                "unit": "km/s",
                "label": "circular velocity at the Sun",
            }
        )
    if galaxy.get("m200_msun"):
        tiles.append(
            {"value": f"{galaxy['m200_msun'] / 1e12:.3g}", "unit": "10¹² M☉", "label": "virial mass M200"}
        )
    halo = (galaxy.get("local_density_msun_pc3") or {}).get("halo")
    if halo:
        tiles.append({"value": f"{halo:.4f}", "unit": "M☉/pc³", "label": "dark matter at the Sun"})
    return tiles


def _chi2(run: RunContents, album: Album) -> dict[str, Any] | None:
    if run.result is None:
        return None
    table = run.result.chi2
    fitted = len(table.fitted_rows)
    summary = (
        f"The mean reduced χ² (eq. 5 of the paper) of the {plural(fitted, 'fitted region')} is "
        f"{table.total:.2f}; over all {count(table.n_bins)} fitted bins χ² is {number(table.sum)}, "
        f"{run.result.chi2_per_dof:.2f} per degree of freedom."
    )
    by_model = run.record.get("settings", {}).get("uncertainty") == "model"
    source = "the model's prediction" if by_model else "the survey's own counts"
    bars = " (bars: all observables together)" if len(table.observables) > 1 else ""
    picture = album.add(
        "chi2_by_region",
        chi2_figure(table),
        "Reduced chi-squared of every region",
        f"Reduced χ² by region{bars}, with errors from {source}. Colours: the groups of regions; hollow: "
        "compared, not fitted; grey: left out.",
    )
    return {
        "summary": summary,
        "figure": picture,
        "observables": [style.OBSERVABLE_HTML.get(name, name) for name in table.observables],
        "groups": tables.group_rows(table),
        "regions": tables.region_rows(table, run.survey),
    }


def _course(run: RunContents, album: Album) -> dict[str, Any]:
    if not run.trials:
        return {"summary": "No trial has been made yet.", "figure": None, "failures": []}
    failures = Counter(trial.note for trial in run.trials if trial.failed)
    seconds = sum(trial.seconds for trial in run.trials)
    summary = (
        f"{plural(len(run.trials), 'trial')}, {sum(failures.values()) or 'none'} of them failed; "
        f"{duration(seconds)} in trials, {number(seconds / len(run.trials), 3)} s each."
    )
    if run.result is not None:
        summary += f" {run.result.status.value}"
        if run.result.rounds > 1:
            summary += (
                f" {run.result.rounds} rounds, each with errors renewed from the model of the round before."
            )
    picture = album.add(
        "trials",
        convergence_figure(run.trials),
        "Chi-squared and seconds of every trial",
        "Left: mean reduced χ² of every trial, and the best so far; trials for derivatives have none. Right: "
        "the time each took.",
    )
    return {
        "summary": summary,
        "figure": picture,
        "failures": [
            {"times": times, "reason": reason or "no reason was recorded"}
            for reason, times in failures.most_common()
        ],
    }
