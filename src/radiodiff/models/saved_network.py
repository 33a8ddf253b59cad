"""Networks that are saved and loaded as `diffusers` does, and are the same afterwards."""

from os import PathLike
from typing import Any, Self

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin

from radiodiff.errors import CheckpointError
from radiodiff.models.name_list import first_names

__all__ = ["SavedNetwork"]


class SavedNetwork(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A network with `save_pretrained` and `from_pretrained`: config.json and safetensors in a folder."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | PathLike[str], **kwargs: Any) -> Self:
        """The network in a folder, in eval mode, with all of its weights.

        Args:
            pretrained_model_name_or_path: The folder.
            kwargs: As in `diffusers.ModelMixin.from_pretrained`, such as `torch_dtype`.

        Raises:
            CheckpointError: The weights are not those of the network in config.json.
        """
        kwargs = {"local_files_only": True} | kwargs | {"output_loading_info": True}
        # The network is made with weights that those of the file replace: they are none of the caller's random numbers.
        with torch.random.fork_rng(devices=[]):
            network, found = super().from_pretrained(pretrained_model_name_or_path, **kwargs)
        faults = [
            f"{len(found[kind])} {word} ({first_names([str(name) for name in found[kind]])})"
            for kind, word in (
                ("missing_keys", "missing"),
                ("unexpected_keys", "unexpected"),
                ("mismatched_keys", "of another shape"),
            )
            if found[kind]
        ]
        if faults:
            raise CheckpointError(
                f"The weights of a {cls.__name__} must be those of the network in its config.json",
                value=f"{pretrained_model_name_or_path}: {', '.join(faults)}",
                remedy="One of the files is of another model, or of other versions of radiodiff and transformers: "
                "export the network again.",
            )
        # The library maps the file: addresses are those of the file, and kernels round differently where they are not
        # aligned.
        for parameter in network.parameters():
            parameter.data = parameter.data.clone()
        for module in network.modules():
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.clone())
        return network
