"""Options of the commands that use a trained model on a data set."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Cpu", "Data", "Model", "Overrides"]

Model = Annotated[Path, typer.Option("--model", help="Folder of an autoencoder, or of the run that left it.")]

Data = Annotated[Path, typer.Option("--data", help="Folder of a data set of the kind it was trained on.")]

Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Changes to its data settings, such as data.split=all."),
]

Cpu = Annotated[bool, typer.Option("--cpu", help="Use the CPU even where there is a GPU.")]
