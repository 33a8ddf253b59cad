"""What a data set on disk is, and whether it is sound."""

from radiodiff.data.inspect.findings import KINDS, Finding, ValidationReport
from radiodiff.data.inspect.layout import LAYOUTS, Layout, recognise
from radiodiff.data.inspect.validate import validate_data_set

__all__ = ["KINDS", "LAYOUTS", "Finding", "Layout", "ValidationReport", "recognise", "validate_data_set"]
