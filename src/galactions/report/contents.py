"""What a run folder holds, read and checked: the one file here that knows the folder's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from galactions.errors import CatalogueError
from galactions.inference.lock import RunFolderError

if TYPE_CHECKING:
    from galactions.inference.posterior import PosteriorResult
    from galactions.inference.result import FitResult
    from galactions.inference.trials import Trial
    from galactions.survey import BinnedSurvey


@dataclass(frozen=True, eq=False)
class RunContents:
    """A run, finished or not.

    record: `run.json`. survey: the binned data. trials: all evaluations, in order. result: what the fit
    found; None as long as it has not ended. galaxy: `galaxy.json` of the final model, empty where there is
    none. posteriors: those below the folder that have ended.
    """

    folder: Path
    record: Mapping[str, Any]
    survey: BinnedSurvey
    trials: tuple[Trial, ...]
    result: FitResult | None
    galaxy: Mapping[str, Any]
    posteriors: tuple[PosteriorResult, ...] = ()

    @property
    def model(self) -> str:
        return str(self.record.get("model", "unnamed model"))

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the lowest chi2 of the last round; None where none has succeeded."""
        last = max((trial.round for trial in self.trials), default=0)
        done = [t for t in self.trials if t.chi2 is not None and not t.failed and t.round == last]
        return min(done, key=lambda t: t.chi2 if t.chi2 is not None else float("inf"), default=None)

    @property
    def d_sun(self) -> float:
        """The Sun's distance from the Galactic centre in kpc: of the final model, else of the start, else
        the paper's.
        """
        start = self.record.get("start_parameters", {})
        return float(self.galaxy.get("d_sun_kpc") or start.get("d_sun") or 8.178)


def read_run(folder: str | Path) -> RunContents:
    """Reads a run folder. Raises RunFolderError, naming the file, for one that is missing or damaged."""
    from galactions.inference.result import load_fit
    from galactions.inference.run import read_record, read_trials
    from galactions.survey import BinnedSurvey

    folder = Path(folder)
    if not folder.is_dir():
        what = "a file" if folder.exists() else "nothing"
        raise RunFolderError(f"{folder}: found {what}; a run folder, as written by a fit, is needed")
    record = read_record(folder)
    if record.get("format", 1) != 1:
        raise RunFolderError(
            f"{folder}/run.json has format {record['format']!r}; this version reads format 1"
        )
    try:
        survey = BinnedSurvey.load(folder / "survey.npz")
    except CatalogueError as error:
        raise RunFolderError(f"the binned survey of the run cannot be read: {error}") from error
    trials = folder / "trials.jsonl"
    result = None
    if record.get("result") is not None:
        try:
            result = load_fit(folder)
        except RunFolderError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunFolderError(
                f"{folder}: run.json says {record.get('status')!r}, but the result cannot be read "
                f"({type(error).__name__}: {error}); resume the run, or remove the folder and fit anew"
            ) from error
    return RunContents(
        folder=folder,
        record=record,
        survey=survey,
        trials=tuple(read_trials(trials)) if trials.exists() else (),
        result=result,
        galaxy=_read_galaxy(folder / "galaxy.json"),
        posteriors=_read_posteriors(folder),
    )


def _read_posteriors(folder: Path) -> tuple[PosteriorResult, ...]:
    """The finished posteriors of a run, in the order of the methods."""
    from galactions.inference.posterior import METHODS, load_posterior, posterior_folder
    from galactions.inference.run import read_record

    found = [posterior_folder(folder, method) for method in METHODS]
    begun = [path for path in found if (path / "run.json").exists()]
    return tuple(load_posterior(path) for path in begun if read_record(path).get("result") is not None)


def _read_galaxy(path: Path) -> Mapping[str, Any]:
    import json

    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunFolderError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise RunFolderError(f"{path} holds {type(found).__name__}; a JSON object was expected")
    return found
