"""A small stand-in for the engine, so that the commands are tested for what they do themselves."""

import sys
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

import galactions as ga
from galactions.cli import main


@dataclass(frozen=True)
class Spec:
    parameters: dict[str, float] = field(default_factory=lambda: {"d_sun": 8.11, "sigma_r0_thin": 63.99})
    summary: str = "the fiducial model"

    def replace(self, **changes: float) -> "Spec":
        return replace(self, parameters={**self.parameters, **changes})


@dataclass(frozen=True)
class PointMassGalaxy:
    """A Kepler potential with v_circ = 230 km/s at 8 kpc."""

    spec: Spec
    iterations: int
    components: tuple[str, ...] = ("thin_disk", "halo")

    @property
    def initial(self) -> dict[str, object]:
        return {"iteration": 0, "v_circ_sun_kms": 230.0, "m200_msun": 1.3e12}

    @property
    def history(self) -> list[dict[str, object]]:
        density = {"thin_disk": 0.066, "halo": 0.011}
        return [
            {
                "iteration": k,
                "residual": 0.1**k,
                "v_circ_sun_kms": 230.0 + k,
                "r200_kpc": 231.0,
                "m200_msun": 1.3e12,
                "density_sun_msun_pc3": density,
                "seconds": 0.5,
            }
            for k in range(1, self.iterations + 1)
        ]

    def circular_velocity(self, R: np.ndarray) -> np.ndarray:
        return 230.0 * np.sqrt(8.0 / np.asarray(R))

    def circular_velocity_split(self, R):
        part = self.circular_velocity(R) / np.sqrt(2)
        return SimpleNamespace(total=self.circular_velocity(R), baryons=part, dark=part)

    def virial(self) -> SimpleNamespace:
        return SimpleNamespace(r200=231.0, m200=1.3e12)

    def density(self, component: str, R: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.full_like(np.asarray(R, dtype=float), 6.6e7 if component == "thin_disk" else 1.1e7)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Spec, object]]:
    """Puts the stand-in into `galactions`; the list records what was built."""
    built: list[tuple[Spec, object]] = []

    def build(spec: Spec, iterations: int | str = 10) -> PointMassGalaxy:
        built.append((spec, iterations))
        return PointMassGalaxy(spec, 4 if iterations == "auto" else int(iterations))

    def predict(galaxy: PointMassGalaxy, regions: tuple, edges: dict) -> SimpleNamespace:
        p = {name: [np.full(len(e) - 1, 1 / (len(e) - 1)) for _ in regions] for name, e in edges.items()}
        error = {name: [0.01 * heights for heights in all_heights] for name, all_heights in p.items()}
        return SimpleNamespace(p=p, error=error)

    for name, stand_in in {
        "named_models": lambda: ["Mc17a", "Ca20e"],
        "named_model": lambda name: Spec(),
        "build": build,
        "predict": predict,
    }.items():
        monkeypatch.setattr(ga, name, stand_in, raising=False)
    return built


Run = tuple[int, str, str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the command line as a shell would; gives exit status, standard output and standard error."""

    def run_command(*arguments: str) -> Run:
        monkeypatch.setattr(sys, "argv", ["galactions", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run_command
