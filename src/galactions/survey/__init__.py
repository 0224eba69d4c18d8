"""Star surveys: from catalogues of giants to velocity distributions in regions of the sky, and back to mocks.

No model is needed here. Section 2 and steps (1), (2) of section 3.1 of the paper; see `load_survey` for the
whole road.
"""

from galactions.survey.binned import BinnedRegion, BinnedSurvey, bin_regions
from galactions.survey.bins import make_edges
from galactions.survey.catalogue import read_catalogue, write_catalogue
from galactions.survey.config import BinRule, SurveyConfig
from galactions.survey.config_file import parse_survey_config, read_survey_config, survey_regions
from galactions.survey.cutflow import Cut, CutFlow
from galactions.survey.distance import distance_modulus, photometric_distance
from galactions.survey.distance_ratio import DistanceRatio, measure_ratios
from galactions.survey.distance_selection import DistanceDistribution, observed_distances
from galactions.survey.fetch import GaiaRequest, fetch_gaia, lamost_instructions
from galactions.survey.frame import (
    SightLines,
    cylindrical_velocity,
    galactic_to_icrs,
    galactocentric,
    galactocentric_from_basis,
    icrs_to_galactic,
    observed,
    sight_line_basis,
)
from galactions.survey.giant_luminosity import GiantLuminosity, parallax_magnitude
from galactions.survey.histograms import Histogram, make_histogram
from galactions.survey.isochrones import Isochrones, read_isochrones
from galactions.survey.load import (
    Sample,
    bin_sample,
    bin_survey,
    load_sample,
    load_stars,
    load_survey,
    prepare_stars,
    survey_stages,
)
from galactions.survey.luminosity import MagnitudeLattice
from galactions.survey.match import MatchReport, cross_match
from galactions.survey.mock import ErrorModel, observe, thin_to_counts
from galactions.survey.mock_catalogues import MockCatalogues, MockRecipe, mock_catalogues
from galactions.survey.plates import PlateSelection, read_plate_selection
from galactions.survey.presets import PRESETS, Column
from galactions.survey.propagate import PhaseSpaceErrors, phase_space_errors
from galactions.survey.regions import Region, paper_regions, read_regions
from galactions.survey.sample import giants_with_distances, matched_stars
from galactions.survey.sample_file import write_sample
from galactions.survey.selection import is_k_giant, moves_with_disc, select_disc_giants
from galactions.survey.source_presets import ASTROMETRY, SPECTRA, SourcePreset
from galactions.survey.sources import Source, read_source
from galactions.survey.stars import OBSERVABLES, Stars, stars_from_phase_space
from galactions.survey.sun import PAPER_SUN, Sun
from galactions.survey.table import QUANTITIES, StarTable
from galactions.survey.zero_point import parallax_zero_point

__all__ = [
    "PAPER_SUN", "Sun",
    "SightLines", "sight_line_basis", "galactocentric", "galactocentric_from_basis", "observed",
    "icrs_to_galactic", "galactic_to_icrs", "cylindrical_velocity",
    "Region", "paper_regions", "read_regions",
    "Stars", "OBSERVABLES", "stars_from_phase_space", "read_catalogue", "write_catalogue",
    "Column", "PRESETS",
    "Cut", "CutFlow", "is_k_giant", "moves_with_disc", "select_disc_giants",
    "QUANTITIES", "StarTable", "SourcePreset", "SPECTRA", "ASTROMETRY", "Source", "read_source",
    "MatchReport", "cross_match", "matched_stars", "giants_with_distances", "write_sample",
    "GaiaRequest", "fetch_gaia", "lamost_instructions",
    "parallax_zero_point", "distance_modulus", "photometric_distance", "parallax_magnitude",
    "Isochrones", "read_isochrones", "MagnitudeLattice", "GiantLuminosity", "DistanceRatio", "measure_ratios",
    "PhaseSpaceErrors", "phase_space_errors",
    "PlateSelection", "read_plate_selection", "DistanceDistribution", "observed_distances",
    "BinRule", "make_edges", "Histogram", "make_histogram", "BinnedRegion", "BinnedSurvey", "bin_regions",
    "ErrorModel", "observe", "thin_to_counts", "MockRecipe", "MockCatalogues", "mock_catalogues",
    "SurveyConfig", "parse_survey_config", "read_survey_config", "survey_regions",
    "Sample", "survey_stages", "load_sample", "load_stars", "prepare_stars", "bin_survey", "bin_sample",
    "load_survey",
]  # fmt: skip
