"""`radiodiff dataset describe`: what a data set folder holds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from radiodiff.data.inspect import Description

__all__ = ["describe"]

BLOCKS = " ▁▂▃▄▅▆▇█"


def describe(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a data set, of any layout.")],
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write it as JSON, too; '-' prints nothing else.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", help="Images opened of each folder.")] = 32,
    bins: Annotated[int, typer.Option("--bins", help="Bins of the histograms: 8, 16, 32, 64 or 256.")] = 16,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw of images.")] = 0,
) -> None:
    """Say what a folder holds: layout, counts, sizes, transmitters, values, splits.

    Example: radiodiff dataset describe data/RadioMapSeer
    """
    from radiodiff.atomic_file import atomic_write, check_target
    from radiodiff.cli.progress import waiting
    from radiodiff.data.inspect import describe_data_set

    if json_file not in (None, "-"):
        check_target(str(json_file))
    with waiting("looking"):
        description = describe_data_set(root, samples=samples, bins=bins, seed=seed)
    text = json.dumps(description.to_dict(), indent=1)
    if json_file == "-":
        typer.echo(text)
        return
    _print(description)
    if json_file is not None:
        with atomic_write(json_file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _print(description: "Description") -> None:
    from radiodiff.cli.tables import new_table, print_table

    is_indoors = description.layout in ("icassp", "arranged")
    what, of_each = ("buildings", "radio maps") if is_indoors else ("maps", "transmitters")
    ids = "" if description.map_ids is None else f", numbers {description.map_ids[0]} to {description.map_ids[1]}"
    typer.echo(f"{description.root}: {description.title}, {description.maps} {what}{ids}")
    if description.transmitters:
        typer.echo(
            "; ".join(f"{maps} {what} with {count} {of_each}" for count, maps in description.transmitters.items())
        )
    if description.shapes:
        sizes = ", ".join(f"{rows} x {cols} ({count})" for (rows, cols), count in description.shapes.items())
        typer.echo(f"sizes of sampled images, rows x columns: {sizes}")
    folders = new_table("files", "folder", "files", what, numbers=("files", what))
    for name, files, maps in _folder_rows(description):
        folders.add_row(name, f"{files:,}", "" if maps is None else f"{maps:,}")
    print_table(folders)
    columns = ("folder", "images", "lowest", "highest", "zeros", "levels 0 to 255")
    levels = new_table("values", *columns, numbers=columns[1:5])
    for histogram in description.histograms:
        most = max(max(histogram.counts), 1)
        bars = "".join(BLOCKS[-(-8 * count // most)] for count in histogram.counts)
        values = (histogram.images, histogram.lowest, histogram.highest, f"{histogram.zero_share:.1%}")
        levels.add_row(histogram.folder, *map(str, values), bars)
    print_table(levels)
    if description.splits:
        splits = new_table(
            "splits that fit", "name", "from", "maps of each part", "not in any", "absent", "in two parts"
        )
        for fit in description.splits:
            parts = ", ".join(f"{part} {count}" for part, count in fit.parts.items())
            shared = ", ".join(f"{pair} {count}" for pair, count in fit.shared.items()) or "none"
            splits.add_row(fit.name, fit.source, parts, str(fit.unused), str(fit.absent), shared)
        print_table(splits)
    for note in description.notes:
        typer.echo(f"note: {note}")


def _folder_rows(description: "Description") -> list[tuple[str, int, int | None]]:
    """Files by folder; the many draws of missing buildings on one line."""
    rows: dict[str, tuple[int, int | None]] = {}
    for folder in description.folders:
        *start, last = folder.folder.split("/")
        name = folder.folder
        if last.isdecimal() and len(start) >= 2:
            name = f"{'/'.join(start).rstrip('0123456789')}*"
        files, maps = rows.get(name, (0, folder.maps))
        rows[name] = files + folder.files, maps
    return [(name, *counts) for name, counts in rows.items()]
