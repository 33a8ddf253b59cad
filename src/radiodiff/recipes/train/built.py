"""What is made of a recipe before a run begins."""

from collections.abc import Mapping
from dataclasses import dataclass

from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from radiodiff.models.parameters import freeze
from radiodiff.models.warm_start import load_weights
from radiodiff.training.config import TrainerConfig
from radiodiff.training.stage import Stage

__all__ = ["BuiltStage", "begin_weights"]


@dataclass(frozen=True)
class BuiltStage:
    """A stage with its first weights.

    Attributes:
        stage: The stage.
        networks: Its networks by name, for the report of parameters.
        messages: What was loaded and found, in sentences.
    """

    stage: Stage
    networks: Mapping[str, nn.Module]
    messages: tuple[str, ...] = ()


def begin_weights(
    network: ModelMixin, trainer: TrainerConfig, *, name: str, with_first_weights: bool
) -> tuple[str, ...]:
    """Give a network the weights to begin with, freeze what shall not learn, and switch gradient checkpointing on.

    Args:
        network: The network, with fresh weights.
        trainer: Which weights, and what is frozen.
        name: Name of the network in runs and checkpoints.
        with_first_weights: Load weights; a run that goes on has its own.

    Returns:
        What was loaded, in sentences.

    Raises:
        ConfigError: A pattern of what is frozen means nothing, or all.
        CheckpointError: The weights are not there, or of another network.
    """
    messages = []
    start = trainer.warm_start
    if start.init_from is not None and with_first_weights:
        found = load_weights(network, start.init_from, allow_missing=start.allow_missing, network=name)
        messages.append(str(found))
    if start.freeze:
        freeze(network, start.freeze)
    if trainer.gradient_checkpointing:
        network.enable_gradient_checkpointing()
    return tuple(messages)
