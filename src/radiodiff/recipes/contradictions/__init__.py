"""Settings of a recipe that cannot both hold. Nothing on the disk is looked at."""

from radiodiff.recipes.contradictions.check import check_contradictions

__all__ = ["check_contradictions"]
