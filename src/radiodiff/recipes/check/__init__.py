"""Whether a recipe can be run here: its settings, its data, this machine, and the folders it names."""

from radiodiff.recipes.check.rows import CheckRow, Status
from radiodiff.recipes.check.run import check_recipe

__all__ = ["CheckRow", "Status", "check_recipe"]
