"""What the tables of a configuration share: strict keys and types, and hints for names that come close."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def as_tuple(value: Any) -> Any:
    """Arrays of a TOML file, which are lists, as the tuples that frozen tables keep."""
    return tuple(value) if isinstance(value, list) else value


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for names that come close, else nothing."""
    near = difflib.get_close_matches(name, list(allowed), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(match) for match in near)}?" if near else ";"


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Interval = Annotated[tuple[float, float], BeforeValidator(as_tuple)]


class Table(BaseModel):
    """A table of a configuration: no unknown keys, no guessed types, no change after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
