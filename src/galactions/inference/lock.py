"""One process at a time in a run folder."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from galactions.errors import GalactionsError


class RunFolderError(GalactionsError, RuntimeError):
    """A run folder cannot be used: it is in use, holds another run, or holds none."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Holds `folder`/run.lock; the file is removed at the end.

    The lock is the operating system's (flock), so that of a process which died, by kill -9 too, is free at
    once and is taken over. The file names host and process for the reader, and for other hosts, which flock
    may not reach.

    Raises RunFolderError when another process holds it, or when the file was left by another host.
    """
    path = folder / "run.lock"
    handle = _acquire(path)
    try:
        record = {"host": socket.gethostname(), "pid": os.getpid(), "since": datetime.now(UTC).isoformat()}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(record).encode(), 0)
        os.fsync(handle)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path) -> int:
    """An open, locked descriptor of the lock file."""
    import fcntl  # POSIX; imported here so that reading results works everywhere

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _holder(handle)
            os.close(handle)
            raise RunFolderError(
                f"{path.parent} is in use by process {holder.get('pid', '?')} "
                f"on {holder.get('host', 'this host')} (since {holder.get('since', '?')}); "
                "wait for it, stop it, or give another [output] folder"
            ) from None
        if not _still_there(handle, path):  # its last holder removed it between our open and our lock
            os.close(handle)
            continue
        holder = _holder(handle)
        if holder.get("host", socket.gethostname()) != socket.gethostname():
            os.close(handle)
            raise RunFolderError(
                f"{path} was left by process {holder.get('pid')} on host {holder.get('host')}, "
                "which cannot be looked at from here; if that process is gone, delete the file"
            )
        return handle


def _still_there(handle: int, path: Path) -> bool:
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False


def _holder(handle: int) -> dict[str, object]:
    try:
        record = json.loads(os.pread(handle, 4096, 0) or b"{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
