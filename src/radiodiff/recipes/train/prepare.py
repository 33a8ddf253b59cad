"""From a recipe to a run whose folder is ready."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from radiodiff.models.parameters import ParameterRow, parameter_report
from radiodiff.recipes.load import dump_recipe
from radiodiff.recipes.schema import AutoencoderRecipe, DiffusionRecipe, Recipe
from radiodiff.recipes.train.autoencoder import build_autoencoder_stage
from radiodiff.recipes.train.baseline import build_baseline_stage
from radiodiff.recipes.train.built import BuiltStage
from radiodiff.recipes.train.diffusion import build_diffusion_stage
from radiodiff.training.fill_latents import Track, untracked
from radiodiff.training.provenance import UsedData, collect_provenance
from radiodiff.training.run import TrainingRun, in_first_process, make_accelerator
from radiodiff.training.run_folder import RunFolder

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["PreparedRun", "prepare_run"]


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


def prepare_run(recipe: Recipe, resume: str | None = None, *, track: Track = untracked) -> PreparedRun:
    """Open the data, build the networks, restore a checkpoint, and write recipe and provenance to the run's folder.

    Args:
        recipe: Everything about the run, of any stage.
        resume: Checkpoint to go on from: "latest", "best", the number of a milestone or a folder; None begins anew.
        track: Shows the progress of what takes long before the first step, such as encoding maps.

    Raises:
        ConfigError: The recipe contradicts itself, the data, the first stage or the machine.
        CheckpointError: There are no such weights or no such checkpoint, or they are of another network.
        DataSetError: The data set is not there or has not what is asked for.
        TrainingError: A new run is given a folder that holds something.
    """
    accelerator = make_accelerator(recipe.trainer)
    if resume is None:
        # Before anything that takes long.
        in_first_process(accelerator, RunFolder(recipe.trainer.run_dir).check_free)
    track = track if accelerator.is_main_process else untracked
    built = _built(recipe, accelerator, is_new=resume is None, track=track)
    run = TrainingRun(built.stage, recipe.trainer, accelerator, resume)

    def begin() -> None:
        data = UsedData(recipe.data.kind, str(recipe.data.root), len(built.stage.source))
        provenance = collect_provenance(
            num_processes=accelerator.num_processes,
            precision=recipe.trainer.precision,
            seed=recipe.trainer.seed,
            data=data,
        )
        run.folder.begin(dump_recipe(recipe), provenance, resume_step=run.resume_step)

    in_first_process(accelerator, begin)
    return PreparedRun(run, accelerator, built.messages, parameter_report(built.networks))


def _built(recipe: Recipe, accelerator: "Accelerator", *, is_new: bool, track: Track) -> BuiltStage:
    if isinstance(recipe, AutoencoderRecipe):
        return build_autoencoder_stage(recipe, with_first_weights=is_new)
    if isinstance(recipe, DiffusionRecipe):
        return build_diffusion_stage(recipe, accelerator, with_first_weights=is_new, track=track)
    return build_baseline_stage(recipe, with_first_weights=is_new)
