"""Swin transformers as encoders of the condition, through transformers."""

from typing import Any, Literal

from torch import Tensor, nn

from radiodiff.models.backbones.base import Backbone

__all__ = ["SwinBackbone"]

LAYOUTS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "swin_t": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "swin_s": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "swin_b": (128, (2, 2, 18, 2), (4, 8, 16, 32)),
}
"""Channels of the first stage, blocks and attention heads of each stage; windows of 7 x 7 everywhere."""

EARLIER_NAMES = (
    ("attention.q_proj", "attention.self.query"),
    ("attention.k_proj", "attention.self.key"),
    ("attention.v_proj", "attention.self.value"),
    ("attention.o_proj", "attention.output.dense"),
    ("attention.relative_position_bias.relative", "attention.self.relative"),
    ("mlp.fc1", "intermediate.dense"),
    ("mlp.fc2", "output.dense"),
)
"""Parts of names in transformers 5, and before it."""


class SwinBackbone(Backbone):
    """Swin-T, Swin-S or Swin-B, each stage's end normalised; without random depth, head and last normalisation.

    Args:
        condition_channels: Channels of the condition.
        num_levels: Stages.
        kind: Its layout.

    Source: Liu et al. 2021, "Swin Transformer", section 3.3.
    """

    entry_name = "network.swin.embeddings.patch_embeddings.projection.weight"

    def __init__(self, condition_channels: int, num_levels: int, kind: Literal["swin_b", "swin_s", "swin_t"]) -> None:
        super().__init__()
        from transformers import SwinBackbone as Network
        from transformers import SwinConfig

        width, depths, num_heads = LAYOUTS[kind]
        self.channels = tuple(width * 2**stage for stage in range(num_levels))
        settings: dict[str, Any] = {
            "num_channels": condition_channels,
            "embed_dim": width,
            "depths": list(depths[:num_levels]),
            "num_heads": list(num_heads[:num_levels]),
            "window_size": 7,
            "drop_path_rate": 0.0,
            "out_features": [f"stage{stage + 1}" for stage in range(num_levels)],
        }
        self.network = Network(SwinConfig(**settings))
        # Nothing here reads what it would normalise.
        self.network.swin.set_submodule("layernorm", nn.Identity())

    def names_in_file(self, name: str) -> tuple[str, ...]:
        """As transformers names them in a classifier, also before its version 5; the stages' ends are ours."""
        inner = name.removeprefix("network.")
        if not inner.startswith("swin."):
            return ()
        earlier = inner
        for new, old in EARLIER_NAMES:
            earlier = earlier.replace(new, old)
        return inner, earlier

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
        return tuple(self.network(condition).feature_maps)
