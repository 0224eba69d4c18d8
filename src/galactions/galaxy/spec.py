"""What a model is: named components with named parameters, immutable and checked."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeVar

from galactions.errors import ModelError
from galactions.galaxy.distribution import ANY, KINDS, POSITIVE, DFKind, Limits

Value = TypeVar("Value")

_SPHEROID = ("rho0", "r0", "gamma", "beta", "q")
_PROFILE_PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "disk": (("Sigma0", "R_d", "h"), ("R_cut",)),
    "miyamoto_nagai": (("M", "a", "b"), ()),
    "spheroid": (_SPHEROID, ()),
    "contracted": (_SPHEROID, ()),
    "cgm": (("A", "beta"), ()),
}
"""(required, optional) parameters of each kind of density."""

OBSERVER: Mapping[str, Limits] = {
    "u_sun": ANY,
    "v_sun": ANY,
    "w_sun": ANY,
    "z_sun": ANY,
    "v0_sun": POSITIVE,
    "distance_scale": POSITIVE,
}
"""Optional parameters of every model, which say how it is looked at: the Sun's peculiar motion (km/s, towards
the centre, along the rotation, to the north pole), its height (kpc), the circular velocity at the Sun (km/s;
by default the model's own), and the factor by which a catalogue's distances are to be multiplied."""


@dataclass(frozen=True)
class ComponentSpec:
    """One component: its density profile and, if its stars are modelled, its kind of distribution function.

    The component's parameters carry `suffix` in their names: `Sigma0_thin`, `sigma_r0_thin`, ... A
    component without a DF (gas) keeps its density through the iterations. A "contracted" component is a
    spheroid of dark matter, given as it is without baryons, which all other components contract (eq. 11);
    "cgm" is the circumgalactic medium of eqs. (12)-(13). Both need the model's parameter `f_bar`;
    `contraction` is by the formula of eq. (11) or by the implicit relation that it approximates. `dark`
    marks dark matter; everything else counts as baryons.
    """

    name: str
    suffix: str
    density: Literal["disk", "miyamoto_nagai", "spheroid", "contracted", "cgm"]
    df: DFKind | None = None
    vertical: Literal["exponential", "sech2"] = "exponential"
    cutoff: bool = False
    contraction: Literal["fitted", "implicit"] = "fitted"
    dark: bool = False

    def parameter_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(required, optional) names of the component's parameters."""
        required, optional = (list(names) for names in _PROFILE_PARAMETERS[self.density])
        if self.cutoff:
            required.append("r_cut")
        if self.df is not None:
            required += KINDS[self.df].required
            optional += KINDS[self.df].optional
        return tuple(map(self.full_name, required)), tuple(map(self.full_name, optional))

    def full_name(self, parameter: str) -> str:
        """A parameter's name in the model: with the suffix, before the ending "_df" of a DF's own."""
        base = parameter.removesuffix("_df")
        return f"{base}_{self.suffix}{parameter[len(base) :]}"

    def limits(self) -> dict[str, Limits]:
        """Limits of the DF's own parameters, by their full names."""
        if self.df is None:
            return {}
        kind = KINDS[self.df]
        return {self.full_name(name): limit for name, limit in {**kind.required, **kind.optional}.items()}

    def own_parameters(self, parameters: Mapping[str, Value]) -> dict[str, Value]:
        """The parameters of the component's DF, those that are given, by their names without suffix."""
        if self.df is None:
            return {}
        names = (*KINDS[self.df].required, *KINDS[self.df].optional)
        full = {name: self.full_name(name) for name in names}
        return {name: parameters[key] for name, key in full.items() if key in parameters}


@dataclass(frozen=True)
class ModelSpec:
    """A model of the Galaxy before it is built: components and parameters (kpc, km/s, Msun).

    `parameters` maps names to values; `replace(name=value, ...)` returns a changed copy. Raises
    `ModelError` for unknown or missing names and for values that no galaxy can have.
    """

    name: str
    components: tuple[ComponentSpec, ...]
    parameters: Mapping[str, float]
    summary: str = ""
    source: str = ""
    changed: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        required, optional = (set(names) for names in self.parameter_names())
        allowed = required | optional
        for name in self.parameters:
            if name not in allowed:
                raise ModelError(_unknown(self.name, name, allowed))
        missing = sorted(required - set(self.parameters))
        if missing:
            raise ModelError(f"model {self.name}: missing parameter(s) {', '.join(missing)}")
        values = {name: float(value) for name, value in self.parameters.items()}
        limits = dict(OBSERVER)
        for component in self.components:
            limits |= component.limits()
        media = [component for component in self.components if component.density == "cgm"]
        exponents = {f"beta_{component.suffix}" for component in media}
        for name, value in values.items():
            if name in limits:
                _check_limits(self.name, name, value, limits[name])
            elif name not in exponents:
                _check_value(self.name, name, value)
        if abs(values.get("z_sun", 0.0)) >= values["d_sun"]:
            raise ModelError(f"model {self.name}: z_sun = {values['z_sun']!r}: must be smaller than d_sun")
        _check_structure(self.name, self.components)
        for component in media:
            _check_medium(self.name, component, values)
        for component in self.components:
            if component.df is not None:
                problem = KINDS[component.df].problem(component.own_parameters(values))
                if problem is not None:
                    raise ModelError(f"model {self.name}: {component.name}: {problem}")
        object.__setattr__(self, "parameters", MappingProxyType(values))

    def __hash__(self) -> int:
        return hash((self.name, self.components, tuple(self.parameters.items())))

    def __reduce__(self) -> tuple[object, ...]:
        fields = (self.name, self.components, dict(self.parameters), self.summary, self.source, self.changed)
        return (type(self), fields)

    @property
    def stellar_disks(self) -> tuple[str, ...]:
        """Names of the discs with a DF: the stars that a survey of the disc sees.

        Raises `ModelError` if there is none.
        """
        names = tuple(c.name for c in self.components if c.density == "disk" and c.df is not None)
        if not names:
            raise ModelError(f"model {self.name} has no disc with a distribution function")
        return names

    def parameter_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(required, optional) names of parameters that a model of these components has."""
        required, optional = ["d_sun"], list(OBSERVER)
        for component in self.components:
            names = component.parameter_names()
            required += names[0]
            optional += names[1]
        if any(component.density in ("contracted", "cgm") for component in self.components):
            required.append("f_bar")
        return tuple(dict.fromkeys(required)), tuple(dict.fromkeys(optional))

    def replace(self, **values: float) -> "ModelSpec":
        """A copy with some parameters changed, e.g. `spec.replace(sigma_r0_thin=70.0)`."""
        changed = tuple(dict.fromkeys((*self.changed, *values)))
        merged = {**self.parameters, **values}
        return ModelSpec(self.name, self.components, merged, self.summary, self.source, changed)


def _unknown(model: str, name: str, allowed: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(allowed), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"allowed: {', '.join(sorted(allowed))}"
    return f"model {model} has no parameter {name!r}; {hint}"


def _check_limits(model: str, name: str, value: float, limits: Limits) -> None:
    if not math.isfinite(value):
        raise ModelError(f"model {model}: {name} = {value!r}: must be a finite number")
    if not limits.allow(value):
        raise ModelError(f"model {model}: {name} = {value!r}: {limits}")


def _check_value(model: str, name: str, value: float) -> None:
    what = f"model {model}: {name} = {value!r}"
    if not math.isfinite(value):
        raise ModelError(f"{what}: must be a finite number")
    if name.startswith(("R_cut_", "gamma_")):
        if value < 0:
            raise ModelError(f"{what}: must not be negative")
        if name.startswith("gamma_") and value >= 2:
            raise ModelError(f"{what}: must be below 2 (the potential must be finite at the centre)")
    elif value <= 0:
        raise ModelError(f"{what}: must be positive")
    if name == "f_bar" and value >= 1:
        raise ModelError(f"{what}: the fraction of baryons must be below 1")


def _check_structure(model: str, components: tuple[ComponentSpec, ...]) -> None:
    for component in components:
        if component.cutoff and component.density not in ("spheroid", "contracted"):
            raise ModelError(f"model {model}: {component.name} is no spheroid and has no cutoff")
        if component.df is not None and component.density in ("miyamoto_nagai", "cgm"):
            raise ModelError(
                f"model {model}: {component.name} has the density {component.density!r}, which no DF "
                "follows; leave its df out"
            )
    for kind in ("contracted", "cgm"):
        names = [component.name for component in components if component.density == kind]
        if len(names) > 1:
            raise ModelError(f"model {model}: {' and '.join(names)} are {kind!r}; there can be one at most")


def _check_medium(model: str, component: ComponentSpec, values: Mapping[str, float]) -> None:
    A, beta = (values[f"{name}_{component.suffix}"] for name in ("A", "beta"))
    if not -3 < beta < 0:
        raise ModelError(f"model {model}: beta_{component.suffix} = {beta!r}: must be between -3 and 0")
    share = 3 * A / (beta + 3) * values["f_bar"]
    if share >= 1:
        raise ModelError(
            f"model {model}: A_{component.suffix} = {A!r}: the medium alone would be {share:.3g} of the "
            "virial mass; lower A or f_bar"
        )
