"""What a recipe says."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.data.autoencoder_examples import AutoencoderExamplesConfig
from radiodiff.data.selection import DataConfig
from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.losses.config import AutoencoderLossConfig
from radiodiff.models.config import AutoencoderConfig, DiscriminatorConfig
from radiodiff.models.unet_config import RadioUnetConfig, UnetConfig
from radiodiff.recipes.contradictions import check_contradictions
from radiodiff.training.config import OptimizerConfig, TrainerConfig
from radiodiff.training.diffusion_config import LatentSourceConfig, RegressionLossConfig, SamplingConfig
from radiodiff.training.prior_config import PriorConfig

__all__ = ["AutoencoderRecipe", "BaselineRecipe", "DiffusionRecipe", "LatentsConfig", "Recipe"]


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
        prior: What the maps are learnt as the difference to; None learns the maps themselves.
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
    prior: PriorConfig | None = None
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


class DiffusionRecipe(Config):
    """Everything about the training of the second stage.

    Attributes:
        stage: Always "diffusion".
        data: The data set; `part` is what it is trained on.
        autoencoder: Folder of the first stage, or of the run that left it.
        prior: What maps are drawn as the difference to: that of the first stage. None draws the maps themselves.
        unet: The network.
        diffusion: The process and what the network predicts of it.
        loss: What it minimises.
        latents: Where latents come from.
        sampling: How maps are sampled in validations.
        optimizer: Its optimizer.
        trainer: How the run goes.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    stage: Literal["diffusion"] = "diffusion"
    data: DataConfig
    autoencoder: Path
    prior: PriorConfig | None = None
    unet: UnetConfig = UnetConfig()
    diffusion: DiffusionConfig = DiffusionConfig()
    loss: DiffusionLossConfig = DiffusionLossConfig()
    latents: LatentSourceConfig = LatentSourceConfig()
    sampling: SamplingConfig = SamplingConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    trainer: TrainerConfig

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_contradictions(self)
        return self


class BaselineRecipe(Config):
    """Everything about the training of the regression network.

    Attributes:
        stage: Always "baseline".
        data: The data set; `part` is what it is trained on.
        prior: What maps are learnt as the difference to, a channel; None learns the maps themselves.
        network: The network.
        loss: What it minimises.
        optimizer: Its optimizer.
        trainer: How the run goes.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    stage: Literal["baseline"] = "baseline"
    data: DataConfig
    prior: PriorConfig | None = None
    network: RadioUnetConfig = RadioUnetConfig()
    loss: RegressionLossConfig = RegressionLossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    trainer: TrainerConfig

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_contradictions(self)
        return self


Recipe = AutoencoderRecipe | DiffusionRecipe | BaselineRecipe
"""Everything about a training; `stage` says of what."""
