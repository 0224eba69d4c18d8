"""What a survey would see of a model: velocity distributions of regions of the sky, and mock stars."""

from galactions.projection.errors import RegionErrors as RegionErrors
from galactions.projection.histograms import predict as predict
from galactions.projection.mock import mock_survey as mock_survey
from galactions.projection.prediction import Prediction as Prediction
from galactions.projection.sampled import predict_by_sampling as predict_by_sampling
from galactions.projection.survey_nodes import SurveyNodes as SurveyNodes
from galactions.projection.view import MILKY_WAY_SUN as MILKY_WAY_SUN
