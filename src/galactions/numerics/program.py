"""Programs: functions compiled by JAX that later processes need not trace again.

JAX keeps compiled code between processes, but finds it by the traced program; and a model's programs take
longer to trace, in Python, than to load. So the traced program is kept too (`jax.export`), beside JAX's own
cache of compiled code, and found by what it was traced from: the source of galactions, the versions of JAX
and of what it stands on, and the structure and shapes of the arguments. What has arguments of classes from
elsewhere, whose source may change, is traced in each process. Constants of modules that are changed at run
time are not noticed: such experiments need `GALACTIONS_CACHE=off`.
"""

import hashlib
import importlib.metadata
import inspect
import io
import pickle
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

import jax
import jax.export
import jax.numpy as jnp

from galactions.atomic import replacing

MIN_TRACE_SECONDS = 0.1
"""Programs that are traced faster than this (s) are not worth a file."""
DAYS = 30
"""Folders of other versions of the source to which nothing was added for so long are removed."""

_VERSIONS = ("jax", "jaxlib", "equinox", "numpy", "scipy")
_KNOWN = {"galactions", "builtins", *_VERSIONS}

_here = threading.local()

P = ParamSpec("P")
R = TypeVar("R")


class Signature(NamedTuple):
    """What a program is compiled for: static arguments, the structure of the others, and the shapes and types
    of their arrays."""

    static: tuple[tuple[str, Any], ...]
    structure: Any
    arrays: tuple[tuple[tuple[int, ...], str], ...]


class Program(Generic[P, R]):
    """`function`, compiled for each structure and shape of its arguments.

    Called with numbers it is what `jax.jit` would make of it, but for the trace that is kept. Within another
    function that JAX traces or differentiates it *is* what `jax.jit` makes of it; but see `reverse_mode`.
    """

    def __init__(self, function: Callable[P, R], static: Iterable[str] = ()) -> None:
        self._static = tuple(static)
        self._signature = inspect.signature(function)
        self._jitted = jax.jit(function, static_argnames=self._static)
        self._function: Callable[..., R] = function
        self._ready: dict[Signature, Callable[..., R]] = {}
        self._lock = threading.Lock()
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = self._signature.bind(*args, **kwargs).arguments
        static = tuple((name, arguments.pop(name)) for name in self._static if name in arguments)
        leaves, structure = jax.tree.flatten(arguments)
        if traced(leaves):
            return self._jitted(*args, **kwargs)
        arrays = [leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf) for leaf in leaves]
        signature = Signature(static, structure, tuple((a.shape, str(a.dtype)) for a in arrays))
        if moving(arrays):
            return self._reversible(signature, arrays)
        return self._run(signature, arrays)

    def _run(self, signature: Signature, arrays: list[jax.Array]) -> R:
        if signature not in self._ready:
            # Two threads that want the same program: one compiles it, in its first call.
            with self._lock:
                if signature not in self._ready:
                    made = self._made(signature, arrays)
                    result = made(*arrays)
                    self._ready[signature] = made
                    return result
        return self._ready[signature](*arrays)

    def _reversible(self, signature: Signature, arrays: list[jax.Array]) -> R:
        """The result for arrays some of which are to be differentiated by: the way back is a program too."""
        by = tuple(i for i, array in enumerate(arrays) if moving(array))

        def result(moved: list[jax.Array]) -> R:
            return self._run(signature, _with(arrays, by, moved))

        def forward(moved: list[jax.Array]) -> tuple[R, list[jax.Array]]:
            return result(moved), moved

        def backward(moved: list[jax.Array], by_result: R) -> tuple[list[jax.Array]]:
            arguments = jax.tree.unflatten(signature.structure, _with(arrays, by, moved))
            return (self._back(arguments, _inexact(by_result), static=signature.static, by=by),)

        reversible = jax.custom_vjp(result)
        reversible.defvjp(forward, backward)
        return reversible([arrays[i] for i in by])

    @cached_property
    def _back(self) -> "Program[..., list[jax.Array]]":
        """Derivatives by those of the arguments' arrays that are numbered in `by`, from derivatives by the
        inexact arrays of the result."""

        def back(
            arguments: Any,
            by_result: list[jax.Array],
            static: tuple[tuple[str, Any], ...],
            by: tuple[int, ...],
        ) -> list[jax.Array]:
            arrays, structure = jax.tree.flatten(arguments)

            def result(moved: list[jax.Array]) -> list[jax.Array]:
                moved_arguments = jax.tree.unflatten(structure, _with(arrays, by, moved))
                return _inexact(self._function(**moved_arguments, **dict(static)))

            return jax.vjp(result, [arrays[i] for i in by])[1](by_result)[0]

        back.__name__ = f"{self._function.__name__}_back"
        back.__qualname__ = f"{self._function.__qualname__}_back"
        back.__module__ = self._function.__module__
        return Program(back, ["static", "by"])

    def _made(self, signature: Signature, arrays: list[jax.Array]) -> Callable[..., R]:
        path = self._path(signature)
        if path is None:
            static, structure, _ = signature
            return lambda *arrays: self._jitted(**jax.tree.unflatten(structure, arrays), **dict(static))
        kept = _read(path)
        if kept is None:
            began = time.perf_counter()
            kept = self._exported(signature, arrays)
            if time.perf_counter() - began >= MIN_TRACE_SECONDS:
                _write(path, kept)
        program, result = kept

        def call(*arrays: jax.Array) -> list[jax.Array]:
            return program.call(*arrays)

        call.__name__ = self._function.__name__
        compiled = jax.jit(call)
        return lambda *arrays: jax.tree.unflatten(result, compiled(*arrays))

    def _exported(self, signature: Signature, arrays: list[jax.Array]) -> tuple[jax.export.Exported, Any]:
        """The traced program, from a list of arrays to a list of arrays, and the structure of its result."""
        structures = []

        def flat(*leaves: jax.Array) -> list[jax.Array]:
            arguments = jax.tree.unflatten(signature.structure, leaves)
            leaves_out, structure = jax.tree.flatten(self._function(**arguments, **dict(signature.static)))
            structures.append(structure)
            return leaves_out

        flat.__name__ = self._function.__name__
        program = jax.export.export(jax.jit(flat))(*arrays)
        return program, structures[-1]

    def _path(self, signature: Signature) -> Path | None:
        """Where the traced program is kept. The file's name tells all that the program depends on, through a
        hash; there is none if that includes classes whose source is not known, or if nothing is kept."""
        folder = _folder()
        if folder is None:
            return None
        static, structure, arrays = signature
        example = jax.tree.unflatten(structure, range(len(arrays)))
        told = (self._function.__module__, self._function.__qualname__, static, example, arrays)
        try:
            digest = _digest(told, self._function.__module__)
        except _ForeignError:
            return None
        return folder / f"{self._function.__name__.strip('_')}-{digest}"


class _ForeignError(Exception):
    """Something belongs to a package whose source the kept programs are not told apart by."""


def _digest(told: Any, module: str) -> str:
    """A hash of the pickled form; functions of `module` and their own classes are taken as known."""
    known = {*_KNOWN, module.partition(".")[0]}

    class Pickler(pickle.Pickler):
        def reducer_override(self, thing: Any) -> Any:
            package = str(getattr(thing, "__module__", type(thing).__module__)).partition(".")[0]
            if package not in known:
                raise _ForeignError(package)
            return NotImplemented

    stream = io.BytesIO()
    Pickler(stream).dump(told)
    return hashlib.sha256(stream.getvalue()).hexdigest()[:32]


def program(*static: str) -> Callable[[Callable[P, R]], Program[P, R]]:
    """Decorator: the `Program` of a function, with these static arguments."""
    return lambda function: Program(function, static)


@contextmanager
def reverse_mode() -> Iterator[None]:
    """Where `jax.vjp` takes the way back of each program as a program of its own, kept like others.

    Only what goes from one program to the next is then held in memory: on the way back each is computed once
    more. Nothing can be differentiated forwards (`jax.jvp`) in here.
    """
    before = reversing()
    _here.reversing = True
    try:
        yield
    finally:
        _here.reversing = before


def reversing() -> bool:
    """Whether this thread is in `reverse_mode`."""
    return getattr(_here, "reversing", False)


def traced(*arguments: Any) -> bool:
    """Whether programs called here with these arguments become part of what JAX traces: through an argument
    (but for `reverse_mode`), or through the function that makes this call."""
    return (moving(arguments) and not reversing()) or moving(jnp.zeros(()))


def moving(arguments: Any) -> bool:
    """Whether JAX traces any of the arguments."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(arguments))


def _with(arrays: list[jax.Array], by: tuple[int, ...], moved: list[jax.Array]) -> list[jax.Array]:
    """The arrays, those that are numbered in `by` replaced."""
    replaced = dict(zip(by, moved, strict=True))
    return [replaced.get(i, array) for i, array in enumerate(arrays)]


def _inexact(result: Any) -> list[jax.Array]:
    """The arrays of a result, or of derivatives by it, that are not of whole numbers or truth values."""
    return [leaf for leaf in jax.tree.leaves(result) if jnp.issubdtype(leaf.dtype, jnp.inexact)]


def _read(path: Path) -> tuple[jax.export.Exported, Any] | None:
    """What is kept at `path`, or nothing where that cannot be read, for whatever reason: it is made anew."""
    try:
        blob, result = pickle.loads(path.read_bytes())
        return jax.export.deserialize(blob), jax.tree.structure(result)
    except Exception:
        return None


def _write(path: Path, kept: tuple[jax.export.Exported, Any]) -> None:
    """Keeps a traced program; where that is not possible the next process traces again."""
    traced, result = kept
    content = pickle.dumps((bytes(traced.serialize()), jax.tree.unflatten(result, range(result.num_leaves))))
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            _remove_old(path.parent)
        with replacing(path) as part:
            part.write_bytes(content)
    except OSError:
        return


def _folder() -> Path | None:
    """Where the programs of this version of the source lie; nowhere if JAX keeps no compiled code either."""
    beside = jax.config.values["jax_compilation_cache_dir"]
    if not beside or not jax.config.values["jax_enable_compilation_cache"]:
        return None
    return Path(beside) / "traced" / _fingerprint()


@cache
def _fingerprint() -> str:
    """Of everything but the arguments that decides what is traced."""
    told = hashlib.sha256()
    for name in _VERSIONS:
        told.update(f"{name} {importlib.metadata.version(name)};".encode())
    told.update(f"{sys.version} {jax.default_backend()}".encode())
    source = Path(__file__).parents[1]
    for path in sorted(source.rglob("*.py")):
        told.update(str(path.relative_to(source)).encode() + path.read_bytes())
    return told.hexdigest()[:16]


def _remove_old(folder: Path) -> None:
    for other in folder.parent.iterdir():
        if other != folder and time.time() - other.stat().st_mtime > DAYS * 86400:
            shutil.rmtree(other, ignore_errors=True)
