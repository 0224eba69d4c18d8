"""Errors of the package. Each text says what was found and what is allowed."""


class GalactionsError(Exception):
    """Base class of all errors raised on purpose by galactions."""


class ConfigError(GalactionsError, ValueError):
    """A configuration file or option is not usable."""


class CatalogueError(GalactionsError, ValueError):
    """A star catalogue cannot be read, or holds values that cannot be right."""


class ModelError(GalactionsError, ValueError):
    """A model cannot be built from the given parameters."""


class ModelWarning(UserWarning):
    """A model is not quite what its parameters say."""
