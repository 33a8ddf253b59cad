"""From a recipe to a trained model."""

from radiodiff.recipes.train.prepare import PreparedRun, prepare_run

__all__ = ["PreparedRun", "prepare_run"]
