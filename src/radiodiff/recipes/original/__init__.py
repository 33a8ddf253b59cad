"""Settings files of RadioDiff's original program, read as recipes."""

from radiodiff.recipes.original.result import Finding, OriginalImport, OriginalStage
from radiodiff.recipes.original.settings_file import import_original

__all__ = ["Finding", "OriginalImport", "OriginalStage", "import_original"]
