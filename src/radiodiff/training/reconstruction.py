"""How well maps are reconstructed: figures of each map, their means, and those of all cells together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import tee
from typing import TYPE_CHECKING

import numpy as np

from radiodiff.data.loader import Batch
from radiodiff.encoding import Channel
from radiodiff.metrics import PooledErrors, mean_figures
from radiodiff.training.reconstructed_maps import OUTDOOR, ReconstructedMap, reconstructed_maps

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from torch import Tensor

__all__ = [
    "ReconstructionReport",
    "ReconstructionScores",
    "evaluate_reconstruction",
    "evaluate_reconstructions",
    "posterior_means",
]


@dataclass(frozen=True)
class ReconstructionReport:
    """What was found.

    Attributes:
        per_example: Figures of each map; what a map does not have is not in its row.
        means: Means over the maps that have a figure; `undefined/<name>` counts those that have not.
        pooled: `mse`, `mae`, `rmse` and `nmse` of all cells of all maps together, and `outdoor/...`.
        num_cells: Cells of the maps that count, whatever the number of channels.
        num_outdoor_cells: Those outside buildings, or None where they are not known.
        protocol: How it was measured, in words; the same for every share of the maps.
        previews: The first maps.
    """

    per_example: Mapping[str, Mapping[str, float]]
    means: Mapping[str, float]
    pooled: Mapping[str, float]
    num_cells: int
    num_outdoor_cells: int | None
    protocol: str
    previews: tuple[ReconstructedMap, ...] = ()


@dataclass
class ReconstructionScores:
    """Gathers the figures of maps one by one.

    Attributes:
        scale: What a target is, for the protocol.
        part: Part of the data set, for the protocol; empty where it has no name.
        num_previews: How many of the maps to keep for a picture.
    """

    scale: str = ""
    part: str = ""
    num_previews: int = 0
    _rows: dict[str, Mapping[str, float]] = field(default_factory=dict)
    _all: PooledErrors = field(default_factory=PooledErrors)
    _outdoor: PooledErrors = field(default_factory=PooledErrors)
    _previews: list[ReconstructedMap] = field(default_factory=list)
    _channels: tuple[Channel, ...] = ()
    _is_masked: bool = False

    def add(self, found: ReconstructedMap) -> Mapping[str, float]:
        """Take in a map; returns its figures."""
        self._rows[found.name] = figures = found.figures()
        self._channels = found.channels
        self._is_masked = found.mask is not None
        counting = np.ones(found.truth.shape[1:], dtype=np.bool_) if found.mask is None else found.mask
        self._all.add(found.prediction[:, counting], found.truth[:, counting])
        if found.outdoors is not None:
            outdoors = counting & found.outdoors
            self._outdoor.add(found.prediction[:, outdoors], found.truth[:, outdoors])
        if len(self._previews) < self.num_previews:
            self._previews.append(found)
        return figures

    def report(self) -> ReconstructionReport:
        """What was found so far.

        Raises:
            InputError: There was no map.
        """
        means = mean_figures(self._rows.values())
        pooled = self._all.figures()
        is_outdoor_known = self._outdoor.num_cells > 0
        if is_outdoor_known:
            pooled |= {f"{OUTDOOR}/{name}": value for name, value in self._outdoor.figures().items()}
        return ReconstructionReport(
            per_example=dict(self._rows),
            means=means,
            pooled=pooled,
            num_cells=self._all.num_cells,
            num_outdoor_cells=self._outdoor.num_cells if is_outdoor_known else None,
            protocol=self._protocol(),
            previews=tuple(self._previews),
        )

    def _protocol(self) -> str:
        num_channels = len(self._channels)
        spans = {channel.name: channel.span_db for channel in self._channels}
        said = [
            *([f"part {self.part}"] if self.part else []),
            *([f"{self.scale} scale"] if self.scale else []),
            "levels g = (x + 1) / 2 clipped to [0, 1]",
            "figures of each map, then their mean"
            if num_channels == 1
            else f"figures of each map and channel, mean over {num_channels} channels, then over maps",
            "cells of the data set's mask, without padding" if self._is_masked else "all cells without padding",
        ]
        if self._outdoor.num_cells:
            said.append("outdoor: cells outside buildings")
        said += [f"{name}: g = 0..1 is {span:.6g} dB" for name, span in spans.items() if span is not None]
        return ", ".join(said)


def evaluate_reconstruction(
    reconstruct: "Callable[[Batch], Tensor]",
    batches: Iterable[Batch],
    *,
    part: str = "",
    num_previews: int = 0,
    shows_all_buildings: bool = True,
) -> ReconstructionReport:
    """Reconstruct maps and measure how well that worked: `evaluate_reconstructions` in one way."""
    (report,) = evaluate_reconstructions(
        [reconstruct], batches, part=part, num_previews=num_previews, shows_all_buildings=shows_all_buildings
    )
    return report


def evaluate_reconstructions(
    ways: "Sequence[Callable[[Batch], Tensor]]",
    batches: Iterable[Batch],
    *,
    part: str = "",
    num_previews: int = 0,
    shows_all_buildings: bool = True,
) -> list[ReconstructionReport]:
    """Reconstruct maps in several ways and measure how well that worked.

    Args:
        ways: Reconstruction (B, C, rows, cols) of a batch, in [-1, 1]; it is compared with the batch's target.
        batches: What to look at; each is read once, and goes all ways before the next one.
        part: Part of the data set, for the protocol.
        num_previews: How many of the first maps to keep for a picture (`draw_maps`).
        shows_all_buildings: Whether the conditions show all buildings; otherwise nothing is said of cells outside them.

    Returns:
        What was found, for each way.

    Raises:
        InputError: There are no batches.
        TrainingError: A reconstruction is not finite, or has another shape than its target.
    """
    scores = [ReconstructionScores(part=part, num_previews=num_previews) for _ in ways]

    def looked_at() -> Iterator[Batch]:
        for batch in batches:
            for score in scores:
                score.scale = batch.scale
            yield batch

    streams = [
        reconstructed_maps(reconstruct, branch, shows_all_buildings=shows_all_buildings)
        for reconstruct, branch in zip(ways, tee(looked_at(), len(scores)), strict=True)
    ]
    # Map by map through all of them: one batch is in memory at a time.
    for maps in zip(*streams, strict=True):
        for score, found in zip(scores, maps, strict=True):
            score.add(found)
    return [score.report() for score in scores]


def posterior_means(network: "AutoencoderKL", num_inputs: int, outside: float = -1.0) -> "Callable[[Batch], Tensor]":
    """Reconstruction from the mean of the posterior, of maps of any size: they are padded and cut back.

    Args:
        network: The autoencoder, on any device.
        num_inputs: How many of the first channels of a batch's condition go in.
        outside: Value of the padding.
    """
    import torch

    from radiodiff.models.padding import padded_to_factor

    def reconstruct(batch: Batch) -> "Tensor":
        weight = next(network.parameters())
        images = batch.condition[:, :num_inputs].to(weight.device, weight.dtype)
        rows, cols = images.shape[-2:]
        with torch.inference_mode():
            latents = network.encode(padded_to_factor(network, images, outside)).latent_dist.mode()
            reconstruction: Tensor = network.decode(latents).sample[..., :rows, :cols]
        return reconstruction

    return reconstruct
