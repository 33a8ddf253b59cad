"""The regression model beside the diffusion model: one map, from the condition alone."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from diffusers.configuration_utils import ConfigMixin
from torch import Tensor

from radiodiff.errors import ConfigError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.components import RadioUnet
from radiodiff.pipeline.prediction import Sizes, Task
from radiodiff.pipeline.record import PipelineKind, PipelineRecord
from radiodiff.pipeline.windows import blended

__all__ = ["RegressionPipeline"]


class RegressionPipeline(RadioMapPipeline):
    """Predicts a radio map from its condition in one evaluation, without randomness.

    Args:
        network: The network.
        record: What the model was trained for.

    Raises:
        InputError: The record does not fit the network.
    """

    kind: ClassVar[PipelineKind] = "regression"
    network: RadioUnet

    def __init__(self, network: RadioUnet, record: PipelineRecord | None = None) -> None:
        super().__init__()
        self._set_up(record, network=network)

    @classmethod
    def component_classes(cls) -> Mapping[str, type[ConfigMixin]]:
        """See `RadioMapPipeline`."""
        return {"network": RadioUnet}

    @property
    def sizes(self) -> Sizes:
        """See `RadioMapPipeline`."""
        return Sizes(self.network.size_multiple, 1)

    def _compile(self) -> None:
        self.network.compile()

    def _channel_counts(self) -> Mapping[str, tuple[object, object]]:
        return {
            "channels of the condition, in the network and in the record": (
                self.network.config["in_channels"],
                len(self.record.encoding.names),
            ),
            "channels of a map, in the network and always": (self.network.config["out_channels"], 1),
        }

    def _draw_maps(self, task: Task) -> Tensor:
        for name, count in (("num_draws", task.num_draws), ("num_inference_steps", task.num_inference_steps)):
            if count != 1:
                raise ConfigError(
                    f"{name} of a regression model must be 1: it has no randomness and no steps",
                    value=count,
                    remedy="Leave it out, or use a diffusion model.",
                )
        maps = []
        for numbers in task.map_chunks():
            conditions = task.condition[numbers.start : numbers.stop]
            outputs = blended(
                task.plan, conditions, lambda windows, _: self._output(windows), batch_size=task.batch_size
            )
            maps.append(task.maps_of(outputs, numbers))
            task.advance(len(numbers))
        return torch.cat(maps)[:, None]

    def _output(self, windows: Tensor) -> Tensor:
        if self.graphs is not None:
            rows, cols = windows.shape[2:]
            return self.graphs.run("network", (rows, cols), windows)[0]
        found: Tensor = self.network(windows.to(self.network.dtype))
        return found
