"""Examples of one size as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from radiodiff.data.example import Draw, Example
from radiodiff.encoding import Encoding
from radiodiff.errors import InputError

__all__ = ["Batch", "collate", "non_finite_examples"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples of one size, stacked.

    Attributes:
        target: (B, 1, rows, cols) float32 in [-1, 1]; views for autoencoders may have more channels, and none at all
            where latents are given.
        condition: (B, C, rows, cols) float32 in [-1, 1].
        tx: (B, 2) int64, cell (row, col) of each transmitter.
        map_id: (B,) int64.
        tx_id: (B,) int64.
        content: (B, 2) int64, (rows, cols) of the map in the top-left corner; the rest is padding.
        names: Names of the examples.
        scale: What a target is: "raw" or "thresholded" grey, "db" for path loss itself, "binary" for edges.
        encoding: Channels of condition and target.
        weight: (B, 1, rows, cols) float32 in [0, 1], high on the edges of the target, or None.
        draws: Number and draw of each example: what its randomness follows from.
        mask: (B, 1, rows, cols) bool, the cells that count, for losses and figures; None: all of them.
        latents: (B, 2 * C', h, w) float32, mean and then standard deviation of the posterior of each target under an
            autoencoder, not scaled; or None.
    """

    target: Tensor
    condition: Tensor
    tx: Tensor
    map_id: Tensor
    tx_id: Tensor
    content: Tensor
    names: tuple[str, ...]
    scale: str
    encoding: Encoding
    weight: Tensor | None = None
    draws: tuple[Draw, ...] = ()
    mask: Tensor | None = None
    latents: Tensor | None = None

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """The batch with its tensors on a device."""
        return self._with_tensors(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """The batch with its tensors in page-locked memory."""
        return self._with_tensors(Tensor.pin_memory)

    def _with_tensors(self, change: Any) -> Self:
        tensors = {name: change(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **tensors)


def collate(examples: Sequence[Example], encoding: Encoding, scale: str, draws: Sequence[Draw] | None = None) -> Batch:
    """Stack examples.

    Args:
        examples: The examples.
        encoding: Encoding of their data set.
        scale: Its scale.
        draws: Number and draw of each; None counts them from 0 within the batch, draw 0.

    Raises:
        InputError: There are none, their sizes differ, some have weights, a mask or latents and others have not, or
            there are more or fewer draws than examples.
    """
    draws = tuple((place, 0) for place in range(len(examples))) if draws is None else tuple(draws)
    if len(draws) != len(examples):
        raise InputError(
            "A batch must have one draw for each example",
            value=f"{len(draws)} draws, {len(examples)} examples",
            remedy="Pass number and draw of each example, or none.",
        )
    shapes = {
        tuple(None if a is None else a.shape for a in (e.target, e.condition, e.weight, e.mask, e.latents))
        for e in examples
    }
    if len(shapes) != 1:
        raise InputError(
            "The examples of a batch must have one size and the same channels",
            value=f"{len(shapes)} kinds: {sorted(map(str, shapes))[:3]}",
            remedy="Give the data set a size, or use batches of 1.",
        )
    weights = [e.weight for e in examples if e.weight is not None]
    masks = [e.mask for e in examples if e.mask is not None]
    latents = [e.latents for e in examples if e.latents is not None]
    return Batch(
        target=torch.from_numpy(np.stack([e.target for e in examples])),
        condition=torch.from_numpy(np.stack([e.condition for e in examples])),
        tx=torch.tensor([e.tx for e in examples]),
        map_id=torch.tensor([e.map_id for e in examples]),
        tx_id=torch.tensor([e.tx_id for e in examples]),
        content=torch.tensor([e.content for e in examples]),
        names=tuple(e.name for e in examples),
        scale=scale,
        encoding=encoding,
        weight=torch.from_numpy(np.stack(weights)) if weights else None,
        draws=draws,
        mask=torch.from_numpy(np.stack(masks)) if masks else None,
        latents=torch.from_numpy(np.stack(latents)) if latents else None,
    )


def non_finite_examples(batch: Batch) -> tuple[str, ...]:
    """Names of the examples whose target, condition, weight or latents hold NaN or an infinite value, in order."""
    tensors = [batch.target, batch.condition, *(t for t in (batch.weight, batch.latents) if t is not None)]
    is_finite = torch.stack([torch.isfinite(tensor).flatten(1).all(1) for tensor in tensors]).all(0)
    return tuple(name for name, fine in zip(batch.names, is_finite.tolist(), strict=True) if not fine)
