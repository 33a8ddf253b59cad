"""Options of the commands that use a trained model on a data set."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Cpu",
    "Data",
    "Draws",
    "Limit",
    "Mask",
    "Model",
    "Overrides",
    "Part",
    "Precision",
    "Seed",
    "Stochastic",
    "Window",
]

Model = Annotated[Path, typer.Option("--model", help="Folder of an autoencoder, or of the run that left it.")]

Data = Annotated[Path, typer.Option("--data", help="Folder of a data set of the kind it was trained on.")]

Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Changes to its data settings, such as data.simulation=IRT2."),
]

Cpu = Annotated[bool, typer.Option("--cpu", help="Use the CPU even where there is a GPU.")]

Part = Annotated[str, typer.Option("--split", help="Part of the data set: test, validation, train or all.")]

Draws = Annotated[
    int, typer.Option("--draws", help="Draws of each map; their mean is the prediction (diffusion models).")
]

Seed = Annotated[
    int, typer.Option("--seed", help="Seed of the draws; a map's follow from it and the number of its example.")
]

Stochastic = Annotated[
    bool | None,
    typer.Option(
        "--stochastic/--deterministic",
        help="Sampler; by default that of the model (diffusion models).",
        show_default=False,
    ),
]

Window = Annotated[
    str,
    typer.Option(
        "--window", help="auto cuts maps larger than those of the training; whole never; or cells of an edge."
    ),
]

Mask = Annotated[
    bool,
    typer.Option(
        "--mask/--no-mask",
        help="Put the lowest level into buildings, but for cells at walls, where the true maps have it (RadioMapSeer).",
    ),
]

Precision = Annotated[str, typer.Option("--precision", help="Weights of the networks: fp32, bf16 or fp16.")]

Limit = Annotated[int | None, typer.Option("--limit", help="Most maps, spread evenly over the part.")]
