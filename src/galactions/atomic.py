"""Files that are there whole or not at all."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, with the same ending, that takes its place when the block
    ends well and its content is on the disk.

    After an error, or a kill, what stood at `path` before is untouched; a temporary file that a killed
    process left of the same `path` is removed by the next one. The folder is made when it does not exist.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-{os.getpid()}-", suffix="".join(path.suffixes[-1:]), dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    temporary.unlink()  # some writers refuse to overwrite
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    ours = re.compile(rf"\.{re.escape(path.stem)}-(\d+)-[^.]*{re.escape(path.suffix)}")
    for other in path.parent.iterdir():
        if (found := ours.fullmatch(other.name)) and not _runs(int(found[1])):
            other.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether there is a process of that number; taken for granted where it cannot be asked."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
