"""`radiodiff train autoencoder`: the first stage."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from radiodiff.recipes.train import PreparedRun
    from radiodiff.training.reports import Listener

__all__ = ["autoencoder"]

SIGNALLED = 128
"""A process that a signal ended has this code plus the signal's number."""


def autoencoder(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe.", show_default=False)
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", help="Name of a recipe (radiodiff config list) or a YAML file.", show_default=False),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            help="Go on from the folder of a run, of a checkpoint, or, with --config or trainer.run_dir: latest, best, "
            "number of a milestone.",
            show_default=False,
        ),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Take what fits of trainer.warm_start.init_from, and list the rest.")
    ] = False,
) -> None:
    """Train an autoencoder; the run leaves RUN/autoencoder.

    Example: radiodiff train autoencoder --config autoencoder/tiny data.root=data/city trainer.run_dir=runs/tiny

    Several processes: torchrun --standalone --nproc_per_node 2 -m radiodiff train autoencoder ...
    """
    from radiodiff.cli.progress import waiting
    from radiodiff.cli.recipe_keys import keys_in_errors
    from radiodiff.cli.train.recipe_of_run import load_recipe_or_that_of_run

    changes = [*(overrides or []), *(["trainer.warm_start.allow_missing=true"] if allow_missing else [])]
    recipe = load_recipe_or_that_of_run(config, resume, changes)
    with keys_in_errors(type(recipe)):
        with waiting("preparing"):
            from radiodiff.recipes.train import prepare_autoencoder

            prepared = prepare_autoencoder(recipe, resume)
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
        typer.echo(f"go on: radiodiff train autoencoder --resume {prepared.run.folder.path}")
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
