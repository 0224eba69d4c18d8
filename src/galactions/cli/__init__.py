"""The command line `galactions`: a thin layer over the public API."""

from galactions.cli.app import app, main

__all__ = ["app", "main"]
