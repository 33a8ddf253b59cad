"""All contradictions of a recipe, by its stage."""

from typing import TYPE_CHECKING

from radiodiff.recipes.contradictions.autoencoder import check_autoencoder
from radiodiff.recipes.contradictions.conditional import check_baseline, check_diffusion
from radiodiff.recipes.contradictions.trainer import check_trainer

if TYPE_CHECKING:
    from radiodiff.recipes.schema import Recipe

__all__ = ["check_contradictions"]


def check_contradictions(recipe: "Recipe") -> None:
    """Refuse a recipe whose settings contradict each other.

    Raises:
        ConfigError: Two settings contradict each other; the error names both keys.
    """
    if recipe.stage == "autoencoder":
        check_autoencoder(recipe)
    elif recipe.stage == "diffusion":
        check_diffusion(recipe)
    else:
        check_baseline(recipe)
    check_trainer(recipe.trainer)
