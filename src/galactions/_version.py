"""The version, in one place: read by the build, the reports and every saved file."""

__version__ = "0.1.0"
