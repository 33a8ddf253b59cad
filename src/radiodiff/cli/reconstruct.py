"""`radiodiff reconstruct`: maps through an autoencoder and back, and how much is lost."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiodiff.cli.model_options import Cpu, Data, Model, Overrides

if TYPE_CHECKING:
    from radiodiff.training.reconstruction import ReconstructionReport

__all__ = ["reconstruct"]

NUM_SHOWN = 6
"""Maps in the overview."""


def reconstruct(
    model: Model,
    data: Data,
    overrides: Overrides = None,
    part: Annotated[str, typer.Option("--part", help="Part of the data set.")] = "test",
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder for images, metrics.csv, metrics.json and overview.png.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Most maps, spread evenly over the part.")] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", help="Maps at a time; maps of different sizes need 1.")
    ] = 1,
    cpu: Cpu = False,
) -> None:
    """Reconstruct the maps of a data set and print how well that works.

    With --out: maps/NAME.png (grey, on the scale of the model; NAME_CHANNEL.png where there are several channels),
    metrics.csv with each map, metrics.json with means and protocol, and overview.png.

    Example: radiodiff reconstruct --model runs/tiny --data data/city --out reconstructions
    """
    from radiodiff.cli.model_data import ModelData
    from radiodiff.cli.new_folder import check_new_folder
    from radiodiff.cli.recipe_keys import keys_in_errors

    if out is not None:
        check_new_folder(out)
    with keys_in_errors(ModelData):
        report = _report(_Wanted(model, data, overrides or [], part, out, limit, batch_size, cpu))
    _print(report)
    if out is not None:
        typer.echo(f"{out}: written")


@dataclass(frozen=True)
class _Wanted:
    """What the user gave."""

    model: Path
    data: Path
    overrides: list[str]
    part: str
    out: Path | None
    limit: int | None
    batch_size: int
    cpu: bool


def _report(wanted: _Wanted) -> "ReconstructionReport":
    """Reconstruct, and write what is wanted."""
    from radiodiff.cli.new_folder import new_folder
    from radiodiff.cli.progress import tracked, waiting

    with waiting("loading"):
        from radiodiff.cli.model_data import load_model, open_model_data
        from radiodiff.cli.reconstruction_files import write_map, write_report
        from radiodiff.data.loader import BatchLoader, spread
        from radiodiff.training.reconstructed_maps import reconstructed_maps
        from radiodiff.training.reconstruction import ReconstructionScores, posterior_means

        network, record = load_model(wanted.model, on_cpu=wanted.cpu)
        examples = open_model_data(record, wanted.data, wanted.part, wanted.overrides, for_figures=True)
    numbers = spread(len(examples), len(examples) if wanted.limit is None else wanted.limit)
    share = "" if len(numbers) == len(examples) else f" ({len(numbers)} of its {len(examples)} examples)"
    said = ", ".join(filter(None, (f"{wanted.part}{share}", examples.windows)))
    scores = ReconstructionScores(scale=examples.scale, part=said, num_previews=NUM_SHOWN)
    batches = BatchLoader(examples, wanted.batch_size, sampler=numbers)
    maps = reconstructed_maps(
        posterior_means(network, examples.num_inputs), batches, shows_all_buildings=examples.shows_all_buildings
    )
    with new_folder(wanted.out) as folder:
        for found in tracked(maps, len(numbers), "reconstructing", "maps"):
            scores.add(found)
            if folder is not None:
                write_map(found, folder, examples.scale)
        report = scores.report()
        if folder is not None:
            source = {"model": str(wanted.model), "data": str(wanted.data), "part": wanted.part}
            write_report(report, folder, source)
    return report


def _print(report: "ReconstructionReport") -> None:
    from radiodiff.cli.tables import new_table, print_table

    outdoor, undefined = "outdoor/", "undefined/"
    columns = ["all cells"] + (["outside buildings"] if report.num_outdoor_cells is not None else [])
    table = new_table("reconstruction", "", *columns, numbers=tuple(columns))
    for title, figures in (("mean {}", report.means), ("{} of all maps together", report.pooled)):
        for name in figures:
            if outdoor in name or name.startswith(undefined):
                continue
            channel, _, plain = name.rpartition("/")
            values = [figures.get(name), figures.get(f"{channel}/{outdoor}{plain}" if channel else f"{outdoor}{plain}")]
            shown = ["" if value is None else f"{value:.4g}" for value in values[: len(columns)]]
            table.add_row(title.format(name), *shown)
    print_table(table)
    cells = [f"{report.num_cells} cells"]
    if report.num_outdoor_cells is not None:
        cells.append(f"{report.num_outdoor_cells} of them outside buildings")
    typer.echo(f"{len(report.per_example)} maps, {', '.join(cells)}")
    typer.echo(f"protocol: {report.protocol}")
    for name, count in report.means.items():
        if name.startswith(undefined):
            lacking = f"{count:g} of {len(report.per_example)} maps"
            typer.echo(f"note: {name.removeprefix(undefined)} is not defined for {lacking}; its mean leaves them out")
