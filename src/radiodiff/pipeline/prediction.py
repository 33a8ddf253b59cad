"""What one prediction asks of a network: maps padded to its sizes, their windows, their draws."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

from radiodiff.encoding import PADDING, Encoding
from radiodiff.errors import ConfigError, InputError
from radiodiff.pipeline.config import PredictConfig
from radiodiff.pipeline.guidance import Guide
from radiodiff.pipeline.prior import Prior
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.pipeline.windows import WindowPlan, plan_windows

__all__ = ["OUTSIDE", "Graphs", "Layout", "Sizes", "Task", "check_condition", "padded"]

OUTSIDE = -1.0
"""Value of a channel beside the map, as in the data sets, where `PADDING` says nothing else."""

DISTANCE_CHANNELS = (
    "log_distance_gain_db",
    "shortest_path_length_m",
    "dominant_path_gain_db",
    "distance_m",
    "free_space_loss_db",
)
"""Channels that tell a window how far the transmitter is, which may stand outside of it."""


class Graphs(Protocol):
    """The networks of a model in another runtime."""

    def run(self, name: str, map_shape: tuple[int, int], *tensors: Tensor) -> tuple[Tensor, ...]:
        """What the network of a name makes of tensors, for maps or windows (rows, cols)."""


@dataclass(frozen=True)
class Sizes:
    """What a network takes.

    Attributes:
        multiple: Rows and columns of what goes in are multiples of this [cells].
        unit: Windows begin at multiples of this [cells].
    """

    multiple: int
    unit: int


@dataclass(frozen=True)
class Layout:
    """How a map goes through a network.

    Attributes:
        shape: (rows, cols) of the padded map [cells].
        plan: Its windows [units].
    """

    shape: tuple[int, int]
    plan: WindowPlan

    @classmethod
    def of(cls, shape: tuple[int, int], sizes: Sizes, record: PipelineRecord, config: PredictConfig) -> "Layout":
        """The layout of maps of a shape (rows, cols).

        Raises:
            ConfigError: A window is no multiple, or the model cannot work in windows.
        """
        window = _window(shape, sizes, record, config)
        padded_shape, used = [], []
        for length, size in zip(shape, window, strict=True):
            is_cut = size is not None and length > size
            full = _ceil(length, sizes.unit if is_cut else sizes.multiple)
            padded_shape.append(full)
            used.append(size if size is not None and is_cut else full)
        rows, cols = padded_shape
        if used != padded_shape and not set(record.encoding.names) & set(DISTANCE_CHANNELS):
            raise ConfigError(
                "A model that works in windows must see in each of them how far the transmitter is, by a channel "
                f"{', '.join(DISTANCE_CHANNELS)}",
                value=f"a map of {shape[0]} x {shape[1]} cells, windows of {used[0]} x {used[1]}, condition "
                f"{', '.join(record.encoding.names)}",
                remedy='Set window to "whole", or use a model with geometry channels.',
            )
        unit = sizes.unit
        plan = plan_windows((rows // unit, cols // unit), (used[0] // unit, used[1] // unit), config.overlap)
        return cls((rows, cols), plan)


@dataclass(frozen=True)
class Task:
    """Maps of one size to predict.

    Attributes:
        condition: (B, C, rows, cols) float32, padded, on the device of the networks.
        plan: Windows of the maps [units].
        generators: One for each draw of each map, on the CPU.
        num_inference_steps: Steps of a draw.
        num_draws: Draws of each map.
        is_stochastic: Which sampler.
        batch_size: Maps, draws or windows at a time.
        guide: Measured points, or None.
        advance: Called with the number of draw-steps made.
        prior: What is made of residuals, or None.
        prior_maps: (B, 1, rows, cols) float32, padded: what the maps differ from by what the networks give; or None.
    """

    condition: Tensor
    plan: WindowPlan
    generators: Sequence[Sequence[torch.Generator]]
    num_inference_steps: int
    num_draws: int
    is_stochastic: bool
    batch_size: int
    guide: Guide | None
    advance: Callable[[int], object]
    prior: Prior | None = None
    prior_maps: Tensor | None = None

    def maps_of(self, outputs: Tensor, numbers: Sequence[int]) -> Tensor:
        """Maps (R, 1, rows, cols) of what the networks give for maps by number."""
        if self.prior is None or self.prior_maps is None:
            return outputs
        return self.prior.added(outputs, self.prior_maps[list(numbers)])

    def map_chunks(self) -> Iterator[range]:
        """Numbers of maps that are worked on together: as many as fill a batch, but at least one."""
        size = max(1, self.batch_size // len(self.plan.corners))
        return (range(first, min(first + size, len(self.condition))) for first in range(0, len(self.condition), size))

    def draw_chunks(self, maps: range) -> Iterator[list[tuple[int, int]]]:
        """(map, draw) of maps, a batch at a time."""
        rows = list(product(maps, range(self.num_draws)))
        return (rows[first : first + self.batch_size] for first in range(0, len(rows), self.batch_size))


def check_condition(condition: Tensor, encoding: Encoding) -> None:
    """Refuse conditions that are none of a model.

    Raises:
        InputError: It is no tensor, the shape is another one, or a value is not finite.
    """
    channels = len(encoding.names)
    if not isinstance(condition, Tensor):
        raise InputError(
            "A condition must be a tensor",
            value=f"a {type(condition).__name__}",
            remedy="Convert it, for example with torch.from_numpy.",
        )
    if condition.ndim != 4 or condition.shape[1] != channels or 0 in condition.shape:
        raise InputError(
            f"A condition of this model must be (B, {channels}, rows, cols): {', '.join(encoding.names)}",
            value=f"shape {tuple(condition.shape)}",
            remedy="Give the channels that it was trained with, in this order.",
        )
    if not bool(condition.isfinite().all()):
        raise InputError(
            "A condition must be finite",
            value=f"{int((~condition.isfinite()).sum())} values that are not",
            remedy="Encode it by the model's record: pipeline.record.encoding.",
        )


def padded(condition: Tensor, shape: tuple[int, int], encoding: Encoding) -> Tensor:
    """Conditions (B, C, rows, cols) with what the data sets have beside a map, below and on the right."""
    rows, cols = condition.shape[2:]
    if (rows, cols) == shape:
        return condition
    outside = [
        float(channel.encode(PADDING[channel.name])) if channel.name in PADDING else OUTSIDE
        for channel in encoding.condition
    ]
    margin = (0, shape[1] - cols, 0, shape[0] - rows)
    return torch.cat([pad(condition[:, i : i + 1], margin, value=value) for i, value in enumerate(outside)], dim=1)


def _window(
    shape: tuple[int, int], sizes: Sizes, record: PipelineRecord, config: PredictConfig
) -> tuple[int | None, int | None]:
    """Rows and columns of a window, or None where the map is not cut."""
    if config.window == "whole" or (config.window == "auto" and record.map_shape is None):
        return None, None
    if config.window == "auto":
        assert record.map_shape is not None
        rows, cols = (_ceil(length, sizes.multiple) for length in record.map_shape)
        return rows, cols
    rows, cols = (config.window, config.window) if isinstance(config.window, int) else config.window
    if rows % sizes.multiple or cols % sizes.multiple:
        raise ConfigError(
            f"window must be multiples of {sizes.multiple} cells",
            value=f"{rows} x {cols}",
            remedy=f"Take {_ceil(rows, sizes.multiple)} x {_ceil(cols, sizes.multiple)}.",
        )
    return rows, cols


def _ceil(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
