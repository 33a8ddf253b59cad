"""The network of the second stage as it is trained, with what its weights belong to."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from radiodiff.errors import CheckpointError
from radiodiff.models.unet import ConditionalUnet

__all__ = ["TrainedUnet"]


class TrainedUnet(nn.Module):
    """A U-Net with the factor on its latents, and the fingerprint of the encoder that they come from.

    Both are buffers: a checkpoint holds them.

    Args:
        unet: The network.
        scaling_factor: Factor on the latents; None takes that of a checkpoint, and is 1 until then.
        fingerprint: `LatentEncoder.fingerprint`.
    """

    def __init__(self, unet: ConditionalUnet, scaling_factor: float | None, fingerprint: str) -> None:
        super().__init__()
        self.unet = unet
        self.scaling_factor: Tensor
        self.encoder_fingerprint: Tensor
        self._is_factor_given = scaling_factor is not None
        factor = torch.tensor(1.0 if scaling_factor is None else scaling_factor, dtype=torch.float32)
        self.register_buffer("scaling_factor", factor)
        self.register_buffer("encoder_fingerprint", torch.tensor(list(bytes.fromhex(fingerprint)), dtype=torch.uint8))

    def forward(self, noisy: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Predictions (B, num_heads * C, h, w); see `ConditionalUnet`.

        Args:
            noisy: (B, C, h, w), scaled latents at the times t.
            t: (B,), times in (0, 1].
            condition: (B, condition_channels, rows, cols) in [-1, 1].
        """
        prediction: Tensor = self.unet(noisy, t, condition=condition)
        return prediction

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Take weights and the factor of a checkpoint.

        Raises:
            CheckpointError: They belong to the latents of another autoencoder, or to those times another factor.
        """
        factor = state_dict["scaling_factor"].to(self.scaling_factor)
        if self._is_factor_given and not torch.equal(factor, self.scaling_factor):
            raise CheckpointError(
                "A run must go on with the factor on its latents that it was begun with",
                value=f"{float(self.scaling_factor):.6g}, {float(factor):.6g} in the checkpoint",
                remedy="Leave latents.scaling_factor as in the recipe of that run, or start from its weights with "
                "trainer.warm_start.init_from.",
            )
        own = self.encoder_fingerprint
        if not torch.equal(state_dict["encoder_fingerprint"].to(own.device), own):
            raise CheckpointError(
                "A run must go on with the autoencoder it was begun with",
                value="a checkpoint of a run with another one",
                remedy="Set autoencoder to that of the run, or start from its weights with "
                "trainer.warm_start.init_from.",
            )
        return super().load_state_dict(state_dict, strict, assign)
