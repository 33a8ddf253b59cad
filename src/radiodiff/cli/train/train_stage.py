"""A training, from its recipe to what a person reads in the end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from radiodiff.cli.progress import tracked_beside, waiting
from radiodiff.cli.recipe_keys import keys_in_errors
from radiodiff.cli.train.recipe_of_run import load_recipe_or_that_of_run

if TYPE_CHECKING:
    from radiodiff.recipes.schema import Recipe
    from radiodiff.recipes.train import PreparedRun
    from radiodiff.training.reports import Listener

__all__ = ["train_stage"]

SIGNALLED = 128
"""A process that a signal ended has this code plus the signal's number."""


def train_stage(
    kind: "type[Recipe]", config: str | None, resume: str | None, overrides: Sequence[str], *, allow_missing: bool
) -> None:
    """Train a stage.

    Args:
        kind: What its recipes hold.
        config: Name or file of a recipe, or None.
        resume: What `--resume` was given, or None.
        overrides: Changes `key=value`.
        allow_missing: Take what fits of the weights to begin with.

    Raises:
        RadiodiffError: See `prepare_run` and `TrainingRun.run`.
        typer.Exit: A signal ended the training.
    """
    changes = [*overrides, *(["trainer.warm_start.allow_missing=true"] if allow_missing else [])]
    recipe = load_recipe_or_that_of_run(kind, config, resume, changes)
    with keys_in_errors(kind):
        with waiting("preparing") as spinner:
            from radiodiff.recipes.train import prepare_run

            prepared = prepare_run(recipe, resume, track=tracked_beside(spinner))
        is_main = prepared.accelerator.is_main_process
        listeners = _listeners(prepared, recipe.trainer.log_every) if is_main else []
        if is_main:
            _print_parameters(prepared)
        for message in prepared.messages:
            for listener in listeners:
                listener.on_message(message)
        # The process group ends with the process: gloo may wait for ever if the wrapped networks hold it last.
        outcome = prepared.run.run(listeners)
    if not is_main:
        return
    skipped = f", {outcome.num_skipped} skipped" if outcome.num_skipped else ""
    steps = f"step {outcome.step} of {recipe.trainer.max_steps}{skipped}"
    typer.echo(f"{prepared.run.folder.path}: {steps}; {outcome.reason}")
    if outcome.model is not None:
        typer.echo(f"model: {outcome.model}")
    if outcome.step < recipe.trainer.max_steps:
        typer.echo(f"go on: radiodiff train {recipe.stage} --resume {prepared.run.folder.path}")
    if outcome.signal is not None:
        raise typer.Exit(SIGNALLED + outcome.signal)


def _print_parameters(prepared: "PreparedRun") -> None:
    from radiodiff.cli.tables import new_table, print_table

    table = new_table("parameters", "network", "trained", "frozen", numbers=("trained", "frozen"))
    for row in prepared.parameters:
        table.add_row(row.name, f"{row.trainable:,}", f"{row.frozen:,}")
    print_table(table)


def _listeners(prepared: "PreparedRun", every: int) -> "list[Listener]":
    from radiodiff.training.listeners import (
        JsonLinesListener,
        ProgressListener,
        TensorBoardListener,
        TextLogListener,
    )

    folder, step = prepared.run.folder, prepared.run.resume_step or 0
    return [
        ProgressListener(),
        JsonLinesListener(folder.json_lines, every, resume_step=step),
        TextLogListener(folder.text_log, every),
        TensorBoardListener(folder.tensorboard, every, resume_step=step),
    ]
