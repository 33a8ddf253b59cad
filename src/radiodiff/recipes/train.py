"""From a recipe to a trained model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.selection import part_config
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.discriminator import build_discriminator
from radiodiff.models.parameters import ParameterRow, freeze, parameter_report
from radiodiff.models.warm_start import load_weights
from radiodiff.recipes.load import dump_recipe
from radiodiff.recipes.schema import AutoencoderRecipe
from radiodiff.training.autoencoder_stage import AutoencoderParts, AutoencoderStage
from radiodiff.training.provenance import UsedData, collect_provenance
from radiodiff.training.run import TrainingRun, in_first_process, make_accelerator

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["PreparedRun", "autoencoder_stage", "prepare_autoencoder"]


@dataclass(frozen=True)
class PreparedRun:
    """A run whose folder is ready.

    Attributes:
        run: The run.
        accelerator: Its processes.
        messages: What a person should read before it starts.
        parameters: Trainable and frozen parameters of each network and its parts.
    """

    run: TrainingRun
    accelerator: "Accelerator"
    messages: tuple[str, ...]
    parameters: tuple[ParameterRow, ...]


def prepare_autoencoder(recipe: AutoencoderRecipe, resume: str | None = None) -> PreparedRun:
    """Open the data, build the networks, restore a checkpoint, and write recipe and provenance to the run's folder.

    Args:
        recipe: Everything about the run.
        resume: Checkpoint to go on from: "latest", "best", the number of a milestone or a folder; None begins anew.

    Raises:
        ConfigError: The recipe contradicts itself, the data or the machine.
        CheckpointError: There are no such weights or no such checkpoint, or they are of another network.
        DataSetError: The data set is not there or has not what is asked for.
        TrainingError: A new run is given a folder that holds something.
    """
    accelerator = make_accelerator(recipe.trainer)
    stage, messages = autoencoder_stage(recipe, with_first_weights=resume is None)
    run = TrainingRun(stage, recipe.trainer, accelerator, resume)

    def begin() -> None:
        data = UsedData(recipe.data.kind, str(recipe.data.root), len(stage.source))
        provenance = collect_provenance(
            num_processes=accelerator.num_processes,
            precision=recipe.trainer.precision,
            seed=recipe.trainer.seed,
            data=data,
        )
        run.folder.begin(dump_recipe(recipe), provenance, resume_step=run.resume_step)

    in_first_process(accelerator, begin)
    parts = stage.parts
    networks = {"autoencoder": parts.autoencoder} | (
        {} if parts.discriminator is None else {"discriminator": parts.discriminator}
    )
    return PreparedRun(run, accelerator, messages, parameter_report(networks))


def autoencoder_stage(
    recipe: AutoencoderRecipe, *, with_first_weights: bool = True
) -> tuple[AutoencoderStage, tuple[str, ...]]:
    """The first stage of a recipe, and what was loaded and frozen, in sentences.

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
    autoencoder = build_autoencoder(recipe.autoencoder, seed=trainer.seed)
    messages = []
    start = trainer.warm_start
    if start.init_from is not None and with_first_weights:
        found = load_weights(autoencoder, start.init_from, allow_missing=start.allow_missing)
        messages.append(str(found))
    if start.freeze:
        freeze(autoencoder, start.freeze)
    if trainer.gradient_checkpointing:
        autoencoder.enable_gradient_checkpointing()
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
            data=recipe.data.model_dump(mode="json", exclude={"root", "part", "augment"}),
            examples=recipe.examples.model_dump(mode="json", exclude={"crop_size"}),
        ),
        num_latent_maps=recipe.latents.num_examples,
        num_previews=trainer.validation.num_previews,
        seed=trainer.seed,
    )
    return AutoencoderStage(parts), tuple(messages)
