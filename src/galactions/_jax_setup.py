"""JAX as galactions needs it: double precision, and compiled code kept between runs.

The cache of compiled code lies in the user's cache folder: `$GALACTIONS_CACHE`, else
`$XDG_CACHE_HOME/galactions`, else the platform's usual place. `GALACTIONS_CACHE=off` switches it off, and a
cache folder already given to JAX (by `JAX_COMPILATION_CACHE_DIR` or by `jax.config`) is left as it is.
"""

import os
import sys
from pathlib import Path

MIN_COMPILE_SECONDS = 0.2
"""Programs that compile faster than this (s) are not worth a file in the cache."""


def cache_folder() -> Path | None:
    """The folder of galactions' cached files; `None` where the user has switched the cache off.

    Nothing is created. `GALACTIONS_CACHE` set to `off`, `0` or nothing at all means: no cache.
    """
    chosen = os.environ.get("GALACTIONS_CACHE")
    if chosen is not None:
        return None if chosen.strip().lower() in {"", "0", "off"} else Path(chosen).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).expanduser() / "galactions"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "galactions" / "cache"
    home = Path("~").expanduser()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "galactions"


def configure() -> None:
    """Switches on 64-bit floats and, where the folder can be written, the persistent compilation cache."""
    import jax

    jax.config.update("jax_enable_x64", True)
    folder = cache_folder()
    if folder is None or getattr(jax.config, "jax_compilation_cache_dir", None):
        return
    try:
        (folder / "jax").mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a read-only home (a container, a batch node) costs compile time, not the run
    jax.config.update("jax_compilation_cache_dir", str(folder / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", MIN_COMPILE_SECONDS)
