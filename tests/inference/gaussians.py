"""An analytic stand-in for the engine: normal velocity distributions whose parameters bear the model's names.

Region k sees v_los with mean `shift` times k and dispersion sigma_r0_thin exp(-x_k/R_sigma_thin), and pm_ra
with dispersion sigma_z0_thin exp(-x_k/(2 R_sigma_thin)): two scales and their radial fall, as in eq. (10).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from galactions.errors import ModelError
from galactions.inference import FitProblem, FitSettings
from galactions.inference.constraints import Constraint, Constraints
from galactions.inference.predictor import ExtendedPrediction, ExtendedSlopes, PulledPrediction
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


STAR_PLACES = np.arange(600) % 5
"""Region of each of the stars that `ExtendedGaussians` knows."""


def stars_from(truth: Mapping[str, float] = TRUTH, seed: int = 0) -> np.ndarray:
    """v_los of the stars, drawn from the truth."""
    shapes = np.array([Gaussians().shape(truth, "v_los", k) for k in range(5)])[STAR_PLACES]
    return shapes[:, 0] + shapes[:, 1] * np.random.default_rng(seed).standard_normal(len(STAR_PLACES))


def outside(value: float = 30.0, sigma: float = 0.1) -> Constraints:
    """Two data: of sigma_z0_thin and of shift R_sigma_thin, the latter within 1 of its true value."""
    data, errors = np.array([value, 3.0 * 12.5]), np.array([sigma, 1.0])
    return Constraints((Constraint("outside", ("first", "second"), data, errors, None),))


@dataclass(frozen=True, eq=False)
class ExtendedGaussians(SmoothGaussians):
    """Predicts `outside` data and stars as well. `stars` (600,): their v_los, or none of them."""

    stars: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def extended(self, parameters: Mapping[str, float]) -> ExtendedPrediction:
        q = parameters
        shapes = np.array([self.shape(q, "v_los", k) for k in range(5)])[STAR_PLACES[: len(self.stars)]]
        mean, width = shapes.reshape(-1, 2).T
        ln_p = -0.5 * ((self.stars - mean) / width) ** 2 - np.log(np.sqrt(2 * np.pi) * width)
        predicted = np.array([q["sigma_z0_thin"], q["shift"] * q["R_sigma_thin"]])
        return ExtendedPrediction(self.predict(q), predicted, ln_p)

    def extended_jacobian(self, parameters: Mapping[str, float], names: Sequence[str]) -> ExtendedSlopes:
        q = parameters
        places = STAR_PLACES[: len(self.stars)]
        mean, width = np.array([self.shape(q, "v_los", k) for k in range(5)])[places].reshape(-1, 2).T
        z = (self.stars - mean) / width
        by_log_width = z**2 - 1.0
        zero = 0.0 * z
        of_stars = {
            "sigma_r0_thin": by_log_width / q["sigma_r0_thin"],
            "R_sigma_thin": by_log_width * 2.0 * places / q["R_sigma_thin"] ** 2,
            "shift": z / width * places,
        }
        of_data = {
            "sigma_z0_thin": [1.0, 0.0],
            "shift": [0.0, q["R_sigma_thin"]],
            "R_sigma_thin": [0.0, q["shift"]],
        }
        return ExtendedSlopes(
            self.jacobian(q, names),
            np.stack([of_data.get(name, [0.0, 0.0]) for name in names], axis=1),
            np.stack([of_stars.get(name, zero) for name in names], axis=1),
        )


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


@dataclass(frozen=True, eq=False)
class ReversibleGaussians(ExtendedGaussians):
    """The same with the way back, which counts how often it is gone."""

    gone: list = field(default_factory=list)

    def pulled(self, parameters: Mapping[str, float], names: Sequence[str]) -> PulledPrediction:
        slopes = self.extended_jacobian(parameters, names)

        def pull(by_heights, by_constraints, by_stars):
            self.gone.append(dict(parameters))
            found = by_constraints @ slopes.constraints + by_stars @ slopes.stars
            for name, parts in slopes.heights.items():
                found = found + sum(by @ part for by, part in zip(by_heights[name], parts, strict=True))
            return found

        return PulledPrediction(self.extended(parameters), pull)
