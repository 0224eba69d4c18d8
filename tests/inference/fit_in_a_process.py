"""Run as a program by test_run.py: a slow fit in a folder, to be killed. Arguments: folder, method,
uncertainty."""

import sys
from pathlib import Path

from gaussians import SmoothGaussians, problem, survey_from

from galactions.inference import fit


def slow_problem(method: str, uncertainty: str, wait: float):
    return problem(
        SmoothGaussians(wait=wait), survey_from(SmoothGaussians()), method=method, uncertainty=uncertainty
    )


if __name__ == "__main__":
    folder, method, uncertainty = sys.argv[1:]
    fit(slow_problem(method, uncertainty, 0.03), folder=Path(folder), command="killed")
