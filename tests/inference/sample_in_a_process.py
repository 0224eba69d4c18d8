"""Run as a program by test_posterior_run.py: a slow posterior in a folder, to be killed. Arguments: folder,
method."""

import sys
from pathlib import Path

from gaussians import SmoothGaussians, problem, survey_from

from galactions.inference.posterior import PosteriorSettings, sample_posterior

SETTINGS = {
    "laplace": PosteriorSettings(method="laplace", draws=60, target_ess=150, bands=8),
    "emulated": PosteriorSettings(method="emulated", draws=40, target_ess=100, bands=8),
    "delayed": PosteriorSettings(method="delayed", draws=30, warmup=5, chains=2, target_ess=10, bands=8),
    "nuts": PosteriorSettings(method="nuts", draws=20, warmup=20, chains=2, target_ess=10, bands=8),
    "ensemble": PosteriorSettings(method="ensemble", draws=15, warmup=5, chains=2, target_ess=1, bands=8),
}


def slow_problem(wait: float):
    return problem(SmoothGaussians(wait=wait), survey_from(SmoothGaussians()))


if __name__ == "__main__":
    folder, method = sys.argv[1:]
    sample_posterior(slow_problem(0.01), settings=SETTINGS[method], folder=Path(folder), command="killed")
