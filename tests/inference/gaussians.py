"""An analytic stand-in for the engine: normal velocity distributions whose parameters bear the model's names.

Region k sees v_los with mean `shift` times k and dispersion sigma_r0_thin exp(-x_k/R_sigma_thin), and pm_ra
with dispersion sigma_z0_thin exp(-x_k/(2 R_sigma_thin)): two scales and their radial fall, as in eq. (10).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from galactions.errors import ModelError
from galactions.inference import FitProblem, FitSettings
from galactions.survey import BinnedRegion, BinnedSurvey, Histogram, Region

TRUTH = {"sigma_r0_thin": 64.0, "sigma_z0_thin": 30.0, "R_sigma_thin": 12.5, "shift": 3.0, "idle": 1.0}
NAMES = ("sigma_r0_thin", "sigma_z0_thin", "R_sigma_thin")
OBSERVABLES = ("v_los", "pm_ra")
GROUPS = ("in", "in", "mid", "out", "check")


@dataclass(frozen=True)
class Heights:
    """A prediction."""

    p: dict[str, list]
    error: dict[str, list]
    ess: list[float]


@dataclass(frozen=True)
class Gaussians:
    """The predictor. Below `impossible` the first dispersion raises; above `broken` it gives NaN. `wait`: s
    a trial."""

    n_regions: int = 5
    n_bins: int = 14
    impossible: float = 0.0
    broken: float = np.inf
    wait: float = 0.0

    def shape(self, parameters: Mapping[str, float], observable: str, k: int) -> tuple[float, float]:
        q = parameters
        x = 2.0 * k
        if observable == "v_los":
            return q["shift"] * k, q["sigma_r0_thin"] * np.exp(-x / q["R_sigma_thin"])
        return 0.0, q["sigma_z0_thin"] * np.exp(-x / (2.0 * q["R_sigma_thin"]))

    def edges(self, observable: str, k: int) -> np.ndarray:
        """Fixed edges, out to 2.4 of the true dispersion on both sides."""
        mean, width = self.shape(TRUTH, observable, k)
        return mean + width * np.linspace(-2.4, 2.4, self.n_bins + 1)

    def predict(self, parameters: Mapping[str, float]) -> Heights:
        time.sleep(self.wait)
        if parameters["sigma_r0_thin"] < self.impossible:
            raise ModelError(f"sigma_r0_thin is {parameters['sigma_r0_thin']:.3g}: no such disc")
        spoilt = np.nan if parameters["sigma_r0_thin"] > self.broken else 1.0
        p: dict[str, list] = {}
        for name in OBSERVABLES:
            p[name] = []
            for k in range(self.n_regions):
                mean, width = self.shape(parameters, name, k)
                p[name].append(spoilt * np.diff(ndtr((self.edges(name, k) - mean) / width)))
        error = {name: [1e-6 * heights for heights in p[name]] for name in OBSERVABLES}
        return Heights(p, error, [1e6] * self.n_regions)


@dataclass(frozen=True)
class SmoothGaussians(Gaussians):
    """The same with exact derivatives, by the chain rule through mean and width."""

    def jacobian(self, parameters: Mapping[str, float], names: Sequence[str]) -> dict[str, list]:
        out: dict[str, list] = {}
        for name in OBSERVABLES:
            out[name] = []
            for k in range(self.n_regions):
                mean, width = self.shape(parameters, name, k)
                z = (self.edges(name, k) - mean) / width
                density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
                by_width = np.diff(-density * z / width)
                by_mean = np.diff(-density / width)
                fall = {"v_los": 2.0 * k, "pm_ra": 1.0 * k}[name]
                slopes = {
                    "sigma_r0_thin": by_width * width / parameters["sigma_r0_thin"] * (name == "v_los"),
                    "sigma_z0_thin": by_width * width / parameters["sigma_z0_thin"] * (name == "pm_ra"),
                    "R_sigma_thin": by_width * width * fall / parameters["R_sigma_thin"] ** 2,
                    "shift": by_mean * k * (name == "v_los"),
                    "idle": 0.0 * by_mean,
                }
                out[name].append(np.stack([slopes[n] for n in names], axis=1))
        return out


def survey_from(
    predictor: Gaussians, n_stars: int | None = 2000, seed: int = 0, truth: Mapping[str, float] = TRUTH
) -> BinnedSurvey:
    """Multinomial counts of `n_stars` a region from the truth; without noise (and N = 2000) for n_stars =
    None."""
    rng = np.random.default_rng(seed)
    prediction = predictor.predict(truth)
    regions = []
    n = n_stars or 2000
    for k in range(predictor.n_regions):
        region = Region(
            f"{k + 1:02d}", (150.0 + 10 * k, 160.0 + 10 * k), (-10.0, 0.0), (0.0, 2.0), GROUPS[k % 5]
        )
        histograms = {}
        for name in OBSERVABLES:
            heights = prediction.p[name][k]
            counts = rng.multinomial(n, [*heights, max(0.0, 1.0 - heights.sum())])[:-1]
            p = counts / n if n_stars else heights
            sigma = np.sqrt(np.clip(p * (1 - p), 0, None) / n)
            histograms[name] = Histogram(predictor.edges(name, k), p, sigma, counts)
        regions.append(BinnedRegion(region, n, histograms, True))
    return BinnedSurvey(tuple(regions), OBSERVABLES, {})


def problem(
    predictor: Gaussians, survey: BinnedSurvey, start: Mapping[str, float] | None = None, **settings
) -> FitProblem:
    """A problem with the three named parameters free, starting 20% off unless told otherwise."""
    begin = {"sigma_r0_thin": 50.0, "sigma_z0_thin": 36.0, "R_sigma_thin": 10.0}
    chosen = {"free": NAMES, **settings}
    return FitProblem(predictor, survey, {**TRUTH, **begin, **(start or {})}, FitSettings(**chosen), "toy")
