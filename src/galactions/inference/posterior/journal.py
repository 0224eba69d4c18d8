"""Every evaluation of a target: made once, counted, kept on disk, and found again when a run is taken up.

Samplers are deterministic functions of their seed and of what the target answers. A run that was interrupted
therefore goes through its old evaluations in no time, and goes on as if it had never stopped: not a single
evaluation is lost, and the draws are those of an uninterrupted run, bit for bit.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from galactions.atomic import replacing
from galactions.errors import ConfigError
from galactions.inference.lock import RunFolderError
from galactions.inference.posterior.target import EmulableTarget, Target

Vector = NDArray[np.float64]
Kind = Literal["value", "gradient", "curvature", "features", "feature_slopes"]
Key = tuple[str, bytes]

LONGEST_LINE = 1024
"""Numbers that a line of the journal holds; longer results lie in a file of their own."""

SYNC_EVERY = 1.0
"""Seconds between two calls of fsync: what was written before a kill is kept in any case, and at most this
much is lost where the machine itself fails."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One answer of a target. result: None where there was no model, with the reason in `note`."""

    kind: str
    u: Vector
    result: NDArray[np.float64] | None
    seconds: float
    note: str = ""

    @property
    def key(self) -> Key:
        return self.kind, self.u.tobytes()


class Journal:
    """Evaluations in a file, one JSON object a line; the last line may have been cut off by a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0
        self._synced = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> Iterator[Evaluation]:
        """The evaluations on file, in order. Raises RunFolderError for a line that is damaged."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self.path.open("r+b") as stream:
                stream.truncate(len(whole))
        for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
            self._number = number
            try:
                found = self._parse(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise RunFolderError(
                    f"{self.path}, line {number}: not an evaluation ({error}); remove the run to begin anew"
                ) from None
            if found is not None:
                yield found

    def _parse(self, told: dict[str, Any]) -> Evaluation | None:
        result = told["result"]
        if isinstance(result, str):
            path = self.path.parent / result
            if not path.exists():
                return None
            array: NDArray[np.float64] | None = np.asarray(np.load(path), dtype=float)
        else:
            array = None if result is None else np.array(result, dtype=float)
            if array is not None and told["shape"] is not None:
                array = array.reshape(told["shape"])
        return Evaluation(
            told["kind"], np.array(told["u"], dtype=float), array, told["seconds"], told["note"]
        )

    def append(self, made: Evaluation) -> None:
        """Puts an evaluation on disk."""
        self._number += 1
        result: Any = None
        if made.result is not None and made.result.size > LONGEST_LINE:
            result = f"{self.path.stem}-{self._number:06d}.npy"
            with replacing(self.path.parent / result) as part:
                np.save(part, made.result)
        elif made.result is not None:
            result = made.result.ravel().tolist()
        told = {
            "kind": made.kind,
            "u": made.u.tolist(),
            "result": result,
            "shape": None if made.result is None else list(made.result.shape),
            "seconds": round(made.seconds, 6),
            "note": made.note,
        }
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(told, allow_nan=False) + "\n")
            stream.flush()
            if time.monotonic() - self._synced > SYNC_EVERY:
                os.fsync(stream.fileno())
                self._synced = time.monotonic()


@dataclass(eq=False)
class RecordedTarget:
    """A target whose evaluations are remembered, and kept in a journal if there is one.

    on_evaluation: called after each new one. n_evaluations counts distinct ones by kind, those found in the
    journal included; fresh: those made by this process. strayed: whether the sampler asked for something new
    before it had used up the journal, so that it took another path than before.
    """

    target: Target
    journal: Journal | None = None
    on_evaluation: Callable[[], None] | None = None
    fresh: int = 0
    failures: int = 0
    seconds: float = 0.0
    strayed: bool = False
    n_evaluations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known: dict[Key, Evaluation] = {}
        self._unused: dict[Key, Evaluation] = {}
        for made in self.journal.read() if self.journal else ():
            self._unused[made.key] = made

    @property
    def names(self) -> tuple[str, ...]:
        return self.target.names

    @property
    def emulable(self) -> EmulableTarget:
        """The target itself. Raises ConfigError where it has no features to emulate."""
        return _emulable(self.target)

    @property
    def has_features(self) -> bool:
        return isinstance(self.target, EmulableTarget)

    @property
    def total(self) -> int:
        return sum(self.n_evaluations.values())

    def to_values(self, u: Vector) -> Vector:
        return self.target.to_values(u)

    def log_density(self, u: Vector) -> float:
        """By the features, where these are known."""
        known = self._known.get(("features", np.array(u, dtype=float).tobytes()))
        if known is not None:
            return -math.inf if known.result is None else self.emulable.log_density_of(known.result, u)
        return _value(self._evaluate("value", u))

    def value_and_gradient(self, u: Vector) -> tuple[float, Vector]:
        found = self._evaluate("gradient", u)
        return (-math.inf, np.zeros(len(u))) if found is None else (float(found[0]), found[1:])

    def curvature(self, u: Vector) -> Vector:
        found = self._evaluate("curvature", u)
        return np.eye(len(u)) if found is None else found

    def features(self, u: Vector) -> Vector | None:
        return self._evaluate("features", u)

    def feature_slopes(self, u: Vector) -> Vector | None:
        return self._evaluate("feature_slopes", u)

    def log_densities(self, points: Vector, mapper: "Mapper | None" = None) -> Vector:
        """log_density of each of `points` (k, n): those not known yet by `mapper`, a parallel map, if there
        is one."""
        self._ask_all("value", points, mapper)
        return np.array([self.log_density(u) for u in points])

    def all_features(self, points: Vector, mapper: "Mapper | None" = None) -> list[Vector | None]:
        """features of each of `points` (k, n), in the same way."""
        self._ask_all("features", points, mapper)
        return [self.features(u) for u in points]

    def _ask_all(self, kind: Kind, points: Vector, mapper: "Mapper | None") -> None:
        if mapper is None:
            return
        asked = {(kind, u.tobytes()): u for u in points}
        new = [u for key, u in asked.items() if key not in self._known and key not in self._unused]
        for first in range(0, len(new), mapper.at_once):
            chunk = new[first : first + mapper.at_once]
            begin = time.perf_counter()
            found = mapper.evaluate(self.target, kind, chunk)
            each = (time.perf_counter() - begin) / len(chunk)
            for u, result in zip(chunk, found, strict=True):
                self._keep(Evaluation(kind, np.array(u, dtype=float), result, each))

    def _evaluate(self, kind: Kind, u: Vector) -> NDArray[np.float64] | None:
        u = np.array(u, dtype=float)
        key = (kind, u.tobytes())
        if key not in self._known:
            if key in self._unused:
                self._remember(self._unused.pop(key))
            else:
                self.strayed = self.strayed or bool(self._unused)
                begin = time.perf_counter()
                result = answer(self.target, kind, u)
                note = str(getattr(self.target, "note", "")) if result is None else ""
                self._keep(Evaluation(kind, u, result, time.perf_counter() - begin, note))
        return self._known[key].result

    def _keep(self, made: Evaluation) -> None:
        if self.journal is not None:
            self.journal.append(made)
        self.fresh += 1
        self._remember(made)
        if self.on_evaluation is not None:
            self.on_evaluation()

    def _remember(self, made: Evaluation) -> None:
        self._known[made.key] = made
        self.n_evaluations[made.kind] = self.n_evaluations.get(made.kind, 0) + 1
        self.failures += made.result is None
        self.seconds += made.seconds


def answer(target: Target, kind: Kind, u: Vector) -> NDArray[np.float64] | None:
    """What a target says at u, as one array; None where there is no model, or no derivatives."""
    if kind == "value":
        value = target.log_density(u)
        return np.array([value]) if math.isfinite(value) else None
    if kind == "gradient":
        value, gradient = target.value_and_gradient(u)
        good = math.isfinite(value) and bool(np.all(np.isfinite(gradient)))
        return np.concatenate([[value], gradient]) if good else None
    if kind == "curvature":
        found = target.curvature(u)
        return found if np.all(np.isfinite(found)) else None
    emulable = _emulable(target)
    return emulable.features(u) if kind == "features" else emulable.feature_slopes(u)


def _emulable(target: Target) -> EmulableTarget:
    if not isinstance(target, EmulableTarget):
        raise ConfigError(
            f"posterior.method: 'delayed' and 'emulated' need features to emulate, and "
            f"{type(target).__name__} has none; allowed here: 'laplace', 'nuts', 'ensemble'"
        )
    return target


@dataclass(frozen=True)
class Mapper:
    """`answer` of a target at several points, in order, perhaps in parallel: `at_once` of them are in work
    together, and kept before the next are."""

    evaluate: Callable[[Target, Kind, Sequence[Vector]], Sequence[NDArray[np.float64] | None]]
    at_once: int


def _value(found: NDArray[np.float64] | None) -> float:
    return -math.inf if found is None else float(found[0])
