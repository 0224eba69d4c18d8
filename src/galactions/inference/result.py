"""What a fit found, and how it is written to a run folder and read back."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.inference.chi2 import Chi2Table
from galactions.inference.files import write_json
from galactions.inference.lock import RunFolderError
from galactions.inference.predictor import Prediction
from galactions.inference.run import SLOPES, RunFolder, read_record, read_trials, write_best_model
from galactions.inference.search import Status
from galactions.inference.slopes import Slopes
from galactions.inference.trials import Trial

if TYPE_CHECKING:
    from galactions.survey import BinnedSurvey


class RemarkKind(Enum):
    """What deserves a word about a fit, in sentences that say what to change; {} is filled in."""

    AT_BOUND = "{} ended on a bound of the fit: widen fit.bounds there, or take it out of fit.free."
    UNCONSTRAINED = (
        "The data leave a combination of the free parameters undetermined, so there are no standard errors: "
        "take {} out of fit.free, or add regions or observables."
    )
    NO_ERRORS = "There are no standard errors: {}."
    POOR_FIT = (
        "chi2 per degree of freedom is {}: the model differs from the data by more than their errors, and "
        "the standard errors tell only of the data's scatter. See chi2.csv for the regions that it fails in."
    )
    NOISY_PREDICTION = (
        "The prediction's own error is {} of the data's in the median bin: "
        "raise projection.nodes and projection.reference to have it below 0.1."
    )
    FAILED_TRIALS = "{}. They were counted and passed by; if they are many, narrow fit.bounds."
    STRAYED = (
        "The search took another path than the one on file from trial {} on (another version of scipy, "
        "or another processor): the answer is as good, but not bit for bit that of an uninterrupted run."
    )
    FINAL_FAILED = (
        "The rebuild of the best model with more iterations failed ({}): chi2 and prediction are "
        "those of the trial. Look at it with `galactions build`, or lower model.final_iterations."
    )


@dataclass(frozen=True)
class Remark:
    """One `RemarkKind` with its particulars."""

    kind: RemarkKind
    detail: str

    @property
    def sentence(self) -> str:
        return self.kind.value.format(self.detail)


@dataclass(frozen=True)
class StoredPrediction:
    """A `Prediction` as it is read back; entries of regions that were not used are empty arrays."""

    p: Mapping[str, list[NDArray[np.float64]]]
    error: Mapping[str, list[NDArray[np.float64]]]
    ess: list[float]


@dataclass(frozen=True, eq=False)
class FitResult:
    """The outcome of a fit.

    parameters: all of the best model's; best: the free ones among them. standard_errors: of the free ones,
    and covariance (n_free, n_free) in their order, both None where there are none (see remarks). chi2: of
    the final model by region. prediction: of the final model. trials: every evaluation. failures: how often
    trials failed, by reason. rounds: of re-weighting. status, detail: how the search ended; remarks: what
    else deserves a word. folder: the run folder, None if none was asked for. seconds: spent in trials.
    score: the least value of what was minimised (`JointObjective.score`). constraints: chi2 of each outside
    constraint, by its name. others: of a fit from several starts, the results from the other ones, by name.
    """

    model_name: str
    parameters: Mapping[str, float]
    best: Mapping[str, float]
    standard_errors: Mapping[str, float] | None
    covariance: NDArray[np.float64] | None
    chi2: Chi2Table
    prediction: Prediction
    trials: tuple[Trial, ...]
    failures: Mapping[str, int]
    rounds: int
    status: Status
    detail: str
    remarks: tuple[Remark, ...]
    folder: Path | None
    seconds: float
    score: float | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, "FitResult"] = field(default_factory=dict)

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED

    @property
    def chi2_total(self) -> float:
        """The paper's chi2_tot: mean reduced chi2 over the fitted regions."""
        return self.chi2.total

    @property
    def chi2_per_dof(self) -> float:
        """chi2 over all fitted bins per degree of freedom."""
        return self.chi2.per_dof(len(self.best))

    @property
    def sentences(self) -> tuple[str, ...]:
        """How the fit went, in words."""
        ended = f"{self.status.value} ({self.detail})" if self.detail else self.status.value
        return (ended, *(remark.sentence for remark in self.remarks))

    def summary(self) -> str:
        """A few lines of text: parameters with errors, chi2 by group, how it ended."""
        lines = []
        for name, value in self.best.items():
            error = f" +- {self.standard_errors[name]:.3g}" if self.standard_errors else ""
            lines.append(f"  {name:<16} {value:.6g}{error}")
        groups = ", ".join(f"{group or 'no group'} {value:.2f}" for group, value in self.chi2.groups.items())
        lines.append(
            f"  chi2_tot {self.chi2_total:.3f} ({groups}); per degree of freedom {self.chi2_per_dof:.3f}"
        )
        for name, chi2 in self.constraints.items():
            lines.append(f"  chi2 of {name}: {chi2:.2f}")
        for name, other in self.others.items():
            ended = "" if other.converged else f" ({other.status.value})"
            lines.append(f"  from {name}: score {other.score:.4f} against {self.score:.4f} here{ended}")
        lines.append(f"  {len(self.trials)} trials, {sum(self.failures.values())} failed")
        return "\n".join([f"Best fit of {self.model_name}:", *lines, *self.sentences])


def write_result(
    run: RunFolder,
    result: FitResult,
    survey: "BinnedSurvey",
    galaxy: Mapping[str, Any],
    slopes: Slopes | None = None,
) -> None:
    """Writes a fit's outcome into its run folder; `run.json` last, so that its status speaks for all files.

    slopes: derivatives of the predictions near the optimum, kept in `slopes.npz` for the posterior and for
    other fits.
    """
    if slopes is not None:
        slopes.save(run.path / SLOPES)
    write_best_model(run.path / "best_model.toml", result.model_name, result.parameters)
    result.chi2.write_csv(run.path / "chi2.csv")
    write_prediction(run.path / "prediction.npz", result.prediction, survey)
    if galaxy:
        write_json(run.path / "galaxy.json", dict(galaxy))
    run.update(
        status=result.status.name.lower(),
        end_time=datetime.now(UTC).isoformat(timespec="seconds"),
        result={
            "best": dict(result.best),
            "standard_errors": result.standard_errors,
            "covariance": result.covariance,
            "chi2_total": result.chi2_total,
            "chi2_groups": result.chi2.groups,
            "chi2_sum": result.chi2.sum,
            "n_bins": result.chi2.n_bins,
            "chi2_per_dof": result.chi2_per_dof,
            "n_trials": len(result.trials),
            "failures": dict(result.failures),
            "rounds": result.rounds,
            "detail": result.detail,
            "remarks": [{"kind": remark.kind.name, "detail": remark.detail} for remark in result.remarks],
            "sentences": result.sentences,
            "seconds": result.seconds,
            "score": result.score,
            "constraints": dict(result.constraints),
        },
    )
    if result.converged:
        run.forget_checkpoints()


def write_prediction(path: Path, prediction: Prediction, survey: "BinnedSurvey") -> None:
    """Writes `prediction.npz`, atomically: `regions` and `observables` (names), `ess` (n_regions,), and for
    each observable and used region number kk from 00: `edges/<observable>/kk`, `p/<observable>/kk`,
    `error/<observable>/kk`."""
    arrays: dict[str, Any] = {
        "regions": np.array([item.region.name for item in survey.regions]),
        "observables": np.array(survey.observables),
        "ess": np.array([float(value) for value in prediction.ess]),
    }
    for name in survey.observables:
        for k, item in enumerate(survey.regions):
            if item.used:
                arrays[f"edges/{name}/{k:02d}"] = np.asarray(item.histograms[name].edges, dtype=float)
                arrays[f"p/{name}/{k:02d}"] = np.asarray(prediction.p[name][k], dtype=float)
                arrays[f"error/{name}/{k:02d}"] = np.asarray(prediction.error[name][k], dtype=float)
    with replacing(path) as part:
        np.savez_compressed(part, **arrays)


def read_prediction(path: Path) -> StoredPrediction:
    """The prediction that `write_prediction` wrote."""
    with np.load(path) as arrays:
        observables = [str(name) for name in arrays["observables"]]
        numbers = range(len(arrays["regions"]))

        def histograms(what: str) -> dict[str, list[NDArray[np.float64]]]:
            keys = {name: [f"{what}/{name}/{k:02d}" for k in numbers] for name in observables}
            return {
                name: [arrays[key] if key in arrays else np.zeros(0) for key in keys[name]]
                for name in observables
            }

        return StoredPrediction(
            histograms("p"), histograms("error"), [float(value) for value in arrays["ess"]]
        )


def load_fit(folder: str | Path) -> FitResult:
    """The result in a run folder. Raises RunFolderError where there is no run, or none that has ended."""
    folder = Path(folder)
    record = read_record(folder)
    found = record.get("result")
    if found is None:
        raise RunFolderError(
            f"{folder}: the run has no result yet ({record.get('status')}); resume it (--resume)"
        )
    parameters = tomllib.loads((folder / "best_model.toml").read_text(encoding="utf-8"))["model"]["set"]
    covariance = found["covariance"]
    return FitResult(
        model_name=record["model"],
        parameters={**parameters, **found["best"]},
        best=found["best"],
        standard_errors=found["standard_errors"],
        covariance=None if covariance is None else np.array(covariance),
        chi2=Chi2Table.read_csv(folder / "chi2.csv"),
        prediction=read_prediction(folder / "prediction.npz"),
        trials=tuple(read_trials(folder / "trials.jsonl")),
        failures=found["failures"],
        rounds=found["rounds"],
        status=Status[record["status"].upper()],
        detail=found["detail"],
        remarks=tuple(Remark(RemarkKind[item["kind"]], item["detail"]) for item in found["remarks"]),
        folder=folder,
        seconds=found["seconds"],
        score=found.get("score"),
        constraints=found.get("constraints", {}),
    )
