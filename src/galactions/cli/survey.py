"""`galactions survey CONFIG` and `galactions survey fetch`."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from galactions.cli.stages import telling
from galactions.cli.working import make_folder
from galactions.errors import GalactionsError

if TYPE_CHECKING:
    from galactions.survey import BinnedSurvey, Sample, SurveyConfig
    from galactions.survey.fetch import Report

BIN = "bin"
"""The command that `galactions survey CONFIG` stands for."""


class _ConfigOrCommand(TyperGroup):
    """A group whose first argument may be the configuration itself."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [BIN, *args]
        return super().parse_args(ctx, args)


survey_app = typer.Typer(
    cls=_ConfigOrCommand,
    no_args_is_help=True,
    help="Catalogues to binned velocities by region: `survey CONFIG`; and the Gaia archive: `survey fetch`.",
    rich_markup_mode=None,
)


@survey_app.command(BIN)
def bin_catalogues(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file with a [survey] table.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Save the binned survey.")] = None,
    stars: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the stars, with their phase-space positions and errors."),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw maps of the sample and of its regions there.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the finished stages of a run that was stopped.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Read catalogues, select their giants, and bin their velocities by region; tell what each step left.

    The name of the command may be left out: `galactions survey CONFIG`. Finished stages are kept while it
    runs (and afterwards, if the configuration names a folder `work`).
    """
    from galactions.survey import bin_sample, load_sample, read_survey_config, survey_stages, write_sample
    from galactions.survey.progress import share_of

    settings, folder = read_survey_config(config), config.parent
    plan = survey_stages(settings, folder)
    plan |= {"writing the stars": 12.0} if stars is not None else {}
    plan |= {"figures": 4.0} if figures is not None else {}
    with _kept_stages(settings, config, resume) as keep, telling(f"survey of {config}", plan) as stage:
        sample = load_sample(settings, folder, stage, keep)
        binned = bin_sample(sample, settings, folder, stage, keep)
        if stars is not None:
            by_parallax = sample.facts.get("distance", {}).get("method") == "parallax"
            share = share_of(stage, "writing the stars")
            write_sample(sample.stars, stars, settings.sun.to_sun(), settings.seed, by_parallax, share)
        if figures is not None:
            stage("figures")
            make_folder(figures)
            draw_sample(figures, sample, binned, settings)
        if out is not None:
            make_folder(out.parent)
            binned.save(out)
    typer.echo(json.dumps(_as_json(binned)) if as_json else _as_text(binned))


@contextmanager
def _kept_stages(settings: "SurveyConfig", config: Path, resume: bool) -> "Iterator[Path | None]":
    """The folder in which finished stages are kept: `work` of the configuration, or one beside its file,
    which is removed when the run ends, but stays when it is stopped.
    """
    from galactions.inference.lock import folder_lock
    from galactions.survey.config_file import resolve_path

    if settings.work is not None:
        yield resolve_path(settings.work, config.parent)
        return
    own = config.with_name(f"{config.name}.stages")
    try:
        own.mkdir(exist_ok=True)
    except OSError as error:
        typer.echo(f"galactions: {own}: {error.strerror}: stages are not kept", err=True)
        yield None
        return
    try:
        with folder_lock(own):
            if not resume:
                _empty(own)
            try:
                yield own
            except (KeyboardInterrupt, SystemExit) as stop:
                again = f"`galactions survey {config} --resume` goes on from the finished stages"
                typer.echo(f"galactions: stopped; {again}", err=True)
                raise typer.Exit(130 if isinstance(stop, KeyboardInterrupt) else 143) from None
            except GalactionsError:
                _empty(own)
                raise
            _empty(own)
    finally:
        with suppress(OSError):  # not empty: stopped, or another process's
            own.rmdir()


def _empty(folder: Path) -> None:
    """Removes what stages have left in a folder of theirs, but not its lock."""
    for path in folder.iterdir():
        if path.name != "run.lock":
            path.unlink()


def draw_sample(folder: Path, sample: "Sample", binned: "BinnedSurvey", settings: "SurveyConfig") -> None:
    """Figures 1 to 3 of the paper as PNG files, those that the sample has the columns for."""
    from galactions.atomic import replacing
    from galactions.report.distance_ratio import distance_ratio_figure
    from galactions.report.sample_maps import sample_maps
    from galactions.report.sky import SkyRegion, sky_map
    from galactions.report.style import render
    from galactions.survey import DistanceRatio

    stars, sun = sample.stars, settings.sun.to_sun()
    items = [SkyRegion(r.region, r.n_stars, r.used) for r in binned.regions]
    drawn = {"regions": sky_map(items, settings.sun.d, stars)}
    if stars.has_proper_motions:
        drawn["sample"] = sample_maps(stars, sun)
    ratios = sample.facts.get("distance", {}).get("ratio")
    if ratios and stars.parallax is not None:
        told = {name: DistanceRatio(**ratio) for name, ratio in ratios.items()}
        drawn["distances"] = distance_ratio_figure(stars, told, settings.distance.pole_b)
    for name, figure in drawn.items():
        with replacing(folder / f"{name}.png") as temporary:
            temporary.write_bytes(render(figure, "png"))


def _as_json(binned: "BinnedSurvey") -> dict[str, Any]:
    regions = [
        {
            "name": r.region.name,
            "group": r.region.group,
            "stars": r.n_stars,
            "used": r.used,
            "reason": r.reason,
            "bins": {observable: histogram.n_bins for observable, histogram in r.histograms.items()},
        }
        for r in binned.regions
    ]
    facts: dict[str, Any] = {name: binned.meta[name] for name in ("match", "distance") if name in binned.meta}
    return {
        "observables": binned.observables,
        "cut_flow": binned.meta.get("cut_flow", []),
        **facts,
        "regions": regions,
    }


def _as_text(binned: "BinnedSurvey") -> str:
    from galactions.survey import CutFlow, MatchReport

    parts = []
    if "match" in binned.meta:
        parts.append(str(MatchReport(**binned.meta["match"])))
    if "ratio" in binned.meta.get("distance", {}):
        ratios = binned.meta["distance"]["ratio"].items()
        shown = ", ".join(f"{name} {r['value']:.3f} ({r['n_stars']:,d} stars)" for name, r in ratios)
        parts.append(f"photometric distances divided by D_photometric / D_parallax: {shown}")
    if told := _parallaxes(binned.meta.get("distance", {})):
        parts.append(told)
    if binned.meta.get("cut_flow"):
        parts.append(str(CutFlow.from_list(binned.meta["cut_flow"])))
    return "\n\n".join([*parts, str(binned)])


def _parallaxes(facts: "Mapping[str, Any]") -> str:
    """What is the matter with parallaxes that photometric distances were to be measured by."""
    matters = {"without_zero_point": "outside the range of the zero point", "not_positive": "not positive"}
    told = [f"{facts[key]:,d} {text}" for key, text in matters.items() if facts.get(key)]
    return f"parallaxes not used: {', '.join(told)}" if told else ""


@survey_app.command()
def fetch(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the pieces and of the table.")] = Path(
        "gaia"
    ),
    release: Annotated[str, typer.Option(metavar="NAME", help="gaia_edr3 or gaia_dr3.")] = "gaia_edr3",
    spectra: Annotated[
        str, typer.Option(metavar="NAME", help="LAMOST release to be told about: lamost_dr8_v2, ...")
    ] = "lamost_dr8_v2",
    g_limit: Annotated[float, typer.Option(metavar="MAG", help="Faintest G magnitude.")] = 17.5,
    parallax_max: Annotated[float, typer.Option(metavar="MAS", help="Largest parallax.")] = 10.0,
    pieces: Annotated[int, typer.Option(metavar="N", help="Queries to divide the sky into.")] = 192,
    two_mass: Annotated[bool, typer.Option(help="Join on J, H and K_s of 2MASS.")] = True,
    all_wise: Annotated[bool, typer.Option(help="Join on W2 of AllWISE, for the extinction.")] = False,
    show_query: Annotated[bool, typer.Option("--show-query", help="Print a query, fetch nothing.")] = False,
) -> None:
    """Fetch the Gaia half of a sample from the archive, piece by piece, and tell where LAMOST's is.

    Call it again after an interruption: pieces that are there are kept.
    """
    from galactions.survey.fetch import GaiaRequest, fetch_gaia, lamost_instructions

    where = lamost_instructions(spectra)
    request = GaiaRequest(release, g_limit, parallax_max, two_mass, pieces, all_wise)
    if show_query:
        typer.echo(request.query(0))
        return
    try:
        with _counting("fetching from the Gaia archive", pieces) as report:
            path = fetch_gaia(request, out, report)
    except KeyboardInterrupt:
        typer.echo(
            f"galactions: stopped; what is in {out} stays, and the same command goes on from here", err=True
        )
        raise typer.Exit(130) from None
    typer.echo(f"{path}\n\n{where}")


@contextmanager
def _counting(what: str, total: int) -> "Iterator[Report]":
    """A bar with an estimate of the time left on a terminal; a line for each tenth elsewhere."""
    if not sys.stderr.isatty():
        step = max(1, total // 10)

        def tell(done: int, of: int) -> None:
            if done % step == 0 or done == of:
                typer.echo(f"{what}: {done} of {of}", err=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, of: bar.update(task, completed=done, total=of)
