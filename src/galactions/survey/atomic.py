"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, with the same ending, that takes its place when the block
    ends well.

    After an error, or a kill, what stood at `path` before is untouched. The folder is made when it does not
    exist.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-", suffix="".join(path.suffixes[-1:]), dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    temporary.unlink()  # some writers refuse to overwrite
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
