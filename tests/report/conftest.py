"""A run folder as a fit leaves it: a real fit of Gaussian velocity distributions, whose widths are the free
parameters.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from galactions.inference import FinalModel, FitProblem, FitSettings, fit
from galactions.survey import BinnedRegion, BinnedSurvey, Histogram, Region, paper_regions

START = {
    "sigma_r0_thin": 70.0,
    "sigma_z0_thin": 25.0,
    "R_sigma_thin": 12.5,
    "d_sun": 8.11,
    "Sigma0_thin": 8.95e8,
}
TRUTH = {**START, "sigma_r0_thin": 64.0, "sigma_z0_thin": 30.2}
WIDTHS = {"v_los": 0.5, "pm_ra": 0.04, "pm_dec": 0.04}


def _normal_fractions(edges: np.ndarray, mean: float, width: float) -> np.ndarray:
    from scipy.special import ndtr

    return np.diff(ndtr((edges - mean) / width))


@dataclass(frozen=True)
class GaussianPrediction:
    p: dict[str, list[np.ndarray]]
    error: dict[str, list[np.ndarray]]
    ess: list[float]


@dataclass(frozen=True, eq=False)
class GaussianModel:
    """v_los has a width set by sigma_r0_thin, the proper motions one set by sigma_z0_thin; both fall with
    distance.
    """

    edges: dict[str, list[np.ndarray]]
    regions: tuple[Region, ...]
    galaxy: dict[str, object] = field(default_factory=dict)

    def predict(self, parameters: dict[str, float]) -> GaussianPrediction:
        if parameters["sigma_r0_thin"] > 75.0:
            raise ValueError("the disc is too hot <to> be & bound")
        p: dict[str, list[np.ndarray]] = {}
        for name, all_edges in self.edges.items():
            width = WIDTHS[name] * parameters["sigma_r0_thin" if name == "v_los" else "sigma_z0_thin"]
            p[name] = []
            for region, edges in zip(self.regions, all_edges, strict=True):
                distance = np.mean(region.distance)
                mean = 0.1 * (region.l[0] - 180.0) if name == "v_los" else -1.0 / (1.0 + distance)
                p[name].append(_normal_fractions(edges, mean, width / (1.0 + 0.1 * distance)))
        error = {name: [0.02 * height + 1e-4 for height in heights] for name, heights in p.items()}
        return GaussianPrediction(p, error, [5000.0 + 100.0 * k for k in range(len(self.regions))])

    def final(self, parameters: dict[str, float]) -> FinalModel:
        return FinalModel(self.predict(parameters), self.galaxy)


def galaxy_facts() -> dict[str, object]:
    """What `galaxy.json` holds, with round numbers near those of Mc17a."""
    R = np.concatenate([np.arange(0.25, 3.0, 0.25), np.arange(3.0, 30.5, 0.5)])
    baryons, halo = 230.0 * np.sqrt(R) * 1.7 / (R + 2.5), 200.0 * np.sqrt(R / (R + 9.0))
    density = {
        "thin_disk": 0.0663,
        "thick_disk": 0.0038,
        "bulge": 1e-9,
        "halo": 0.0112,
        "HI": 0.03,
        "H2": 0.0124,
    }
    state = {
        "v_circ_sun_kms": 231.6,
        "r200_kpc": 231.6,
        "m200_msun": 1.322e12,
        "density_sun_msun_pc3": density,
    }
    history = [
        {
            **state,
            "residual": 0.04 * 0.3**k,
            "v_circ_sun_kms": 233.0 - 1.2 * 0.3**k,
            "m200_msun": 1.324e12 - 1e9 * 0.5**k,
            "seconds": 2.0,
        }
        for k in range(5)
    ]
    return {
        "R_kpc": R,
        "v_circ_kms": np.hypot(baryons, halo),
        "v_circ_baryons_kms": baryons,
        "v_circ_halo_kms": halo,
        "local_density_msun_pc3": density,
        "d_sun_kpc": 8.11,
        "v_circ_sun_kms": 233.0,
        "r200_kpc": 231.7,
        "m200_msun": 1.324e12,
        "initial": {**state, "residual": None},
        "history": history,
    }


def make_problem(
    regions: tuple[Region, ...], observables: tuple[str, ...] = ("v_los", "pm_ra", "pm_dec"), seed: int = 1
) -> FitProblem:
    """A problem with a mock survey drawn from the truth; region "04" has too few stars."""
    rng = np.random.default_rng(seed)
    grids = {
        "v_los": np.arange(-120.0, 121.0, 10.0),
        "pm_ra": np.arange(-5.0, 4.1, 0.5),
        "pm_dec": np.arange(-5.0, 4.1, 0.5),
    }
    edges = {name: [grids[name] for _ in regions] for name in observables}
    model = GaussianModel(edges, regions, galaxy_facts())
    truth = model.predict(TRUTH).p
    binned = []
    for k, region in enumerate(regions):
        n = 120 if region.name == "04" else region.count or 1000
        histograms = {}
        for name in observables:
            heights = truth[name][k]
            counts = rng.multinomial(n, [*heights, max(0.0, 1.0 - heights.sum())])[:-1]
            p = counts / n
            histograms[name] = Histogram(
                edges[name][k], p, np.maximum(np.sqrt(p * (1 - p) / n), 1 / n), counts
            )
        reason = "only 120 stars, fewer than min_stars = 200" if n < 200 else ""
        binned.append(BinnedRegion(region, n, histograms, not reason, reason))
    flow = [
        {"name": "rows in the catalogue", "removed": 0, "left": 100_000, "note": ""},
        {"name": "K giants <Liu et al. 2014>", "removed": 13_891, "left": 86_109, "note": ""},
    ]
    survey = BinnedSurvey(
        tuple(binned),
        observables,
        {"cut_flow": flow, "catalogue": "giants.fits", "seed": 3, "sha256": "ab12"},
    )
    settings = FitSettings(
        free=("sigma_r0_thin", "sigma_z0_thin"), max_trials=200, method="nelder-mead", uncertainty="model"
    )
    text = '[model]\nname = "Mc17a"  # <script>alert("no")</script>\n'
    return FitProblem(model, survey, START, settings, "Mc17a", text, seed=7)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over the 30 regions of Table 1."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    fit(make_problem(paper_regions()), folder=folder, command="galactions fit <giants>.toml")
    return folder
