"""`radiodiff latents`: what the latents of an autoencoder look like."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiodiff.cli.model_options import Cpu, Data, Model, Overrides

if TYPE_CHECKING:
    from radiodiff.models.latent_statistics import LatentStatistics

__all__ = ["latents"]


def latents(
    model: Model,
    data: Data,
    overrides: Overrides = None,
    part: Annotated[str, typer.Option("--part", help="Part of the data set.")] = "train",
    num: Annotated[int, typer.Option("--num", help="Maps to encode, spread evenly over the part.")] = 1_000,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Maps at a time.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the samples.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the statistics as JSON; - prints them.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Write the statistics and the scaling factor into the model's folder.")
    ] = False,
    cpu: Cpu = False,
) -> None:
    """Encode maps and measure mean, spread and activity of each latent channel, and the scaling factor.

    A finished run has measured its own. A converted autoencoder has not: --save gives it its scaling factor.

    Example: radiodiff latents --model models/autoencoder --data data/city --save
    """
    from radiodiff.atomic_file import atomic_write, check_target
    from radiodiff.cli.model_data import ModelData
    from radiodiff.cli.recipe_keys import keys_in_errors

    is_printed = json_file is not None and str(json_file) == "-"
    if json_file is not None and not is_printed:
        check_target(json_file)
    with keys_in_errors(ModelData):
        found, folder = _measure(_Wanted(model, data, overrides or [], part, num, batch_size, seed, save, cpu))
    text = json.dumps({"part": part, "seed": seed, **found.to_dict()}, indent=1)
    if is_printed:
        typer.echo(text)
        return
    if json_file is not None:
        with atomic_write(json_file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    _print(found, part)
    if save:
        typer.echo(f"{folder}: scaling_factor written")


@dataclass(frozen=True)
class _Wanted:
    """What the user gave."""

    model: Path
    data: Path
    overrides: list[str]
    part: str
    num: int
    batch_size: int
    seed: int
    save: bool
    cpu: bool


def _measure(wanted: _Wanted) -> "tuple[LatentStatistics, Path]":
    """The statistics, and the folder of the autoencoder, where they are written if wanted."""
    from radiodiff.cli.progress import tracked, waiting

    with waiting("loading"):
        from radiodiff.cli.model_data import load_model, open_model_data
        from radiodiff.data.loader import BatchLoader, spread
        from radiodiff.models.autoencoder_folder import find_autoencoder, save_autoencoder
        from radiodiff.models.latent_statistics import measure_latents

        folder = find_autoencoder(wanted.model)
        network, record = load_model(folder, on_cpu=wanted.cpu)
        examples = open_model_data(record, wanted.data, wanted.part, wanted.overrides)
    batches = BatchLoader(examples, wanted.batch_size, sampler=spread(len(examples), wanted.num))
    maps = (batch.condition[:, : examples.num_inputs] for batch in batches)
    found = measure_latents(network, tracked(maps, len(batches), "encoding", "batches"), seed=wanted.seed)
    if wanted.save:
        save_autoencoder(folder, network, replace(record, latents=found))
    return found, folder


def _print(found: "LatentStatistics", part: str) -> None:
    from radiodiff.cli.tables import new_table, print_table

    columns = ("mean", "std", "variance of the mean", "std of the posterior", "divergence [nat]")
    table = new_table("latents", "channel", *columns, numbers=("channel", *columns))
    rows = zip(found.mean, found.std, found.mean_variance, found.mean_posterior_std, found.divergence_nats, strict=True)
    for channel, row in enumerate(rows):
        table.add_row(str(channel), *(f"{value:.4g}" for value in row))
    print_table(table)
    typer.echo(
        f"{found.num_maps} maps of part {part}; scaling_factor {found.scaling_factor:.6g}; "
        f"{found.active_units} of {found.num_channels} channels are active"
    )
