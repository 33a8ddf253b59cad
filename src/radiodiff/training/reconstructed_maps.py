"""Maps and their reconstructions: figures of each, and a picture of several."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.loader import Batch
from radiodiff.encoding import Channel, Encoding
from radiodiff.errors import TrainingError
from radiodiff.metrics import compare_grey_regions
from radiodiff.viz import ReconstructionRow, draw_reconstructions

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OUTDOOR", "ReconstructedMap", "draw_maps", "reconstructed_maps", "target_channels"]

OUTDOOR = "outdoor"
"""What the figures of cells outside buildings begin with."""

BUILDINGS = "buildings"


@dataclass(frozen=True, eq=False)
class ReconstructedMap:
    """A map and its reconstruction, as levels g = (x + 1) / 2 clipped to [0, 1], without padding.

    Attributes:
        name: Name of the example; the second one of a name gets `_2`, and so on.
        channels: Channels of the target.
        truth: (C, rows, cols) float64.
        prediction: (C, rows, cols) float64.
        outdoors: (rows, cols) cells outside buildings, or None where the condition does not show them all.
        mask: (rows, cols) cells that count, or None where all do.
    """

    name: str
    channels: tuple[Channel, ...]
    truth: NDArray[np.float64]
    prediction: NDArray[np.float64]
    outdoors: NDArray[np.bool_] | None
    mask: NDArray[np.bool_] | None = None

    def figures(self) -> dict[str, float]:
        """Figures of the map by name, see `radiodiff.metrics.compare_grey_maps`; none where no cell counts.

        Those of the cells outside buildings begin with `outdoor/`. Of several channels they are means, left out where
        a channel has none, and each channel has its own under `<channel>/`.
        """
        if self.mask is not None and not self.mask.any():
            return {}
        regions = {"": self.mask}
        if self.outdoors is not None:
            regions[f"{OUTDOOR}/"] = self.outdoors if self.mask is None else self.outdoors & self.mask
        found: dict[str, float] = {}
        rows = [
            compare_grey_regions(prediction, truth, regions, span_db=channel.span_db)
            for channel, prediction, truth in zip(self.channels, self.prediction, self.truth, strict=True)
        ]
        for prefix in regions:
            found |= self._of_channels([row[prefix] for row in rows], prefix)
        return found

    def _of_channels(self, rows: Sequence[Mapping[str, float]], prefix: str) -> dict[str, float]:
        """Means over the channels of one region, and the figures of each channel."""
        shared = [name for name in rows[0] if all(name in row for row in rows)]
        found = {f"{prefix}{name}": sum(row[name] for row in rows) / len(rows) for name in shared}
        if len(rows) > 1:
            for channel, row in zip(self.channels, rows, strict=True):
                found |= {f"{channel.name}/{prefix}{name}": value for name, value in row.items()}
        return found


def reconstructed_maps(
    reconstruct: "Callable[[Batch], Tensor]", batches: Iterable[Batch], *, shows_all_buildings: bool = True
) -> Iterator[ReconstructedMap]:
    """The maps of batches with their reconstructions, one after another.

    Args:
        reconstruct: Reconstruction (B, C, rows, cols) of a batch, in [-1, 1].
        batches: The batches.
        shows_all_buildings: Whether the conditions show all buildings, so that cells outside them are known.

    Raises:
        TrainingError: A reconstruction is not finite, or has another shape than its target.
    """
    seen: dict[str, int] = {}
    for batch in batches:
        reconstruction = reconstruct(batch)
        if not reconstruction.shape == batch.target.shape:
            raise TrainingError(
                "A reconstruction must have the shape of its target",
                value=f"{tuple(reconstruction.shape)} for {tuple(batch.target.shape)}",
                remedy="Check that the model belongs to this data.",
            )
        predictions = reconstruction.detach().double().cpu().numpy()
        truths = batch.target.double().cpu().numpy()
        names = batch.encoding.names
        outdoors = None
        if BUILDINGS in names and shows_all_buildings:
            outdoors = batch.condition[:, names.index(BUILDINGS)].cpu().numpy() <= 0
        masks = None if batch.mask is None else batch.mask[:, 0].cpu().numpy()
        channels = target_channels(batch.encoding, truths.shape[1])
        for index, name in enumerate(batch.names):
            rows, cols = batch.content[index].tolist()
            prediction = predictions[index, :, :rows, :cols]
            if not np.isfinite(prediction).all():
                raise TrainingError(
                    "A reconstruction must be finite",
                    value=f"not so for {name}",
                    remedy="The weights are damaged, or the precision is too low for them: look at the log, or use "
                    "another checkpoint.",
                )
            seen[name] = seen.get(name, 0) + 1
            yield ReconstructedMap(
                name=name if seen[name] == 1 else f"{name}_{seen[name]}",
                channels=channels,
                truth=_levels(truths[index, :, :rows, :cols]),
                prediction=_levels(prediction),
                outdoors=None if outdoors is None else outdoors[index, :rows, :cols],
                mask=None if masks is None else masks[index, :rows, :cols],
            )


def draw_maps(maps: Sequence[ReconstructedMap], path: Path) -> Path:
    """Draw truth, prediction and difference of maps, channel by channel, in physical values.

    Raises:
        InputError: There are no maps.
        FormatError: The path cannot be written.
    """
    rows = []
    for found in maps:
        for number, channel in enumerate(found.channels):
            truth, prediction = found.truth[number], found.prediction[number]
            errors = prediction - truth if found.mask is None else (prediction - truth)[found.mask]
            rows.append(
                ReconstructionRow(
                    title=found.name if len(found.channels) == 1 else f"{found.name}, {channel.name}",
                    truth=channel.decode(2.0 * truth - 1.0),
                    prediction=channel.decode(2.0 * prediction - 1.0),
                    label=channel.label,
                    dark=channel.low,
                    bright=channel.high,
                    rmse=math.sqrt(float((errors**2).mean())) if errors.size else None,
                )
            )
    return draw_reconstructions(rows, path)


def target_channels(encoding: Encoding, num_channels: int) -> tuple[Channel, ...]:
    """Channels of a target; with several of them it holds the first channels of the condition, as autoencoders' views.

    Args:
        encoding: Encoding of the batch.
        num_channels: Channels of its target.
    """
    return (encoding.target,) if num_channels == 1 else encoding.condition[:num_channels]


def _levels(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(0.5 * (encoded + 1.0), 0.0, 1.0)
