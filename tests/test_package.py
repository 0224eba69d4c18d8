"""What importing the package does, and what it does not do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import galactions as ga


def _python(code: str, **environment: str) -> str:
    """Runs code in a fresh interpreter; gives what it prints."""
    settings = {
        key: value for key, value in os.environ.items() if not key.startswith(("GALACTIONS", "XDG", "JAX"))
    }
    source = str(Path(ga.__file__).parents[1])
    settings |= {"PYTHONPATH": source, **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_import_leaves_heavy_packages_alone(tmp_path):
    heavy = ("matplotlib", "scipy.optimize", "astropy", "pydantic", "jinja2", "typer")
    code = f"import sys, galactions; print([n for n in {heavy} if n in sys.modules])"
    assert _python(code, GALACTIONS_CACHE=str(tmp_path)) == "[]"


def test_floats_have_64_bits(tmp_path):
    code = "import galactions, jax.numpy as jnp; print(jnp.ones(1).dtype)"
    assert _python(code, GALACTIONS_CACHE=str(tmp_path)) == "float64"


PRINT_CACHE = "import galactions, jax; print(jax.config.jax_compilation_cache_dir)"


def test_compiled_code_is_kept_in_the_users_cache_folder(tmp_path):
    assert _python(PRINT_CACHE, GALACTIONS_CACHE=str(tmp_path / "a")) == str(tmp_path / "a/jax")
    assert _python(PRINT_CACHE, XDG_CACHE_HOME=str(tmp_path / "b")) == str(tmp_path / "b/galactions/jax")
    assert (tmp_path / "b/galactions/jax").is_dir()


@pytest.mark.parametrize("off", ["off", "0", ""])
def test_cache_can_be_switched_off(off):
    assert _python(PRINT_CACHE, GALACTIONS_CACHE=off) == "None"


def test_cache_given_to_jax_is_respected(tmp_path):
    assert _python(PRINT_CACHE, JAX_COMPILATION_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def test_cache_that_cannot_be_made_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("")
    assert _python(PRINT_CACHE, GALACTIONS_CACHE=str(tmp_path / "file")) == "None"


def test_report_can_be_called_before_and_after_its_package_is_imported(tmp_path):
    code = "import galactions as ga; print(callable(ga.report))\n"
    code += "import galactions.report.page; print(callable(ga.report))"
    assert _python(code, GALACTIONS_CACHE=str(tmp_path)) == "True\nTrue"


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ga.nonsense
