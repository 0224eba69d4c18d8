"""The real predictor: named parameters -> self-consistent galaxy -> what the survey would see of it.

This is the one file in which the fit meets the engine; everything else of this room works with any
`Predictor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from galactions.errors import ConfigError
from galactions.inference.parameters import unknown_name
from galactions.inference.predictor import FinalModel, Prediction
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress, ProgressUpdate

if TYPE_CHECKING:
    from galactions.config import Config
    from galactions.galaxy import ModelSpec
    from galactions.projection import SurveyNodes


@dataclass(frozen=True, eq=False)
class ModelPredictor:
    """Predicts a survey's histograms from a model built anew for each set of parameters.

    spec: the model that parameters are put into. nodes: fixed nodes of the survey's regions, with its bins.
    iterations: rebuilds of the potential in a trial, final_iterations: those of the best model.
    """

    spec: "ModelSpec"
    nodes: "SurveyNodes"
    iterations: int | str
    final_iterations: int | str

    def predict(self, parameters: Mapping[str, float]) -> Prediction:
        from galactions.galaxy import build

        return self.nodes.predict(build(self.spec.replace(**parameters), iterations=self.iterations))

    def final(self, parameters: Mapping[str, float]) -> FinalModel:
        from galactions.galaxy import build

        galaxy = build(self.spec.replace(**parameters), iterations=self.final_iterations)
        return FinalModel(self.nodes.predict(galaxy), galaxy_facts(galaxy))


def galaxy_facts(galaxy: Any) -> dict[str, Any]:
    """What `galaxy.json` tells of a galaxy: see the keys below. R in kpc, velocities in km/s, densities in
    Msun/pc^3."""
    import numpy as np

    radii = np.concatenate([np.arange(0.25, 3.0, 0.25), np.arange(3.0, 25.01, 0.5)])
    sun = float(galaxy.spec.parameters["d_sun"])
    virial = galaxy.virial()
    return {
        "R_kpc": radii,
        "v_circ_kms": galaxy.circular_velocity(radii),
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
    from galactions.survey import load_survey

    base = named_model(config.model.name)
    if unknown := [name for name in config.model.overrides if name not in base.parameters]:
        where = f"{config.source}: " if config.source else ""
        raise ConfigError(where + unknown_name("model.set", unknown[0], list(base.parameters)))
    spec = base.replace(**config.model.overrides)
    if progress:
        progress(ProgressUpdate.stage("reading the survey"))
    survey = load_survey(config.survey, config.source.parent if config.source else None)
    projection = config.projection
    nodes = SurveyNodes.for_survey(
        survey, projection.nodes, projection.replicates, projection.seed, projection.errors, spec
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
