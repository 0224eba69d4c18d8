"""The real predictor: named parameters -> self-consistent galaxy -> what the survey would see of it.

This is the one file in which the fit meets the engine; everything else of this room works with any
`Predictor`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from galactions.errors import ConfigError
from galactions.inference.constraints import Constraints
from galactions.inference.parameters import unknown_name
from galactions.inference.predictor import ExtendedPrediction, FinalModel, Prediction
from galactions.inference.problem import FitProblem
from galactions.inference.progress import Progress, ProgressUpdate
from galactions.inference.settings import OUTLIERS, FitSettings
from galactions.inference.starts import named_starts

if TYPE_CHECKING:
    from jaxtyping import Array

    from galactions.config import Config
    from galactions.galaxy import Galaxy, ModelSpec
    from galactions.galaxy.iteration import Ingredients, State
    from galactions.galaxy.warm_start import Shapes
    from galactions.inference.stars import StarNodes
    from galactions.projection import SurveyNodes
    from galactions.projection.view import View
    from galactions.survey import BinnedSurvey, Stars


@dataclass(frozen=True, eq=False)
class ModelPredictor:
    """Predicts a survey's histograms from a model built anew for each set of parameters.

    spec: the model that parameters are put into. nodes: fixed nodes of the survey's regions, with its bins.
    iterations: rebuilds of the potential in a trial, final_iterations: those of the best model. constraints,
    stars: what `extended` predicts for beside the histograms. near: a settled galaxy of the same components,
    with whose densities trials begin (`galactions.build`); None begins with the analytic ones, as the best
    model does in any case.
    """

    spec: "ModelSpec"
    nodes: "SurveyNodes"
    iterations: int | Literal["auto"]
    final_iterations: int | Literal["auto"]
    constraints: Constraints = field(default_factory=Constraints)
    stars: "StarNodes | None" = None
    near: "Galaxy | None" = None

    @cached_property
    def _shapes(self) -> "Shapes | None":
        if self.near is None:
            return None
        from galactions.galaxy.iteration import settled_shapes

        return settled_shapes(self.near.spec.components, self.near.spec.parameters, self.near.state)

    def predict(self, parameters: Mapping[str, float]) -> Prediction:
        """The histograms of the model with these parameters. Raises ModelError where they make no model."""
        values = self._checked(parameters)
        return self.nodes.prediction(self._view(*self._state(values), values))

    def extended(self, parameters: Mapping[str, float]) -> ExtendedPrediction:
        """Histograms, predictions for the constraints, and ln p of the single stars. Raises ModelError where
        the parameters make no model."""
        view, outside, stars = self.parts(self._checked(parameters))
        return ExtendedPrediction(self.nodes.prediction(view), outside, stars)

    def parts(self, values: Mapping[str, Any]) -> "tuple[View, Array, Array]":
        """The view of the model with all its parameters given, predictions for the constraints, and ln p of
        the single stars: a JAX function where `iterations` is a number."""
        import jax.numpy as jnp

        ingredients, state = self._state(values)
        view = self._view(ingredients, state, values)
        stars = jnp.zeros(0)
        if self.stars is not None:
            from galactions.inference.stars import log_likelihood

            fraction, sigma = (values.get(name, value) for name, value in OUTLIERS.items())
            stars = log_likelihood(self.stars, view, fraction, sigma)
        return view, self.constraints.predicted(state, ingredients, values), stars

    def _checked(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """All parameters, those of the model within their limits. Raises ModelError for others."""
        return {**parameters, **self.spec.replace(**_of_the_model(parameters)).parameters}

    def _state(self, values: Mapping[str, Any]) -> "tuple[Ingredients, State]":
        """DFs and state of a trial's model. Raises ModelError where a DF cannot have the density that it is
        to be made from."""
        from galactions.galaxy.fitness import require_distribution_functions
        from galactions.galaxy.iteration import initial_state, iterate, settle
        from galactions.numerics.program import moving

        own = _of_the_model(values)
        if not isinstance(self.iterations, int) and not moving(own):
            from galactions.galaxy import build

            galaxy = build(self.spec.replace(**own), iterations=self.iterations, near=self.near)
            return galaxy.ingredients, galaxy.state
        ingredients, state = initial_state(self.spec.components, own, self._shapes)
        require_distribution_functions(self.spec.name, ingredients.dfs)
        if not isinstance(self.iterations, int):
            return ingredients, settle(ingredients, state)
        for _ in range(self.iterations):
            state = iterate(ingredients, state)
        return ingredients, state

    def _view(self, ingredients: "Ingredients", state: "State", values: Mapping[str, Any]) -> "View":
        """The view of the discs in a state of the iteration."""
        from galactions.projection.view import View

        dfs = {name: ingredients.dfs[name] for name in self.spec.stellar_disks}
        return View.at(dfs, state.actions, values)

    def final(self, parameters: Mapping[str, float]) -> FinalModel:
        """The model rebuilt with `final_iterations`, its histograms, and what `galaxy.json` tells of it."""
        return self._built(parameters, self.final_iterations, None)

    def trial_model(self, parameters: Mapping[str, float]) -> FinalModel:
        """The same with as many iterations as a trial has."""
        return self._built(parameters, self.iterations, self.near)

    def _built(
        self, parameters: Mapping[str, float], iterations: int | Literal["auto"], near: "Galaxy | None"
    ) -> FinalModel:
        from galactions.galaxy import build

        galaxy = build(self.spec.replace(**_of_the_model(parameters)), iterations=iterations, near=near)
        return FinalModel(self.nodes.predict(galaxy), galaxy_facts(galaxy))


def _of_the_model(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without those of the outliers, which no galaxy has."""
    return {name: value for name, value in parameters.items() if name not in OUTLIERS}


def galaxy_facts(galaxy: Any) -> dict[str, Any]:
    """What `galaxy.json` tells of a galaxy: see the keys below. R in kpc, velocities in km/s, densities in
    Msun/pc^3."""
    import numpy as np

    radii = np.concatenate([np.arange(0.25, 3.0, 0.25), np.arange(3.0, 30.01, 0.5)])
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
        "initial": galaxy.initial,
        "history": galaxy.history,
    }


def problem_from_config(config: "Config", progress: Progress | None = None) -> FitProblem:
    """The fit problem of a configuration: its survey read and binned, its model's nodes laid out.

    Raises ConfigError for names of models and parameters that do not exist, and what reading the survey
    raises.
    """
    from galactions.galaxy import build, named_model
    from galactions.projection import SurveyNodes

    base = named_model(config.model.name)
    where = f"{config.source}: " if config.source else ""
    known = [name for names in base.parameter_names() for name in names]
    if unknown := [name for name in config.model.overrides if name not in known]:
        raise ConfigError(where + unknown_name("model.set", unknown[0], known))
    try:
        spec = with_optional(base.replace(**config.model.overrides), (*config.fit.free, *config.fit.ties))
        constraints = Constraints.of(config.fit.constraints, spec.components)
        starts = named_starts(config.fit.starts, spec, config.fit.free)
    except ConfigError as error:
        raise ConfigError(where + str(error)) from None
    survey, stars = _survey(config, base, progress)
    parameters = dict(spec.parameters)
    single: StarNodes | None = None
    identity: dict[str, Any] = {}
    if config.fit.objective == "stars":
        single = _single_stars(config, survey, stars, spec, progress)
        parameters |= OUTLIERS
        identity["stars"] = _digest(single)
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
        projection.selection,
    )
    return FitProblem(
        predictor=_kind(config.fit)(
            spec,
            nodes,
            config.model.iterations,
            config.model.final_iterations,
            constraints,
            single,
            build(spec, iterations="auto") if config.model.warm_start else None,
        ),
        survey=survey,
        parameters=parameters,
        settings=config.fit,
        model_name=config.model.name,
        config_text=config.text,
        seed=projection.seed,
        identity={
            "model": config.model.model_dump(mode="json", by_alias=True),
            "projection": projection.model_dump(mode="json"),
            **identity,
        },
        constraints=constraints,
        n_stars=0 if single is None else len(single.whole),
        starts=starts,
    )


def _kind(settings: FitSettings) -> type[ModelPredictor]:
    if settings.derivatives == "differences":
        return ModelPredictor
    from galactions.inference.model_derivatives import DifferentiableModelPredictor

    return DifferentiableModelPredictor


def with_optional(spec: "ModelSpec", names: Iterable[str]) -> "ModelSpec":
    """The model with those of its optional parameters that `names` asks for, where they are not given: at
    values that change nothing, but for `v0_sun`, which is then that of the paper (section 2)."""
    from galactions.projection.view import MILKY_WAY_SUN
    from galactions.survey import PAPER_SUN

    neutral = {f"{key}_sun": value for key, value in MILKY_WAY_SUN.items()}
    neutral |= {"v0_sun": float(PAPER_SUN.v0), "distance_scale": 1.0}
    optional = spec.parameter_names()[1]
    for name in names:
        if name in optional and name not in spec.parameters:
            same = name.removesuffix("_df")
            if name not in neutral and same not in spec.parameters:
                raise ConfigError(
                    f"fit.free: {name!r} has no value to begin from in the model {spec.name}; "
                    f"give it as [model.set] {name} = ..."
                )
            spec = spec.replace(**{name: neutral.get(name, spec.parameters.get(same, 0.0))})
    return spec


def _single_stars(
    config: "Config", survey: "BinnedSurvey", stars: "Stars", spec: "ModelSpec", progress: Progress | None
) -> "StarNodes":
    """The nodes of all stars in the regions that are fitted."""
    import numpy as np

    from galactions.galaxy import build
    from galactions.inference.stars import StarNodes

    if progress:
        progress(ProgressUpdate.stage("laying out the nodes of the single stars"))
    held_out = set(config.fit.held_out)
    inside = np.zeros(len(stars), dtype=bool)
    for item in survey.used:
        if not {item.region.group, item.region.name} & held_out:
            inside |= item.region.contains(stars.l, stars.b, stars.distance)
    galaxy = build(spec, iterations=1)
    return StarNodes.of(stars.select(inside), galaxy, config.fit.star_nodes, config.fit.star_seed)


def _digest(nodes: "StarNodes") -> str:
    """SHA-256 of what is observed of the stars."""
    import hashlib

    import numpy as np

    return hashlib.sha256(np.ascontiguousarray(nodes.observed).tobytes()).hexdigest()


def _survey(config: "Config", named: "ModelSpec", progress: Progress | None) -> "tuple[BinnedSurvey, Stars]":
    """The survey of a configuration, read from its catalogue, or made from the named model itself; and its
    stars.

    A mock survey's truth is the named model without the changes of `[model.set]`, which are the start of the
    fit, built with as many iterations as a trial, or until it is settled where trials have a warm start: what
    the fit has to find is then known.
    """
    from galactions.survey import bin_survey, prepare_stars
    from galactions.survey.load import load_sample

    folder = config.source.parent if config.source else None
    mock = config.survey.mock
    if mock is None:
        if progress:
            progress(ProgressUpdate.stage("reading the survey"))
        sample = load_sample(config.survey, folder)
        selected = sample.stars
        survey = bin_survey(selected, config.survey, sample.flow, folder or ".", **sample.facts)
    else:
        from galactions.galaxy import build
        from galactions.projection import mock_survey
        from galactions.survey import ErrorModel
        from galactions.survey.config_file import survey_regions

        if progress:
            progress(ProgressUpdate.stage(f"drawing a mock survey from the model {named.name}"))
        regions = survey_regions(config.survey, folder or ".")
        errors = ErrorModel(mock.v_los, mock.pm, mock.distance_fraction)
        truth = build(named, iterations="auto" if config.model.warm_start else config.model.iterations)
        stars = mock_survey(truth, regions, mock.counts, errors, mock.seed)
        selected, flow = prepare_stars(stars, config.survey)
        facts = {"truth": dict(named.parameters), "model": named.name, "iterations": truth.iterations}
        survey = bin_survey(selected, config.survey, flow, folder or ".", mock=facts)
    wanted = config.projection.observables
    if wanted is None:
        return survey, selected
    if lacking := [name for name in wanted if name not in survey.observables]:
        where = f"{config.source}: " if config.source else ""
        raise ConfigError(
            f"{where}projection.observables: the survey has no {', '.join(lacking)}; "
            f"it has {', '.join(survey.observables)}"
        )
    return replace(survey, observables=tuple(wanted)), selected
