"""How large the networks of a recipe are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radiodiff.models.config import AutoencoderConfig
from radiodiff.recipes.map_shape import num_condition_channels
from radiodiff.recipes.schema import AutoencoderRecipe, DiffusionRecipe, Recipe

if TYPE_CHECKING:
    from torch import nn

    from radiodiff.recipes.first_stage import FirstStage

__all__ = ["NetworkSizes", "network_sizes"]

FLOAT32 = 4


@dataclass(frozen=True)
class NetworkSizes:
    """Sizes of the networks of a recipe.

    Attributes:
        learned: Parameters that learn, by name of the network.
        frozen: Parameters of the same networks that do not.
        averaged: Parameters that a moving average is kept of, 0 without one.
        beside: Parameters of the first stage, which no checkpoint holds.
    """

    learned: Mapping[str, int]
    frozen: int = 0
    averaged: int = 0
    beside: int = 0

    @property
    def training_bytes(self) -> int:
        """Memory of weights, gradients, the two moments of the optimizers, and the moving average [bytes]."""
        return FLOAT32 * (4 * sum(self.learned.values()) + self.frozen + self.averaged + self.beside)

    @property
    def checkpoint_bytes(self) -> int:
        """Size of a checkpoint: weights, moments and moving average [bytes]."""
        return FLOAT32 * (3 * sum(self.learned.values()) + self.frozen + self.averaged)


def network_sizes(recipe: Recipe, first_stage: "FirstStage | None" = None) -> NetworkSizes:
    """Sizes of the networks; no weight of them is stored or drawn.

    Args:
        recipe: The recipe.
        first_stage: The first stage of a second one; None stands for the published one.
    """
    import torch

    with torch.device("meta"):
        networks = _networks(recipe, first_stage)
    counts = {name: (_count(network, of_learned=True), _count(network)) for name, network in networks.items()}
    (_, averaged), *_ = counts.values()
    return NetworkSizes(
        learned={name: learned for name, (learned, _) in counts.items()},
        frozen=sum(total - learned for learned, total in counts.values()),
        averaged=0 if recipe.trainer.ema is None else averaged,
        beside=0 if first_stage is None else _count(first_stage.network),
    )


def _networks(recipe: Recipe, first_stage: "FirstStage | None") -> "dict[str, nn.Module]":
    """The networks by name, the averaged one first."""
    num_inputs = num_condition_channels(recipe.data)
    if isinstance(recipe, AutoencoderRecipe):
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

        from radiodiff.models.autoencoder import diffusers_settings
        from radiodiff.models.discriminator import PatchDiscriminator

        networks: dict[str, nn.Module] = {"autoencoder": AutoencoderKL(**diffusers_settings(recipe.autoencoder))}
        adversarial = recipe.loss.adversarial
        if adversarial is not None:
            shown = recipe.autoencoder.out_channels + (num_inputs if adversarial.conditional else 0)
            networks["discriminator"] = PatchDiscriminator(shown, recipe.discriminator)
        return networks
    if isinstance(recipe, DiffusionRecipe):
        from radiodiff.models.unet import ConditionalUnet

        latents = AutoencoderConfig() if first_stage is None else first_stage.config
        unet = ConditionalUnet(
            num_inputs,
            latents.latent_channels,
            latents.factor,
            recipe.unet.model_dump(mode="json"),
            recipe.diffusion.model_dump(mode="json"),
            "group" if recipe.unet.backbone.weights is None else "frozen",
        )
        return {"U-Net": unet}
    from radiodiff.models.radio_unet import RadioUnet

    return {"regression network": RadioUnet(num_inputs, 1, recipe.network.model_dump(mode="json"))}


def _count(network: "nn.Module", *, of_learned: bool = False) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad or not of_learned)
