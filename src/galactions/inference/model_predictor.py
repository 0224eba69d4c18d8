"""The real predictor: named parameters -> self-consistent galaxy -> what the survey would see of it.

This is the one file in which the fit meets the engine; everything else of this room works with any
`Predictor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from galactions.errors import ConfigError
from galactions.inference.parameters import unknown_name
from galactions.inference.predictor import FinalModel, Prediction
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress, ProgressUpdate

if TYPE_CHECKING:
    from galactions.config import Config
    from galactions.galaxy import ModelSpec
    from galactions.projection import SurveyNodes
    from galactions.projection.view import View
    from galactions.survey import BinnedSurvey


@dataclass(frozen=True, eq=False)
class ModelPredictor:
    """Predicts a survey's histograms from a model built anew for each set of parameters.

    spec: the model that parameters are put into. nodes: fixed nodes of the survey's regions, with its bins.
    iterations: rebuilds of the potential in a trial, final_iterations: those of the best model.
    """

    spec: "ModelSpec"
    nodes: "SurveyNodes"
    iterations: int | Literal["auto"]
    final_iterations: int | Literal["auto"]

    def predict(self, parameters: Mapping[str, float]) -> Prediction:
        """The histograms of the model with these parameters. Raises ModelError where they make no model."""
        spec = self.spec.replace(**parameters)
        if not isinstance(self.iterations, int):
            from galactions.galaxy import build

            return self.nodes.predict(build(spec, iterations=self.iterations))
        return self.nodes.prediction(_view(spec, dict(spec.parameters), self.iterations))

    def final(self, parameters: Mapping[str, float]) -> FinalModel:
        """The model rebuilt with `final_iterations`, its histograms, and what `galaxy.json` tells of it."""
        return self._built(parameters, self.final_iterations)

    def trial_model(self, parameters: Mapping[str, float]) -> FinalModel:
        """The same with as many iterations as a trial has."""
        return self._built(parameters, self.iterations)

    def _built(self, parameters: Mapping[str, float], iterations: int | Literal["auto"]) -> FinalModel:
        from galactions.galaxy import build

        galaxy = build(self.spec.replace(**parameters), iterations=iterations)
        return FinalModel(self.nodes.predict(galaxy), galaxy_facts(galaxy))


def _view(spec: "ModelSpec", values: Mapping[str, Any], iterations: int) -> "View":
    """The view of the model with parameters `values` after `iterations` iterations."""
    import jax.numpy as jnp

    from galactions.galaxy.iteration import initial_state, iterate
    from galactions.projection.view import DISKS, View

    parameters = {name: jnp.asarray(value, float) for name, value in values.items()}
    ingredients, state = initial_state(spec.components, parameters)
    for _ in range(iterations):
        state = iterate(ingredients, state)
    dfs = {name: ingredients.dfs[name] for name in DISKS}
    return View.at(dfs, state.actions, parameters)


def galaxy_facts(galaxy: Any) -> dict[str, Any]:
    """What `galaxy.json` tells of a galaxy: see the keys below. R in kpc, velocities in km/s, densities in
    Msun/pc^3."""
    import numpy as np

    radii = np.concatenate([np.arange(0.25, 3.0, 0.25), np.arange(3.0, 25.01, 0.5)])
    sun = float(galaxy.spec.parameters["d_sun"])
    virial = galaxy.virial()
    split = galaxy.circular_velocity_split(radii)
    return {
        "R_kpc": radii,
        "v_circ_kms": split.total,
        "v_circ_baryons_kms": np.nan_to_num(split.baryons),
        "v_circ_halo_kms": np.nan_to_num(split.dark),
        "local_density_msun_pc3": {
            name: float(np.squeeze(galaxy.density(name, sun, 0.0))) * 1e-9 for name in galaxy.components
        },
        "d_sun_kpc": sun,
        "v_circ_sun_kms": float(np.squeeze(galaxy.circular_velocity(sun))),
        "r200_kpc": float(virial.r200),
        "m200_msun": float(virial.m200),
        "history": galaxy.history,
    }


def problem_from_config(config: "Config", progress: Progress | None = None) -> FitProblem:
    """The fit problem of a configuration: its survey read and binned, its model's nodes laid out.

    Raises ConfigError for names of models and parameters that do not exist, and what reading the survey
    raises.
    """
    from galactions.galaxy import named_model
    from galactions.projection import SurveyNodes

    base = named_model(config.model.name)
    if unknown := [name for name in config.model.overrides if name not in base.parameters]:
        where = f"{config.source}: " if config.source else ""
        raise ConfigError(where + unknown_name("model.set", unknown[0], list(base.parameters)))
    spec = base.replace(**config.model.overrides)
    survey = _survey(config, base, progress)
    projection = config.projection
    if progress:
        progress(ProgressUpdate.stage("laying out the nodes of the projection"))
    nodes = SurveyNodes.for_survey(
        survey,
        projection.nodes,
        projection.replicates,
        projection.seed,
        projection.errors,
        spec,
        projection.reference,
    )
    return FitProblem(
        predictor=ModelPredictor(spec, nodes, config.model.iterations, config.model.final_iterations),
        survey=survey,
        parameters=dict(spec.parameters),
        settings=config.fit,
        model_name=config.model.name,
        config_text=config.text,
        seed=projection.seed,
        identity={
            "model": config.model.model_dump(mode="json", by_alias=True),
            "projection": projection.model_dump(mode="json"),
        },
    )


def _survey(config: "Config", named: "ModelSpec", progress: Progress | None) -> "BinnedSurvey":
    """The survey of a configuration: read from its catalogue, or made from the named model itself.

    A mock survey's truth is the named model without the changes of `[model.set]`, which are the start of the
    fit, built with as many iterations as a trial: what the fit has to find is then known exactly.
    """
    from galactions.survey import bin_survey, load_survey, prepare_stars

    folder = config.source.parent if config.source else None
    mock = config.survey.mock
    if mock is None:
        if progress:
            progress(ProgressUpdate.stage("reading the survey"))
        survey = load_survey(config.survey, folder)
    else:
        from galactions.galaxy import build
        from galactions.projection import mock_survey
        from galactions.survey import ErrorModel
        from galactions.survey.config_file import survey_regions

        if progress:
            progress(ProgressUpdate.stage(f"drawing a mock survey from the model {named.name}"))
        regions = survey_regions(config.survey, folder or ".")
        errors = ErrorModel(mock.v_los, mock.pm, mock.distance_fraction)
        truth = build(named, iterations=config.model.iterations)
        stars = mock_survey(truth, regions, mock.counts, errors, mock.seed)
        selected, flow = prepare_stars(stars, config.survey)
        facts = {"truth": dict(named.parameters), "model": named.name, "iterations": truth.iterations}
        survey = bin_survey(selected, config.survey, flow, folder or ".", mock=facts)
    wanted = config.projection.observables
    if wanted is None:
        return survey
    if lacking := [name for name in wanted if name not in survey.observables]:
        where = f"{config.source}: " if config.source else ""
        raise ConfigError(
            f"{where}projection.observables: the survey has no {', '.join(lacking)}; "
            f"it has {', '.join(survey.observables)}"
        )
    return replace(survey, observables=tuple(wanted))
