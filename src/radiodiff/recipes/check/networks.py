"""The networks of a recipe: whether they have room, and whether the weights that they begin with fit."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from radiodiff.errors import RadiodiffError
from radiodiff.models.config import AutoencoderConfig
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.check.sizes import NetworkSizes
from radiodiff.recipes.map_shape import num_condition_channels
from radiodiff.recipes.schema import AutoencoderRecipe, DiffusionRecipe, Recipe

if TYPE_CHECKING:
    from torch import nn

    from radiodiff.recipes.first_stage import FirstStage

__all__ = ["check_networks"]

GIB = 2**30


def check_networks(recipe: Recipe, sizes: NetworkSizes, first_stage: "FirstStage | None" = None) -> Iterator[CheckRow]:
    """Look at sizes, memory, weights to begin with, and files of the perceptual loss.

    Args:
        recipe: The recipe.
        sizes: Sizes of its networks.
        first_stage: The first stage of a second one; None stands for the published one.
    """
    (first, count), *others = sizes.learned.items()
    words = ", ".join([f"{count:,} parameters of the {first}", *(f"{n:,} of the {name}" for name, n in others)])
    words += f"; {sizes.frozen:,} are frozen" if sizes.frozen else ""
    words += f"; {sizes.beside:,} of the first stage, which stays as it is" if sizes.beside else ""
    yield CheckRow("networks", "ok", words)
    where, there = _memory(recipe)
    needed = f"{sizes.training_bytes / GIB:.2f} GiB for weights, gradients, optimizers and average"
    fits = sizes.training_bytes < there
    yield CheckRow(
        "memory",
        "ok" if fits else "error",
        f"{needed}, {there / GIB:.1f} GiB on the {where}; what a pass keeps comes on top",
        "" if fits else "Use a smaller network or a larger machine.",
    )
    begins_with_file = isinstance(recipe, DiffusionRecipe) and recipe.unet.backbone.weights is not None
    if recipe.trainer.warm_start.init_from is not None or begins_with_file:
        yield from _first_weights(recipe, first_stage)
    if isinstance(recipe, AutoencoderRecipe):
        perceptual = recipe.loss.perceptual
        if perceptual is not None and perceptual.kind == "lpips":
            yield _lpips(recipe)


def _memory(recipe: Recipe) -> tuple[str, int]:
    """What computes, and its memory [bytes]."""
    import torch

    if not recipe.trainer.cpu and torch.cuda.is_available():
        return "GPU", int(torch.cuda.get_device_properties(0).total_memory)
    return "CPU", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _first_weights(recipe: Recipe, first_stage: "FirstStage | None") -> Iterator[CheckRow]:
    """Look at the file of a pretrained condition encoder, then at the weights that a run begins with."""
    from radiodiff.models.parameters import freeze
    from radiodiff.models.warm_start import load_weights

    start = recipe.trainer.warm_start
    try:
        name, network = _network(recipe, first_stage)
    except RadiodiffError as error:
        # Networks without a file are built by what the recipe was checked for.
        yield error_row("condition encoder", error, type(recipe))
        return
    if isinstance(recipe, DiffusionRecipe) and recipe.unet.backbone.weights is not None:
        yield CheckRow("condition encoder", "ok", f"weights of {recipe.unet.backbone.weights}")
    if start.init_from is None:
        return
    try:
        report = load_weights(network, start.init_from, allow_missing=start.allow_missing, network=name)
        frozen = freeze(network, start.freeze)
    except RadiodiffError as error:
        yield error_row("warm start", error, type(recipe))
        return
    finding = f"{report} from {start.init_from}{f', {len(frozen)} parameters frozen' if frozen else ''}"
    if report.is_complete:
        yield CheckRow("warm start", "ok", finding)
    else:
        yield CheckRow("warm start", "warning", finding, "What is missing begins with fresh weights.")


def _network(recipe: Recipe, first_stage: "FirstStage | None") -> "tuple[str, nn.Module]":
    """The network that weights may be loaded into, and its name in runs and checkpoints."""
    num_inputs = num_condition_channels(recipe.data)
    if isinstance(recipe, AutoencoderRecipe):
        from radiodiff.models.autoencoder import build_autoencoder

        return "autoencoder", build_autoencoder(recipe.autoencoder)
    if isinstance(recipe, DiffusionRecipe):
        from radiodiff.models.unet import build_unet

        latents = AutoencoderConfig() if first_stage is None else first_stage.config
        return "unet", build_unet(
            recipe.unet,
            condition_channels=num_inputs,
            latent_channels=latents.latent_channels,
            latent_factor=latents.factor,
            diffusion=recipe.diffusion,
        )
    from radiodiff.models.radio_unet import build_radio_unet

    return "network", build_radio_unet(recipe.network, in_channels=num_inputs)


def _lpips(recipe: AutoencoderRecipe) -> CheckRow:
    from radiodiff.losses.autoencoder_loss import AutoencoderLoss

    try:
        AutoencoderLoss(recipe.loss, recipe.autoencoder.out_channels)
    except RadiodiffError as error:
        return error_row("perceptual loss", error, AutoencoderRecipe)
    return CheckRow("perceptual loss", "ok", "LPIPS, both files can be read")
