"""The commands, each a few lines over the public API; long work is done there, and errors are put into words
there.
"""

import json
import signal
import sys
import threading
import time
from importlib.resources import as_file, files
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from galactions._version import __version__
from galactions.cli.survey import survey_app
from galactions.cli.working import make_folder, working
from galactions.errors import ConfigError, GalactionsError

if TYPE_CHECKING:
    from galactions.config import Config
    from galactions.inference import FitResult

app = typer.Typer(
    name="galactions",
    help="Self-consistent, action-based models of the Milky Way, fitted to star surveys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)

Model = Annotated[str, typer.Argument(metavar="NAME", help="A named model; `galactions models` lists them.")]
ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A TOML file; examples/ has complete ones.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter of the model; may be given again."),
]
IterationsOption = Annotated[
    str,
    typer.Option(
        "--iterations", metavar="N|auto", help="Self-consistent iterations; auto: until it converges."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]


def main() -> None:
    """Runs the command line. Errors that a user can mend end it with status 2 and their text, without a
    traceback. A request to end (SIGTERM) ends it as an error would: half-written files are removed.
    """
    listening = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _end) if listening else None
    try:
        app()
    except GalactionsError as error:
        typer.echo(f"galactions: {error}", err=True)
        sys.exit(2)
    finally:
        if listening:
            signal.signal(signal.SIGTERM, before)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


@app.callback(invoke_without_command=True)
def _start(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def models() -> None:
    """List the named models, each with a line about it."""
    import galactions as ga

    for name in ga.named_models():
        about = ga.named_model(name).summary
        typer.echo(f"{name:<16} {about}".rstrip())


@app.command()
def build(
    name: Model,
    settings: Settings = None,
    iterations: IterationsOption = "10",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write galaxy.json and model.toml.")] = None,
    figures: Annotated[
        bool, typer.Option("--figures", help="Draw densities, dispersions, rotation ... into DIR/figures.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build a self-consistent model, and tell how it converged."""
    import galactions as ga
    from galactions.cli.options import model_spec, parse_iterations, parse_settings
    from galactions.cli.summary import build_summary, lines

    if figures and out is None:
        raise ConfigError("--figures: needs --out DIR, the folder to draw them into")
    changes, rounds = parse_settings(settings or []), parse_iterations(iterations)
    spec = model_spec(name, changes)
    with working(f"building {name}"):
        begin = time.perf_counter()
        initial = ga.build(spec, iterations=0)
        seconds = time.perf_counter() - begin
        galaxy = initial if rounds == 0 else ga.build(spec, iterations=rounds)
    summary = build_summary(name, spec, galaxy, initial, seconds)
    if out is not None:
        from galactions.inference.files import write_json
        from galactions.inference.model_predictor import galaxy_facts
        from galactions.inference.run import write_best_model

        make_folder(out)
        write_json(out / "galaxy.json", {**galaxy_facts(galaxy), **summary})
        write_best_model(out / "model.toml", name, summary["parameters"])
        if figures:
            from galactions.report.model_figures import write_model_figures

            with working("drawing figures"):
                write_model_figures(galaxy, out / "figures")
    typer.echo(json.dumps(summary) if as_json else "\n".join(lines(summary)))


@app.command()
def predict(
    name: Model,
    settings: Settings = None,
    iterations: IterationsOption = "3",
    regions: Annotated[str, typer.Option(metavar="paper|FILE", help="Table 1, or a CSV of boxes.")] = "paper",
    bins: Annotated[
        list[str] | None, typer.Option("--bins", metavar="OBSERVABLE=LOW:HIGH:WIDTH", help="km/s and mas/yr.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there, not to the screen.")] = None,
) -> None:
    """Predict the velocity distributions that a survey would see: CSV of region, observable, bin, fraction,
    error.
    """
    import galactions as ga
    from galactions.cli.options import DEFAULT_BINS, model_spec, parse_bins, parse_iterations, parse_settings
    from galactions.survey import read_regions

    edges = parse_bins(bins or DEFAULT_BINS)
    changes, rounds = parse_settings(settings or []), parse_iterations(iterations)
    boxes = ga.paper_regions() if regions == "paper" else read_regions(regions)
    spec = model_spec(name, changes)
    with working(f"building {name} and predicting {len(boxes)} regions"):
        prediction = ga.predict(ga.build(spec, iterations=rounds), boxes, edges=edges)
    rows = ["region,observable,low,high,p,error"]
    for observable, limits in edges.items():
        for k, region in enumerate(boxes):
            values = zip(
                limits[:-1],
                limits[1:],
                prediction.p[observable][k],
                prediction.error[observable][k],
                strict=True,
            )
            label = '"' + region.name.replace('"', '""') + '"'
            rows += [
                f"{label},{observable},{low:.6g},{high:.6g},{p:.8g},{error:.3g}"
                for low, high, p, error in values
            ]
    if out is None:
        typer.echo("\n".join(rows))
    else:
        from galactions.inference.files import write_text

        make_folder(out.parent)
        write_text(out, "\n".join(rows) + "\n")
        typer.echo(f"{out}: {len(boxes)} regions, {', '.join(edges)}")


app.add_typer(survey_app, name="survey")


@app.command()
def sample(
    name: Model,
    number: Annotated[float, typer.Option("--number", "-n", help="How many stars, as 1000000 or 3e8.")],
    out: Annotated[Path, typer.Option(metavar="FILE.parquet", help="Where to write them.")],
    components: Annotated[
        list[str] | None,
        typer.Option("--component", help="All stellar discs if none; may be given again."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the sequence of stars.")] = 0,
    settings: Settings = None,
    iterations: IterationsOption = "3",
    single: Annotated[bool, typer.Option("--single", help="Single precision: half the size.")] = False,
) -> None:
    """Draw stars of equal mass from the model, exactly, into a Parquet file of positions and velocities."""
    import galactions as ga
    from galactions.cli.options import model_spec, parse_iterations, parse_settings

    if number != round(number):
        raise ConfigError(f"--number {number}: allowed is a whole number")
    changes, rounds = parse_settings(settings or []), parse_iterations(iterations)
    spec = model_spec(name, changes)
    count, chosen = round(number), tuple(components or spec.stellar_disks)
    make_folder(out.parent)
    with working(f"building {name} and drawing {count:,d} stars"):
        galaxy = ga.build(spec, iterations=rounds)
        ga.write_stars(galaxy, out, count, chosen, seed, precision="float32" if single else "float64")
    typer.echo(f"{out}: {count:,d} stars of {', '.join(chosen)}")


@app.command()
def fit(
    config: ConfigFile,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that is in the folder.")
    ] = False,
) -> None:
    """Fit a model to a survey; the run folder and its report.html are told at the end."""
    _fit_and_report(config, resume=resume, folder=None, again=f"galactions fit {config} --resume")


@app.command()
def posterior(
    config: ConfigFile,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that is in the folder.")
    ] = False,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="laplace, emulated, delayed, nuts or ensemble, not that of the file."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", help="Processes on this machine (Dask); the draws are the same.")
    ] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask cluster, as tcp://host:8786.")
    ] = None,
) -> None:
    """Sample the posterior of the free parameters; the report of the run gains a section of it."""
    import galactions as ga
    from galactions.cli.options import require_known
    from galactions.config import load_config
    from galactions.inference import show_progress
    from galactions.inference.posterior import METHODS
    from galactions.report import write_report

    if method is not None:
        require_known("--method", method, METHODS)
    settings = load_config(config)
    again = f"galactions posterior {config}{f' --method {method}' if method else ''} --resume"
    try:
        with show_progress() as progress:
            result = ga.sample_posterior(
                settings,
                method=method,  # type: ignore[arg-type]  # checked above
                resume=resume,
                progress=progress,
                scheduler=scheduler,
                workers=workers,
            )
    except KeyboardInterrupt:
        typer.echo(f"galactions: stopped; nothing is lost, and `{again}` goes on from here", err=True)
        raise typer.Exit(130) from None
    typer.echo(result.summary())
    if result.folder is not None:
        typer.echo(f"posterior: {result.folder}")
    if (settings.folder / "run.json").exists():
        typer.echo(f"report: {write_report(settings.folder)}")


@app.command()
def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run folder, as `galactions fit` leaves it.")
    ],
) -> None:
    """Write the report of a run, finished or not: one self-contained HTML page."""
    from galactions.report import write_report

    typer.echo(f"report: {write_report(folder)}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The run folder of the demo.")] = Path(
        "demo-output"
    ),
) -> None:
    """Fit a mock survey of the model Mc17a in the 30 regions of the paper; no input is needed."""
    from galactions.config import load_config

    with as_file(files("galactions.data").joinpath("demo.toml")) as path:
        config = load_config(path)
    _fit_and_report(config, resume=True, folder=out, again=f"galactions demo --out {out}")


def _fit_and_report(config: "Path | Config", *, resume: bool, folder: Path | None, again: str) -> None:
    import galactions as ga
    from galactions.inference import show_progress
    from galactions.report import write_report

    try:
        with show_progress() as progress:
            result: FitResult = ga.fit(config, resume=resume, progress=progress, folder=folder)
    except KeyboardInterrupt:
        typer.echo(f"galactions: stopped; nothing is lost, and `{again}` goes on from here", err=True)
        raise typer.Exit(130) from None
    typer.echo(result.summary())
    if result.folder is not None:
        typer.echo(f"report: {write_report(result.folder)}")
