"""The networks of a recipe: how large they are, and whether the weights that they begin with fit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.map_shape import num_condition_channels
from radiodiff.recipes.schema import AutoencoderRecipe

__all__ = ["NetworkSizes", "check_networks", "network_sizes"]

GIB = 2**30
FLOAT32 = 4


@dataclass(frozen=True)
class NetworkSizes:
    """Sizes of the networks of a recipe.

    Attributes:
        autoencoder: Parameters of the autoencoder.
        discriminator: Parameters of the discriminator, 0 without one.
        has_average: Whether there is a moving average of the autoencoder.
    """

    autoencoder: int
    discriminator: int
    has_average: bool

    @property
    def training_bytes(self) -> int:
        """Memory of weights, gradients, the two moments of the optimizers, and the moving average [bytes]."""
        return FLOAT32 * (4 * (self.autoencoder + self.discriminator) + self.has_average * self.autoencoder)

    @property
    def checkpoint_bytes(self) -> int:
        """Size of a checkpoint: weights, moments and moving average [bytes]."""
        return FLOAT32 * (3 * (self.autoencoder + self.discriminator) + self.has_average * self.autoencoder)


def network_sizes(recipe: AutoencoderRecipe) -> NetworkSizes:
    """Sizes of the networks; no weight of them is stored or drawn."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from radiodiff.models.autoencoder import diffusers_settings
    from radiodiff.models.discriminator import PatchDiscriminator

    adversarial = recipe.loss.adversarial
    with torch.device("meta"):
        networks: list[torch.nn.Module] = [AutoencoderKL(**diffusers_settings(recipe.autoencoder))]
        if adversarial is not None:
            shown = num_condition_channels(recipe.data) if adversarial.conditional else 0
            networks.append(PatchDiscriminator(recipe.autoencoder.out_channels + shown, recipe.discriminator))
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in networks]
    return NetworkSizes(counts[0], counts[1] if len(counts) > 1 else 0, recipe.trainer.ema is not None)


def check_networks(recipe: AutoencoderRecipe, sizes: NetworkSizes) -> Iterator[CheckRow]:
    """Look at sizes, memory, weights to begin with, and files of the perceptual loss.

    Args:
        recipe: The recipe.
        sizes: Sizes of its networks.
    """
    beside = f", {sizes.discriminator:,} of the discriminator" if sizes.discriminator else ""
    yield CheckRow("networks", "ok", f"{sizes.autoencoder:,} parameters of the autoencoder{beside}")
    where, there = _memory(recipe)
    needed = f"{sizes.training_bytes / GIB:.2f} GiB for weights, gradients, optimizers and average"
    fits = sizes.training_bytes < there
    yield CheckRow(
        "memory",
        "ok" if fits else "error",
        f"{needed}, {there / GIB:.1f} GiB on the {where}; what a pass keeps comes on top",
        "" if fits else "Use a smaller network or a larger machine.",
    )
    if recipe.trainer.warm_start.init_from is not None:
        yield _warm_start(recipe)
    perceptual = recipe.loss.perceptual
    if perceptual is not None and perceptual.kind == "lpips":
        yield _lpips(recipe)


def _memory(recipe: AutoencoderRecipe) -> tuple[str, int]:
    """What computes, and its memory [bytes]."""
    import torch

    if not recipe.trainer.cpu and torch.cuda.is_available():
        return "GPU", int(torch.cuda.get_device_properties(0).total_memory)
    return "CPU", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _warm_start(recipe: AutoencoderRecipe) -> CheckRow:
    from radiodiff.models.autoencoder import build_autoencoder
    from radiodiff.models.parameters import freeze
    from radiodiff.models.warm_start import load_weights

    start = recipe.trainer.warm_start
    assert start.init_from is not None
    try:
        network = build_autoencoder(recipe.autoencoder)
        report = load_weights(network, start.init_from, allow_missing=start.allow_missing)
        frozen = freeze(network, start.freeze)
    except RadiodiffError as error:
        return error_row("warm start", error)
    finding = f"{report} from {start.init_from}{f', {len(frozen)} parameters frozen' if frozen else ''}"
    if report.is_complete:
        return CheckRow("warm start", "ok", finding)
    return CheckRow("warm start", "warning", finding, "What is missing begins with fresh weights.")


def _lpips(recipe: AutoencoderRecipe) -> CheckRow:
    from radiodiff.losses.autoencoder_loss import AutoencoderLoss

    try:
        AutoencoderLoss(recipe.loss, recipe.autoencoder.out_channels)
    except RadiodiffError as error:
        return error_row("perceptual loss", error)
    return CheckRow("perceptual loss", "ok", "LPIPS, both files can be read")
