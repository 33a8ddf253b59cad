"""The second stage of a recipe."""

from typing import TYPE_CHECKING, TypeVar

from radiodiff.data.loader import ExampleSource
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import open_data_set, part_config, shows_all_buildings, windows_in_words
from radiodiff.models.unet import build_unet
from radiodiff.pipeline.prior import Prior
from radiodiff.recipes.first_stage import FirstStage, load_first_stage
from radiodiff.recipes.prior import open_prior
from radiodiff.recipes.schema import DiffusionRecipe
from radiodiff.recipes.train.built import BuiltStage, begin_weights
from radiodiff.recipes.train.model_record import model_record
from radiodiff.training.diffusion_stage import DiffusionParts, DiffusionStage
from radiodiff.training.fill_latents import Track, fill_latents, untracked
from radiodiff.training.latent_cache import LatentCache
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.latent_source import CachedExamples, check_first_stage, measure_scaling_factor
from radiodiff.training.run import in_first_process

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["build_diffusion_stage"]

Value = TypeVar("Value")

UNET = "unet"


def build_diffusion_stage(
    recipe: DiffusionRecipe,
    accelerator: "Accelerator",
    *,
    with_first_weights: bool = True,
    track: Track = untracked,
) -> BuiltStage:
    """Open data and first stage, build the network, and see to the latents: their factor, and their cache.

    Args:
        recipe: Everything about the run.
        accelerator: Processes and devices: latents are measured and kept by them.
        with_first_weights: Load the weights of `trainer.warm_start` and measure the factor; a run that goes on has its
            own.
        track: Shows the progress of what takes long.

    Raises:
        ConfigError: The recipe contradicts itself, the data or the first stage.
        CheckpointError: First stage or weights are not there, or of another network, or the cache is not writable.
        DataSetError: The data set is not there or has not what is asked for.
    """
    trainer = recipe.trainer
    first_stage = load_first_stage(recipe.autoencoder)
    source = open_data_set(recipe.data)
    held_out_config = part_config(recipe.data, trainer.validation.part)
    prior = open_prior(recipe.prior, source)
    check_first_stage(first_stage.record, source, prior)
    unet = build_unet(
        recipe.unet,
        condition_channels=len(source.encoding.names),
        latent_channels=first_stage.config.latent_channels,
        latent_factor=first_stage.config.factor,
        diffusion=recipe.diffusion,
        seed=trainer.seed,
    )
    messages = begin_weights(unet, trainer, name=UNET, with_first_weights=with_first_weights)
    encoder = LatentEncoder(first_stage.network, unet.size_multiple, prior)
    encoder.to(accelerator.device)
    said = recipe.latents.scaling_factor
    # A run that goes on has that of its checkpoint; another number in the recipe is refused there.
    factor = None if said == "measured" else said
    if with_first_weights:
        factor, how = _scaling_factor(recipe, first_stage, prior, accelerator, track)
        messages = (*messages, f"latents times {factor:.6g}, {how}")
    parts = DiffusionParts(
        unet=unet,
        autoencoder=first_stage.network,
        record=model_record(recipe, source, prior),
        diffusion=recipe.diffusion,
        loss=recipe.loss,
        sampling=recipe.sampling,
        optimizer=recipe.optimizer,
        scaling_factor=factor,
        is_sampled=recipe.latents.is_sampled,
        source=_with_latents(recipe, encoder, source, accelerator, track),
        validation_source=open_data_set(held_out_config),
        validation_part=", ".join(filter(None, (trainer.validation.part, windows_in_words(held_out_config)))),
        shows_all_buildings=shows_all_buildings(held_out_config),
        num_previews=trainer.validation.num_previews,
        seed=trainer.seed,
        prior=prior,
    )
    return BuiltStage(DiffusionStage(parts), {UNET: unet, "autoencoder": first_stage.network}, messages)


def _scaling_factor(
    recipe: DiffusionRecipe, first_stage: FirstStage, prior: Prior | None, accelerator: "Accelerator", track: Track
) -> tuple[float, str]:
    """The factor on the latents, one for all processes, and where it is from."""
    config = recipe.latents
    if config.scaling_factor != "measured":
        return config.scaling_factor, "as the recipe says"
    if first_stage.scaling_factor is not None:
        return first_stage.scaling_factor, f"as in {first_stage.folder}"
    whole = open_data_set(part_config(recipe.data, recipe.data.part))

    def measure() -> float:
        network, count = first_stage.network, config.num_examples
        return measure_scaling_factor(network, whole, count, seed=recipe.trainer.seed, track=track, prior=prior)

    factor = _shared(accelerator, in_first_process(accelerator, measure))
    return factor, f"measured on {min(config.num_examples, len(whole))} training maps"


def _shared(accelerator: "Accelerator", value: Value | None) -> Value:
    """What the first process has."""
    from accelerate.utils import broadcast_object_list

    values = [value]
    if accelerator.num_processes > 1:
        broadcast_object_list(values)
    (found,) = values
    assert found is not None
    return found


def _with_latents(
    recipe: DiffusionRecipe,
    encoder: LatentEncoder,
    source: RepeatedTargets,
    accelerator: "Accelerator",
    track: Track,
) -> ExampleSource:
    """The training data, with latents from the cache where there shall be one."""
    if recipe.latents.cache is None:
        return source
    cache = LatentCache(recipe.latents.cache, encoder, source)
    fill_latents(cache, accelerator, threads=recipe.trainer.loader_threads, track=track)
    return CachedExamples(cache)
