"""The configuration of a fit: one TOML file, checked on load.

Tables: `[model]`, `[survey]` (`galactions.survey.config`), `[projection]`, `[fit]`
(`galactions.inference.settings`), `[posterior]` (`galactions.inference.posterior.settings`), `[output]`.
Whatever is wrong becomes a `ConfigError` that names the file, the key, what was found and what is allowed.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from galactions.errors import ConfigError
from galactions.inference.posterior.settings import PosteriorSettings
from galactions.inference.settings import FitSettings
from galactions.inference.table import Table, as_tuple, did_you_mean
from galactions.survey.config import SurveyConfig

Iterations = Annotated[int, Field(ge=0, le=1000)] | Literal["auto"]
Observable = Literal["v_los", "pm_ra", "pm_dec"]


class ModelTable(Table):
    """`[model]`: the named model a fit starts from, and how it is built.

    overrides: parameters that differ from the named model's, `[model.set]` in the file. iterations:
    rebuilds of the potential in each trial (the paper: three), final_iterations: those of the best model
    ("auto": until it no longer changes). warm_start: trials begin with the densities of the start's model,
    settled and scaled to the trial's parameters, and one or two iterations do what three or more do
    otherwise.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    name: str = "Mc17a"
    iterations: Iterations = 3
    final_iterations: Iterations = 10
    warm_start: bool = False
    overrides: dict[str, float] = Field(default_factory=dict, alias="set")

    @model_validator(mode="after")
    def _checked(self) -> "ModelTable":
        if self.warm_start and self.iterations == 0:
            raise ValueError("model.warm_start: found iterations = 0; allowed: at least 1 with a warm start")
        for name, value in self.overrides.items():
            if not math.isfinite(value):
                raise ValueError(f"model.set.{name}: found {value}; allowed: finite numbers")
        return self


class ProjectionTable(Table):
    """`[projection]`: how the model's view of the survey is computed.

    nodes: fixed nodes of a region on average, in each replicate; regions with more stars get more.
    reference: points of the start's model that they are chosen from and calibrated to, once. replicates:
    independent randomisations, whose scatter is the prediction's own error; seed: of the randomisation.
    errors: "paper" leaves the model as it is, "forward" convolves it with the survey's velocity and distance
    errors. selection: "none" (the paper) compares with all stars of the model in a region,
    "observed-distances" with stars that have the survey's distribution of distances there. observables:
    which to compare (default: all that the survey has).
    """

    nodes: int = Field(default=2048, ge=64, le=2**20)
    reference: int = Field(default=131072, ge=64, le=2**22)
    replicates: int = Field(default=4, ge=2, le=64)
    seed: int = Field(default=0, ge=0)
    errors: Literal["paper", "forward"] = "paper"
    selection: Literal["none", "observed-distances"] = "none"
    observables: Annotated[tuple[Observable, ...], BeforeValidator(as_tuple)] | None = None

    @model_validator(mode="after")
    def _reference_of_no_fewer(self) -> "ProjectionTable":
        if self.reference < self.nodes:
            raise ValueError(
                f"projection.reference: found {self.reference}; "
                f"allowed: at least projection.nodes, {self.nodes}"
            )
        return self


class OutputTable(Table):
    """`[output]`: folder of the run, relative to the working directory (default: `runs/` and the file's
    name)."""

    folder: str | None = None


class Config(Table):
    """A whole configuration, as `load_config` and `parse_config` give it."""

    model: ModelTable = ModelTable()
    survey: SurveyConfig
    projection: ProjectionTable = ProjectionTable()
    fit: FitSettings = FitSettings()
    posterior: PosteriorSettings = PosteriorSettings()
    output: OutputTable = OutputTable()
    _source: Path | None = PrivateAttr(default=None)
    _text: str = PrivateAttr(default="")

    @property
    def source(self) -> Path | None:
        """The file it was read from, if any."""
        return self._source

    @property
    def text(self) -> str:
        """The TOML text it was made from."""
        return self._text

    @property
    def folder(self) -> Path:
        """The run folder."""
        if self.output.folder is not None:
            return Path(self.output.folder).expanduser()
        return Path("runs") / (self._source.stem if self._source else "fit")


def load_config(path: str | Path) -> Config:
    """The configuration in a TOML file.

    Raises ConfigError when the file is missing, is no TOML, or holds anything that is not allowed: every
    mistake is listed, each with its key, what was found and what is allowed.
    """
    path = Path(path).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; allowed: the path of a TOML configuration") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error
    return parse_config(text, source=path)


def parse_config(text: str, source: Path | None = None) -> Config:
    """The configuration in a TOML text; `source` is the file named in errors. Raises ConfigError, as
    `load_config`."""
    where = str(source) if source else "configuration"
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not valid TOML: {error}") from None
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {line}" for line in explain(error, Config))) from None
    config._source, config._text = source, text
    return config


def explain(error: ValidationError, table: type[BaseModel]) -> Iterator[str]:
    """pydantic's errors in words, one a line: the key, what was found, what is allowed."""
    for item in error.errors():
        location = [str(part) for part in item["loc"]]
        key = ".".join(
            part for part in location if not part.startswith(("function-", "constrained-", "literal["))
        )
        kind, found = item["type"], item["input"]
        if kind == "extra_forbidden":
            allowed = _keys(_table_at(table, location[:-1]))
            yield f"{key}: unknown key{did_you_mean(location[-1], allowed)} allowed: {', '.join(allowed)}"
        elif kind == "missing":
            yield f"{key}: missing; it has to be given"
        elif kind in ("union_tag_invalid", "union_tag_not_found"):
            given = (
                f"found {_shown(found.get('kind'))}" if isinstance(found, dict) and "kind" in found else ""
            )
            tags = item["ctx"].get("expected_tags", "")
            yield f"{key}.kind: {given or 'missing'}; allowed: {tags or 'a kind that is documented'}"
        elif kind == "value_error":
            message = item["msg"].removeprefix("Value error, ")
            named = message.startswith(key) or not key or message.split(".")[0] == key.split(".")[0]
            yield message if named else f"{key}: {message}"
        else:
            allowed_text = item["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            allowed_text = allowed_text.replace("tuple", "array").replace("dictionary", "table")
            yield f"{key}: found {_shown(found)}; allowed: {allowed_text}"


def _shown(found: Any) -> str:
    text = repr(found)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({_toml_type(found)})"


def _toml_type(found: Any) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string"}
    if type(found) in names:
        return names[type(found)]
    return (
        "a table"
        if isinstance(found, Mapping)
        else "an array"
        if isinstance(found, list | tuple)
        else "a date or time"
    )


def _table_at(table: type[BaseModel], location: list[str]) -> type[BaseModel] | None:
    """The model of the (sub-)table at `location`: keys lead inwards, array indices and union branches are
    passed by."""
    here: type[BaseModel] | None = table
    for key in location:
        if here is None:
            return None
        for name, field in here.model_fields.items():
            if key in (name, field.alias):
                here = next(_models_in(field.annotation), None)
                break
    return here


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _keys(table: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in table.model_fields.items()] if table else []
