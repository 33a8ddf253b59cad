"""Data sets: made here, or read from disk."""

from radiodiff.data.create import CreateSettings, create_data_set

__all__ = ["CreateSettings", "create_data_set"]
