"""The parts of the benchmark, in the order in which they run."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Part:
    """A module `benchmarks.MODULE` whose function `figures(folder, repeats)` is run in a process of its own.

    cold: it is run twice, first with nothing compiled of what only it uses. needs: the package without which
    it is left out.
    """

    module: str
    cold: bool = False
    needs: str = ""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.module.rpartition(".")[2]

    @property
    def lacking(self) -> bool:
        """Whether the package that it needs is not installed."""
        return bool(self.needs) and find_spec(self.needs) is None


PLAN = (
    Part("parts.importing"),
    Part("parts.chi2", cold=True),
    Part("parts.galaxy"),
    Part("parts.actions", cold=True),
    Part("parts.galpy_actions", needs="galpy"),
    Part("parts.agama_actions", needs="agama"),
    Part("parts.disc_density", cold=True),
    Part("parts.galpy_disc", needs="galpy"),
    Part("parts.agama_disc", needs="agama"),
    Part("sampling", cold=True),
    Part("parts.agama_sampling", needs="agama"),
    Part("survey"),
    Part("parts.growth_of_stars"),
    Part("parts.growth_of_regions"),
    Part("parts.growth_of_nodes"),
    Part("parts.growth_of_parameters"),
)
