"""Reading the `[survey]` table of a TOML file, and the files that it points to."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from galactions.errors import ConfigError
from galactions.survey.config import SurveyConfig
from galactions.survey.regions import Region, check_names, paper_regions, read_regions


def survey_regions(config: SurveyConfig, folder: str | Path = ".") -> tuple[Region, ...]:
    """The regions that a config asks for (a file of them is relative to `folder`), or ConfigError."""
    if isinstance(config.regions, str):
        base = (
            paper_regions()
            if config.regions == "paper"
            else read_regions(resolve_path(config.regions, folder))
        )
    else:
        base = tuple(table.to_region() for table in config.regions)
    return check_names((*base, *(paper_regions()[n - 1] for n in config.paper_regions)))


_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}")


def resolve_path(text: str, folder: str | Path = ".") -> Path:
    """The file that a path of a config means: `${NAME}`, `${NAME:-default}` and `~` filled in, relative to
    `folder`.

    Raises ConfigError for a variable that is not set and has no default.
    """

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            missing = f"the environment variable {match['name']} is not set, and no default is given"
            raise ConfigError(f"path {text!r}: {missing}")
        return found

    return Path(folder) / Path(_VARIABLE.sub(value, text)).expanduser()


def explain(error: ValidationError, where: str) -> ConfigError:
    """A ConfigError that names, for each thing wrong, the place, what was found and what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        # what pydantic calls the readings of a union is of no use to the reader
        loc = [str(part) for part in item["loc"] if part not in ("text", "tables") and "[" not in str(part)]
        message = item["msg"].removeprefix("Value error, ")
        found = item.get("input")
        shown = "" if isinstance(found, Mapping | BaseModel) or "found" in message else f" (found {found!r})"
        lines.append(f"{'.'.join(loc) or 'survey'}: {message}{shown}")
    return ConfigError(f"{where}: " + "; ".join(dict.fromkeys(lines)))


def parse_survey_config(table: Mapping[str, Any], where: str = "[survey]") -> SurveyConfig:
    """A checked config from a `[survey]` table; the text of a ConfigError names `where` and the key."""
    try:
        return SurveyConfig.model_validate(dict(table))
    except ValidationError as error:
        raise explain(error, where) from None


def read_survey_config(path: str | Path) -> SurveyConfig:
    """The `[survey]` table of a TOML file, checked. Raises ConfigError that names the file and the key."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: the configuration file cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a valid TOML file: {error}") from None
    if not isinstance(document.get("survey"), dict):
        raise ConfigError(f"{path}: no [survey] table; found {', '.join(document) or 'nothing'}")
    return parse_survey_config(document["survey"], f"{path}: [survey]")
