"""Measurements behind the figures in the README. Run from the root of the repository: python -m benchmarks.NAME."""
