"""The first stage of a recipe."""

from torch import nn

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.selection import part_config
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.discriminator import build_discriminator
from radiodiff.recipes.prior import open_prior
from radiodiff.recipes.schema import AutoencoderRecipe
from radiodiff.recipes.train.built import BuiltStage, begin_weights
from radiodiff.recipes.train.model_record import data_settings
from radiodiff.training.autoencoder_stage import AutoencoderParts, AutoencoderStage

__all__ = ["build_autoencoder_stage"]


def build_autoencoder_stage(recipe: AutoencoderRecipe, *, with_first_weights: bool = True) -> BuiltStage:
    """Open the data and build the networks.

    Args:
        recipe: Everything about the run.
        with_first_weights: Load the weights of `trainer.warm_start`; a run that goes on has its own.

    Raises:
        ConfigError: The recipe contradicts itself or the data.
        CheckpointError: The weights are not there, or of another network.
        DataSetError: The data set is not there or has not what is asked for.
    """
    trainer, loss = recipe.trainer, recipe.loss
    source = AutoencoderExamples(recipe.data, recipe.examples)
    held_out, whole = (
        AutoencoderExamples(part_config(recipe.data, part), recipe.examples.replaced(crop_size=None))
        for part in (trainer.validation.part, recipe.data.part)
    )
    prior = open_prior(recipe.prior, source.source)
    autoencoder = build_autoencoder(recipe.autoencoder, seed=trainer.seed)
    messages = begin_weights(autoencoder, trainer, name="autoencoder", with_first_weights=with_first_weights)
    discriminator = None
    if loss.adversarial is not None:
        shown = source.num_targets + (
            len(source.encoding.names) - source.num_inputs if loss.adversarial.conditional else 0
        )
        discriminator = build_discriminator(shown, recipe.discriminator, seed=trainer.seed)
    parts = AutoencoderParts(
        autoencoder=autoencoder,
        discriminator=discriminator,
        loss=loss,
        optimizer=recipe.optimizer,
        discriminator_optimizer=recipe.discriminator_optimizer,
        source=source,
        validation_source=held_out,
        validation_part=trainer.validation.part,
        latent_source=whole,
        record=AutoencoderRecord(
            encoding=source.input_encoding,
            scale=source.scale,
            data=data_settings(recipe.data),
            examples=recipe.examples.model_dump(mode="json", exclude={"crop_size"}),
            prior=None if prior is None else prior.record.identity,
        ),
        num_latent_maps=recipe.latents.num_examples,
        num_previews=trainer.validation.num_previews,
        seed=trainer.seed,
        prior=prior,
    )
    networks: dict[str, nn.Module] = {"autoencoder": autoencoder}
    if discriminator is not None:
        networks["discriminator"] = discriminator
    return BuiltStage(AutoencoderStage(parts), networks, messages)
