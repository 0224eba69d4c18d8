"""Traced programs that are kept: what they give, what they are told apart by, and what comes of bad files."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.numerics import program as programs
from galactions.numerics.program import Program, reverse_mode
from galactions.numerics.together import together

traced: list[Any] = []


class Pair(NamedTuple):
    first: Any
    second: Any


def power(pair: Pair, exponent: int, shift: Any = 0.0) -> dict[str, Any]:
    traced.append(exponent)
    return {"sum": pair.first**exponent + pair.second, "shifted": Pair(pair.first + shift, pair.second)}


def slow_to_trace(x: Any) -> Any:
    traced.append(x.shape)
    time.sleep(0.2)
    return 2 * x


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    monkeypatch.setattr(programs, "MIN_TRACE_SECONDS", 0.0)
    traced.clear()
    yield tmp_path / "traced"
    jax.config.update("jax_compilation_cache_dir", before)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_later_process_does_not_trace(folder):
    x = jnp.arange(3.0)
    first = Program(power, ["exponent"])(Pair(x, 2.0), 3, shift=1)
    assert traced == [3]
    again = Program(power, ["exponent"])(Pair(x, 2.0), exponent=3, shift=1)
    assert traced == [3]
    assert len(files(folder)) == 1
    assert jax.tree.structure(first) == jax.tree.structure(again)
    np.testing.assert_array_equal(first["sum"], x**3 + 2)
    jax.tree.map(np.testing.assert_array_equal, first, again)


def test_two_threads_that_want_one_program_trace_it_once(folder):
    program = Program(slow_to_trace)
    found = together(program, [(jnp.arange(3.0),), (jnp.arange(3.0, 6.0),)])
    assert traced == [(3,)]
    np.testing.assert_array_equal(np.concatenate(found), 2 * np.arange(6.0))


def test_static_arguments_shapes_and_types_are_told_apart(folder):
    program = Program(power, ["exponent"])
    for exponent, n, kind in ((2, 3, float), (3, 3, float), (2, 4, float), (2, 3, int)):
        x = np.arange(n).astype(kind)
        found = program(Pair(x, x), exponent)["sum"]
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, x**exponent + x)
    assert len(files(folder)) == 4


def test_what_is_traced_fast_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(programs, "MIN_TRACE_SECONDS", 60.0)
    np.testing.assert_array_equal(Program(power, ["exponent"])(Pair(2.0, 1.0), 3)["sum"], 9.0)
    assert not files(folder)


def test_within_other_functions_it_is_a_function_of_jax():
    program = Program(power, ["exponent"])

    def sum_of(x: Any) -> Any:
        return program(Pair(x, 1.0), 3)["sum"]

    assert jax.grad(sum_of)(2.0) == 12.0
    np.testing.assert_array_equal(jax.vmap(jax.grad(sum_of))(jnp.arange(3.0)), [0.0, 3.0, 12.0])
    # Not even the arguments are traced here, but what is made of them is.
    assert jax.jit(lambda x: x * program(Pair(2.0, 1.0), 3)["sum"])(2.0) == 18.0


def cubes(program: Program[..., Any], x: Any, y: Any) -> Any:
    found = program(Pair(jnp.sin(x), y), 3, shift=jnp.arange(3))
    return jnp.sum(found["sum"] * found["shifted"].second)


def slopes_in_reverse_mode(program: Program[..., Any], *at: Any) -> Any:
    with reverse_mode():
        result, back = jax.vjp(partial(cubes, program), *at)
    return back(jnp.ones_like(result))


def test_in_reverse_mode_the_way_back_is_a_program_too(folder):
    at = jnp.arange(3.0), jnp.asarray(2.0)
    expected = jax.grad(partial(cubes, Program(power, ["exponent"])), (0, 1))(*at)
    for times in (1, 2):
        found = slopes_in_reverse_mode(Program(power, ["exponent"]), *at)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-14), found, expected)
        if times == 1:
            assert [path.name.rpartition("-")[0] for path in files(folder)] == ["power", "power_back"]
            traced.clear()
    assert not traced  # a later process traces neither


def test_in_reverse_mode_functions_of_jax_are_what_they_were():
    program = Program(power, ["exponent"])
    with reverse_mode():
        assert program(Pair(2.0, 1.0), 3)["sum"] == 9.0
        assert jax.jit(jax.grad(lambda x: program(Pair(x, 1.0), 3)["sum"]))(2.0) == 12.0
    assert jax.jvp(lambda x: program(Pair(x, 1.0), 3)["sum"], (2.0,), (1.0,)) == (9.0, 12.0)


@pytest.mark.parametrize("content", [b"", b"not a program"])
def test_a_file_that_cannot_be_read_is_written_anew(folder, content):
    Program(power, ["exponent"])(Pair(2.0, 1.0), 3)
    (path,) = files(folder)
    path.write_bytes(content)
    for _ in range(2):
        assert Program(power, ["exponent"])(Pair(2.0, 1.0), 3)["sum"] == 9.0
    assert traced == [3, 3]


def test_without_a_cache_of_compiled_code_none_is_made(folder):
    jax.config.update("jax_compilation_cache_dir", None)
    assert Program(power, ["exponent"])(Pair(2.0, 1.0), 3)["sum"] == 9.0
    assert not folder.exists()


def test_what_is_made_of_classes_from_elsewhere_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(Pair, "__module__", "somebodys_notebook")
    assert Program(power, ["exponent"])(Pair(2.0, 1.0), 3)["sum"] == 9.0
    assert not files(folder)


def test_programs_of_an_old_version_are_removed(folder):
    old, recent = folder / "old", folder / "recent"
    for other in (old, recent):
        other.mkdir(parents=True)
    os.utime(old, (0, 0))
    Program(power, ["exponent"])(Pair(2.0, 1.0), 3)
    assert recent.exists()
    assert not old.exists()


OF_A_MODEL = """
import galactions as ga
from galactions.galaxy import iteration
from galactions.numerics import program
program.MIN_TRACE_SECONDS = 0.0
spec = ga.named_model("Mc17a")
iteration._analytic_densities(spec.components, iteration._arrays(spec.parameters))
"""


def test_a_models_program_has_the_same_name_in_all_processes(tmp_path):
    names = []
    for hash_seed in "12":
        given = {"GALACTIONS_CACHE": str(tmp_path / "cache"), "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", OF_A_MODEL], env={**os.environ, **given}, check=True)
        names.append([path.name for path in files(tmp_path / "cache" / "jax" / "traced")])
    assert len(names[0]) == 1
    assert names[0] == names[1]
