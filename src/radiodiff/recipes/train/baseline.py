"""The regression of a recipe."""

from radiodiff.data.selection import open_data_set, part_config, shows_all_buildings, windows_in_words
from radiodiff.models.radio_unet import build_radio_unet
from radiodiff.recipes.prior import open_prior
from radiodiff.recipes.schema import BaselineRecipe
from radiodiff.recipes.train.built import BuiltStage, begin_weights
from radiodiff.recipes.train.model_record import model_record
from radiodiff.training.regression_stage import RegressionParts, RegressionStage

__all__ = ["build_baseline_stage"]

NETWORK = "network"


def build_baseline_stage(recipe: BaselineRecipe, *, with_first_weights: bool = True) -> BuiltStage:
    """Open the data and build the network.

    Args:
        recipe: Everything about the run.
        with_first_weights: Load the weights of `trainer.warm_start`; a run that goes on has its own.

    Raises:
        ConfigError: The recipe contradicts itself or the data.
        CheckpointError: The weights are not there, or of another network.
        DataSetError: The data set is not there or has not what is asked for.
    """
    trainer = recipe.trainer
    source = open_data_set(recipe.data)
    prior = open_prior(recipe.prior, source)
    held_out_config = part_config(recipe.data, trainer.validation.part)
    network = build_radio_unet(recipe.network, in_channels=len(source.encoding.names), seed=trainer.seed)
    messages = begin_weights(network, trainer, name=NETWORK, with_first_weights=with_first_weights)
    parts = RegressionParts(
        network=network,
        record=model_record(recipe, source, prior),
        loss=recipe.loss,
        optimizer=recipe.optimizer,
        source=source,
        validation_source=open_data_set(held_out_config),
        validation_part=", ".join(filter(None, (trainer.validation.part, windows_in_words(held_out_config)))),
        shows_all_buildings=shows_all_buildings(held_out_config),
        num_previews=trainer.validation.num_previews,
    )
    return BuiltStage(RegressionStage(parts), {NETWORK: network}, messages)
