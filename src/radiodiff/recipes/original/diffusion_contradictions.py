"""Keys of the original's diffusion models that say something else than another key, or than what is done here."""

from collections.abc import Iterator, Mapping
from typing import Any

from radiodiff.recipes.map_shape import num_condition_channels
from radiodiff.recipes.original.result import Finding
from radiodiff.recipes.schema import DiffusionRecipe

__all__ = ["diffusion_contradictions"]


def diffusion_contradictions(leaves: Mapping[str, Any], recipe: DiffusionRecipe) -> Iterator[Finding]:
    """What a diffusion model of the original says otherwise.

    Args:
        leaves: Values by dotted key.
        recipe: The recipe made of them.
    """
    for key, other, text in (
        ("model.unet.channels", "model.first_stage.embed_dim", "the latents have embed_dim = {} channels"),
        ("model.unet.cond_dim", "model.unet.dim", "the first level has dim = {} channels"),
        ("model.unet.window_sizes2", "model.unet.window_sizes1", "features have window_sizes1 = {}, and both the same"),
    ):
        if key in leaves and other in leaves and leaves[key] != leaves[other]:
            yield Finding(key, leaves[key], text.format(leaves[other]))
    for key, wanted, text in (
        ("model.unet.out_mul", 1, "each head gives one tensor of the size of the latents"),
        ("model.unet.cond_pe", False, "positions are known to the cross-attention alone"),
        ("model.perceptual_weight", 0, "latents have no perceptual term here"),
        ("model.scale_by_softsign", False, "latents are not squashed here"),
    ):
        if leaves.get(key, wanted) != wanted:
            yield Finding(key, leaves[key], text)
    yield from _steps(leaves)
    yield from _weights(leaves)
    key, count = "model.unet.cond_in_dim", num_condition_channels(recipe.data)
    if leaves.get(key, count) != count:
        yield Finding(key, leaves[key], f"the condition has {count} channels here")


def _steps(leaves: Mapping[str, Any]) -> Iterator[Finding]:
    key = "model.sampling_timesteps"
    if key in leaves:
        yield Finding(key, leaves[key], "one evaluation of the network more than steps there, as many as steps here")


def _weights(leaves: Mapping[str, Any]) -> Iterator[Finding]:
    if leaves.get("model.unet.without_pretrain") is False:
        text = "ImageNet weights there; they do not come with this package: unet.backbone.weights takes a file"
        yield Finding("model.unet.without_pretrain", False, text)
    given = [key for key in ("model.ckpt_path", "finetune.ckpt_path") if leaves.get(key)]
    if len(given) > 1:
        yield Finding(given[0], leaves[given[0]], f"{given[1]} names other weights to begin with")
