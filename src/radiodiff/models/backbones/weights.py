"""Pretrained weights for an encoder of the condition, from a file that the user has."""

from pathlib import Path

import torch
from torch import Tensor

from radiodiff.models.backbones.base import Backbone
from radiodiff.models.named_arrays import read_weights

__all__ = ["load_backbone_weights"]

FILE_CHANNELS = 3
"""Colours of the images that such weights were trained on."""

REMEDIES = {
    "swin_b": "It is model.safetensors of microsoft/swin-base-patch4-window7-224, or of another Swin-B with window 7.",
    "swin_s": "It is model.safetensors of microsoft/swin-small-patch4-window7-224.",
    "swin_t": "It is model.safetensors of microsoft/swin-tiny-patch4-window7-224.",
    "resnet101": "It is model.safetensors of microsoft/resnet-101.",
    "efficientnet_b7": "It is model.safetensors of google/efficientnet-b7.",
    "vgg16": "It is torchvision's vgg16-397923af.pth.",
    "conv": "It is what torch.save(unet.backbone.state_dict(), FILE) wrote.",
}


def load_backbone_weights(backbone: Backbone, path: Path, kind: str) -> None:
    """Give an encoder the weights of a file; each of its weights must be there, what else is there is left alone.

    A condition with more channels than the file's three colours begins with no weight on the further ones; one with
    fewer takes the first ones.

    Args:
        backbone: The encoder, changed in place.
        path: Safetensors, or a torch file that holds arrays alone.
        kind: Its layout, for messages.

    Raises:
        CheckpointError: The file is not there, cannot be read, or a weight is missing or has another shape.
    """
    own = backbone.state_dict()
    names = {name: found for name in own if (found := backbone.names_in_file(name))}
    wanted = {names[name]: _shape_in_file(backbone, name, own[name]) for name in names}
    arrays = read_weights(
        path, wanted, what=f"backbone weights of {kind}", remedy=f"{REMEDIES[kind]} Set unet.backbone.weights to it."
    )
    with torch.no_grad():
        for name, found in names.items():
            own[name].copy_(_for_channels(arrays[found[0]], own[name]))


def _shape_in_file(backbone: Backbone, name: str, own: Tensor) -> tuple[int, ...]:
    """The entry has the channels of an image there."""
    shape = tuple(own.shape)
    return (shape[0], FILE_CHANNELS, *shape[2:]) if name == backbone.entry_name and backbone.is_of_images else shape


def _for_channels(array: Tensor, own: Tensor) -> Tensor:
    """The array, or its first channels, or it with zeros for further channels."""
    if array.shape == own.shape:
        return array
    result = torch.zeros_like(own)
    shared = min(array.shape[1], own.shape[1])
    result[:, :shared] = array[:, :shared]
    return result
