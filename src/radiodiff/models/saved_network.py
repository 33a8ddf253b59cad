"""Networks on a condition that are saved and loaded as `diffusers` does, and are the same afterwards."""

from os import PathLike
from typing import Any, Self

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from radiodiff.errors import CheckpointError, InputError
from radiodiff.models.name_list import first_names

__all__ = ["SavedNetwork"]


class SavedNetwork(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A network with `save_pretrained` and `from_pretrained`: config.json and safetensors in a folder.

    Attributes:
        size_multiple: Rows and columns of a condition are multiples of it.
        gradient_checkpointing: Whether parts are computed again on the way back, to save memory
            (`enable_gradient_checkpointing`).
    """

    _supports_gradient_checkpointing = True
    gradient_checkpointing = False
    size_multiple: int

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | PathLike[str] | None, **kwargs: Any) -> Self:
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
            loaded: Any = super().from_pretrained(pretrained_model_name_or_path, **kwargs)
        network: Self = loaded[0]
        faults = [
            f"{len(names)} {word} ({first_names([str(name) for name in names])})"
            for word, kind in (("missing", "missing_keys"), ("unknown", "unexpected_keys"))
            if (names := loaded[1][kind])
        ]
        if faults:
            raise CheckpointError(
                f"The weights of a {cls.__name__} must be those of the network in its config.json",
                value=f"{pretrained_model_name_or_path}, where weights are {' and '.join(faults)}",
                remedy="One of the files is of another model, or of other versions of radiodiff and transformers: "
                "export the network again.",
            )
        # The library maps the file: addresses are those of the file, and kernels round differently where they are not
        # aligned.
        for tensor in (*network.parameters(), *network.buffers()):
            tensor.data = tensor.data.clone()
        return network

    def _run(self, module: nn.Module, *arguments: Any) -> Any:
        """What a part gives; with gradient checkpointing, computed again on the way back."""
        if self.gradient_checkpointing and torch.is_grad_enabled():
            again: Any = self._gradient_checkpointing_func
            return again(module, *arguments)
        return module(*arguments)

    def _check_condition(self, condition: Tensor, channels: int) -> None:
        if condition.ndim != 4 or condition.shape[1] != channels:
            raise InputError(
                f"The condition of this network must be (B, {channels}, rows, cols)",
                value=f"shape {tuple(condition.shape)}",
                remedy="Give it the channels that it was trained with, in their order.",
            )
        if any(size == 0 or size % self.size_multiple for size in condition.shape[2:]):
            raise InputError(
                f"Rows and columns of the condition must be multiples of {self.size_multiple}",
                value=f"{condition.shape[2]} x {condition.shape[3]}",
                remedy="Pad the map with -1 and cut the result; the pipeline does so.",
            )
