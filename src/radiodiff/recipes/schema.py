"""What a recipe says."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.data.autoencoder_examples import AutoencoderExamplesConfig
from radiodiff.data.selection import DataConfig
from radiodiff.losses.config import AutoencoderLossConfig
from radiodiff.models.config import AutoencoderConfig, DiscriminatorConfig
from radiodiff.recipes.contradictions import check_contradictions
from radiodiff.training.config import OptimizerConfig, TrainerConfig

__all__ = ["AutoencoderRecipe", "LatentsConfig"]


class LatentsConfig(Config):
    """What is measured of the latents when a run is finished.

    Attributes:
        num_examples: Training maps to encode; the published protocol wants 1,000 or more.
    """

    num_examples: Annotated[int, Field(ge=1)] = 1_000


class AutoencoderRecipe(Config):
    """Everything about the training of an autoencoder.

    Attributes:
        stage: Always "autoencoder".
        data: The data set; `part` is what it is trained on.
        examples: What the autoencoder sees of an example.
        autoencoder: The network.
        discriminator: Its adversary, used where the loss has an adversarial part.
        loss: What it minimises.
        optimizer: Optimizer of the autoencoder.
        discriminator_optimizer: Optimizer of the discriminator.
        latents: What is measured in the end.
        trainer: How the run goes.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    stage: Literal["autoencoder"] = "autoencoder"
    data: DataConfig
    examples: AutoencoderExamplesConfig = AutoencoderExamplesConfig()
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    loss: AutoencoderLossConfig = AutoencoderLossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    discriminator_optimizer: OptimizerConfig = OptimizerConfig()
    latents: LatentsConfig = LatentsConfig()
    trainer: TrainerConfig

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_contradictions(self)
        return self
