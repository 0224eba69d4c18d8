"""Which machine a figure belongs to, and which state of the package."""

import os
import platform
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def machine() -> str:
    """The processor, its cores, and the memory: the same words for the same kind of machine."""
    return f"{_processor()}, {os.cpu_count()} cores, {_memory()}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return "memory unknown"
    return f"{total / 2**30:.0f} GiB"


def load() -> float | None:
    """Processes that ran on average over the last minute; None where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def commit(folder: Path = CHECKOUT) -> str:
    """Short name of the checkout's commit, with a "+" where its package differs from it; "unknown" where git,
    or the repository, is not there."""
    try:
        name = _git(folder, "rev-parse", "--short", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", "src", "benchmarks", ":!benchmarks/results")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return name + "+" * bool(changed)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=20
    )
    return done.stdout.strip()


def device_name(device: str) -> str:
    """What JAX calls the device that "cpu" or "gpu" stands for.

    Raises SystemExit, with a sentence that tells why, where there is none.
    """
    if device == "cpu":
        return "cpu"
    asked = "import jax; print(jax.devices('cuda')[0].device_kind)"
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env=environment)
    if found.returncode or not found.stdout.strip():
        said = (found.stderr.strip() or "no reason given").splitlines()[-1]
        raise SystemExit(
            "No CUDA device: JAX finds none on this machine, so nothing was measured. It needs an NVIDIA GPU "
            f"with its driver, and `pip install 'jax[cuda12]'`. JAX says: {said}"
        )
    return found.stdout.strip().splitlines()[-1]
