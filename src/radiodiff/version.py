"""The version of the package: what files say they were written by."""

__all__ = ["__version__"]

__version__ = "0.1.0"
