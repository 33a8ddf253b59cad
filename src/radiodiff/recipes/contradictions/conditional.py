"""Settings of networks from a condition to a map that cannot both hold: the second stage, and the baseline."""

from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING

from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import DataConfig, check_repeated_targets
from radiodiff.errors import ConfigError
from radiodiff.recipes.contradictions.prior import check_prior
from radiodiff.recipes.map_shape import is_view

if TYPE_CHECKING:
    from radiodiff.recipes.schema import BaselineRecipe, DiffusionRecipe

__all__ = ["check_baseline", "check_diffusion"]


def check_diffusion(recipe: "DiffusionRecipe") -> None:
    """Refuse a recipe of a second stage whose settings contradict each other.

    Raises:
        ConfigError: Two settings contradict each other; the error names both keys.
    """
    _condition(recipe.data)
    check_prior(recipe)
    _backbone(recipe)
    if recipe.latents.cache is not None:
        check_repeated_targets(recipe.data)


def check_baseline(recipe: "BaselineRecipe") -> None:
    """Refuse a recipe of a baseline whose settings contradict each other.

    Raises:
        ConfigError: Two settings contradict each other; the error names both keys.
    """
    _condition(recipe.data)
    check_prior(recipe)
    if recipe.prior is not None and recipe.prior.model is not None:
        raise ConfigError(
            "prior.model belongs to diffusion models and their autoencoders",
            value=f"{recipe.prior.model} for a regression",
            remedy="Set prior.channel, or begin from its weights (trainer.warm_start.init_from).",
        )


def _condition(data: DataConfig) -> None:
    if isinstance(data, IcasspConfig) and is_view(data):
        raise ConfigError(
            "data.view must be 'multi-condition' to learn the map from a condition",
            value=f"data.view={data.view!r}, whose condition is its target",
            remedy="Set data.view=multi-condition; the other views are for autoencoders.",
        )
    if not (isinstance(data, RadioMapSeerConfig) and isinstance(data.k2, Path)):
        return
    targets = [normpath(data.root / "gain" / folder) for folder in data.gain_folders]
    if normpath(data.k2) in targets:
        raise ConfigError(
            "data.k2 must come from a prediction: the curvature of the target gives it away",
            value=f"data.k2={data.k2}, the folder of the targets",
            remedy="Set data.k2=log-distance, or give a folder of predictions.",
        )


def _backbone(recipe: "DiffusionRecipe") -> None:
    backbone, start = recipe.unet.backbone, recipe.trainer.warm_start
    if backbone.is_frozen and backbone.weights is None and start.init_from is None:
        raise ConfigError(
            "unet.backbone.is_frozen needs weights, unet.backbone.weights or trainer.warm_start.init_from",
            value="a frozen backbone with random weights",
            remedy="Give the weights, or let it learn.",
        )
