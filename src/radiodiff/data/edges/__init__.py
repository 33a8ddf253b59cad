"""Edge maps: made from radio maps, and read back."""

from radiodiff.data.edges.analyze import EdgeAnalysis, analyze_edges
from radiodiff.data.edges.dataset import EdgeDataSet
from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.edges.detect import EDGE_METHODS, DetectOptions, EdgeMethod, detect_edges
from radiodiff.data.edges.generate import EdgeReport, EdgeSettings, generate_edges
from radiodiff.data.edges.images import check_failures

__all__ = [
    "EDGE_METHODS",
    "DetectOptions",
    "EdgeAnalysis",
    "EdgeDataSet",
    "EdgeDataSetConfig",
    "EdgeMethod",
    "EdgeReport",
    "EdgeSettings",
    "analyze_edges",
    "check_failures",
    "detect_edges",
    "generate_edges",
]
