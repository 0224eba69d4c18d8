"""The parts of the benchmark: what is measured, each in a process of its own."""
