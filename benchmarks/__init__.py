"""Times and errors of the main tasks, measured on the machine at hand: `python -m benchmarks`."""
