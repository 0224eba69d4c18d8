"""Posteriors: samplers on a log density, what their draws are worth, and predictions with bands.

from galactions.inference.posterior import sample_posterior

result = sample_posterior("my_fit.toml", method="laplace")
print(result.summary())
"""

from galactions.inference.posterior.bands import Bands, posterior_bands, read_bands
from galactions.inference.posterior.diagnostics import Verdict, VerdictKind
from galactions.inference.posterior.result import PosteriorResult, result_from
from galactions.inference.posterior.run import load_posterior, posterior_folder, sample_posterior
from galactions.inference.posterior.settings import METHODS, PosteriorSettings
from galactions.inference.posterior.summary import ParameterSummary
from galactions.inference.posterior.target import EmulableTarget, ProblemTarget, Target, problem_target
from galactions.inference.posterior.work import Sample, draw_sample

__all__ = [
    "sample_posterior",
    "load_posterior",
    "posterior_folder",
    "PosteriorResult",
    "PosteriorSettings",
    "METHODS",
    "ParameterSummary",
    "Verdict",
    "VerdictKind",
    "Bands",
    "posterior_bands",
    "read_bands",
    "Target",
    "EmulableTarget",
    "ProblemTarget",
    "problem_target",
    "Sample",
    "draw_sample",
    "result_from",
]
