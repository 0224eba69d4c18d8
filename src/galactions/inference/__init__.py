"""Fits: chi2 of eq. (5), free parameters with bounds, optimisers, run folders that survive.

from galactions.inference import fit, show_progress

with show_progress() as progress:
    result = fit("my_fit.toml", progress=progress)
print(result.summary())
"""

from galactions.inference.bins import BinLayout, bin_layout, binomial_sigma, data_sigma, model_sigma
from galactions.inference.chi2 import Chi2Table, RegionChi2, chi2_table, region_chi2, residuals
from galactions.inference.constraints import Constraint, Constraints
from galactions.inference.covariance import covariance
from galactions.inference.fit import fit
from galactions.inference.joint import JointObjective, joint_objective
from galactions.inference.lock import RunFolderError, folder_lock
from galactions.inference.nelder_mead import nelder_mead
from galactions.inference.objective import GaussianObjective, MultinomialObjective, Objective
from galactions.inference.parameters import FreeParameter, FreeParameters, Tie, free_parameters
from galactions.inference.predictor import (
    DifferentiableExtendedPredictor,
    DifferentiablePredictor,
    ExtendedPrediction,
    ExtendedPredictor,
    ExtendedSlopes,
    FinalModel,
    FinalPredictor,
    Prediction,
    Predictor,
)
from galactions.inference.priors import Prior, Priors
from galactions.inference.problem import (
    FitProblem,
    all_slopes,
    predict_all,
    predict_heights,
    predict_slopes,
)
from galactions.inference.progress import Progress, ProgressUpdate, show_progress
from galactions.inference.result import FitResult, Remark, RemarkKind, load_fit, read_prediction
from galactions.inference.run import RunFolder, open_run, read_record, read_trials, survey_digest
from galactions.inference.search import Status, search
from galactions.inference.settings import DF_PARAMETERS, PAPER_PARAMETERS, FitSettings, TieSettings
from galactions.inference.trials import Trial, TrialRecorder

__all__ = [
    "fit",
    "FitProblem",
    "FitResult",
    "FitSettings",
    "DF_PARAMETERS",
    "PAPER_PARAMETERS",
    "TieSettings",
    "Prior",
    "Priors",
    "Tie",
    "Status",
    "Remark",
    "RemarkKind",
    "load_fit",
    "Prediction",
    "Predictor",
    "DifferentiablePredictor",
    "FinalPredictor",
    "FinalModel",
    "FreeParameter",
    "FreeParameters",
    "free_parameters",
    "BinLayout",
    "bin_layout",
    "binomial_sigma",
    "data_sigma",
    "model_sigma",
    "Chi2Table",
    "RegionChi2",
    "chi2_table",
    "region_chi2",
    "residuals",
    "predict_heights",
    "predict_slopes",
    "Constraint",
    "Constraints",
    "ExtendedPrediction",
    "ExtendedPredictor",
    "ExtendedSlopes",
    "DifferentiableExtendedPredictor",
    "JointObjective",
    "joint_objective",
    "predict_all",
    "all_slopes",
    "Objective",
    "GaussianObjective",
    "MultinomialObjective",
    "nelder_mead",
    "covariance",
    "search",
    "Trial",
    "TrialRecorder",
    "Progress",
    "ProgressUpdate",
    "show_progress",
    "RunFolder",
    "RunFolderError",
    "open_run",
    "read_record",
    "read_trials",
    "read_prediction",
    "survey_digest",
    "folder_lock",
]
