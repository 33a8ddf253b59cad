"""Arguments of the commands that train."""

from typing import Annotated

import typer

__all__ = ["AllowMissing", "Config", "Overrides", "Resume"]

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe.", show_default=False)
]

Config = Annotated[
    str | None,
    typer.Option("--config", help="Name of a recipe (radiodiff config list) or a YAML file.", show_default=False),
]

Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        help="Go on from the folder of a run, of a checkpoint, or, with --config or trainer.run_dir: latest, best, "
        "number of a milestone.",
        show_default=False,
    ),
]

AllowMissing = Annotated[
    bool, typer.Option("--allow-missing", help="Take what fits of trainer.warm_start.init_from, and list the rest.")
]
