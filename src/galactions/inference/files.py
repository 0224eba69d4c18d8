"""Text and JSON files, written so that a reader finds the old one or the new one, never half of one."""

import json
import math
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from galactions.atomic import replacing


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file atomically. NaN and infinities become null: JSON has no names for them."""
    write_text(path, json.dumps(plain(content), indent=2, allow_nan=False) + "\n")


def plain(content: Any) -> Any:
    """The same content in JSON's own types: data classes as objects, arrays as lists, numpy scalars as
    numbers, non-finite floats as None."""
    if is_dataclass(content) and not isinstance(content, type):
        content = asdict(content)
    if hasattr(content, "tolist"):
        content = content.tolist()
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content if isinstance(content, str | int | float | bool | type(None)) else str(content)
