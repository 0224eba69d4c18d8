"""The report of a fit: figures, tables, and one self-contained HTML page.

`galactions.report` is this sub-package, and can be called: `galactions.report("runs/my_fit")` is
`write_report`.
"""

import sys
from pathlib import Path
from types import ModuleType

from galactions.report.page import write_report

__all__ = ["write_report"]


class _CallableModule(ModuleType):
    """The public name `galactions.report` is a function, and importing this package puts the package in its
    place.
    """

    def __call__(self, folder: str | Path) -> Path:
        return write_report(folder)


_CallableModule.__call__.__doc__ = write_report.__doc__
sys.modules[__name__].__class__ = _CallableModule
