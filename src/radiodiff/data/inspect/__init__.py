"""What a data set on disk is, whether it is sound, and what its items look like."""

from radiodiff.data.inspect.describe import describe_data_set
from radiodiff.data.inspect.description import Description
from radiodiff.data.inspect.figure import draw_item
from radiodiff.data.inspect.figure_parts import ItemFigure
from radiodiff.data.inspect.findings import KINDS, Finding, ValidationReport
from radiodiff.data.inspect.layout import LAYOUTS, Layout, recognise
from radiodiff.data.inspect.validate import validate_data_set

__all__ = [
    "KINDS",
    "LAYOUTS",
    "Description",
    "Finding",
    "ItemFigure",
    "Layout",
    "ValidationReport",
    "describe_data_set",
    "draw_item",
    "recognise",
    "validate_data_set",
]
