"""Figures with matplotlib: scenes, path loss, comparisons, patterns. pyplot and its global state are never used."""

from radiodiff.viz.comparison import draw_comparison
from radiodiff.viz.figure_file import FIGURE_SUFFIXES, check_figure_path, save_figure
from radiodiff.viz.path_loss import draw_path_loss
from radiodiff.viz.polar_pattern import draw_polar_pattern
from radiodiff.viz.reconstructions import ReconstructionRow, draw_reconstructions, reconstruction_figure
from radiodiff.viz.roof_heights import ScenePanel, roof_height_figure
from radiodiff.viz.scene_layers import draw_scene

__all__ = [
    "FIGURE_SUFFIXES",
    "ReconstructionRow",
    "ScenePanel",
    "check_figure_path",
    "draw_comparison",
    "draw_path_loss",
    "draw_polar_pattern",
    "draw_reconstructions",
    "draw_scene",
    "reconstruction_figure",
    "roof_height_figure",
    "save_figure",
]
