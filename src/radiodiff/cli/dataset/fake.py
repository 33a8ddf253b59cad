"""`radiodiff dataset fake`: made-up files in the layout of a data set, for tests and trials."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["fake"]

KINDS = ("radiomapseer", "icassp")


def fake(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="radiomapseer or icassp.")],
    out: Annotated[Path, typer.Option("--out", help="Folder, empty or absent.")],
    maps: Annotated[int, typer.Option("--maps", help="Number of maps (icassp: buildings).")],
    tx_per_map: Annotated[
        int, typer.Option("--tx-per-map", help="Transmitters on each (icassp: of each building, antenna and band).")
    ],
    seed: Annotated[int, typer.Option("--seed", help="Seed: the same seed gives the same files.")],
    size: Annotated[
        int | None, typer.Option("--size", help="Rows and columns, by default 256 (icassp: 60 to 110).")
    ] = None,
    simulation: Annotated[
        list[str] | None,
        typer.Option("--simulation", help="DPM, IRT2 or IRT4, by default all (radiomapseer). Repeat for more."),
    ] = None,
    cars: Annotated[
        bool | None,
        typer.Option("--cars/--no-cars", help="Cars, and gains with them, by default made (radiomapseer)."),
    ] = None,
    missing_layers: Annotated[
        bool | None,
        typer.Option(
            "--missing-layers/--no-missing-layers",
            help="The 48 layers with missing buildings, by default made (radiomapseer).",
        ),
    ] = None,
    thresholded: Annotated[
        bool, typer.Option("--thresholded", help="Gains on the thresholded scale (radiomapseer).")
    ] = False,
) -> None:
    """Make up a data set with the files and the layout of a published one. Not for figures.

    Example: radiodiff dataset fake radiomapseer --out out/fake --maps 4 --tx-per-map 8 --seed 1 --size 64
    """
    from dataclasses import replace

    from radiodiff.cli.progress import counted
    from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
    from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
    from radiodiff.errors import InputError

    if kind not in KINDS:
        raise InputError(
            f"The kind of a fake data set must be {' or '.join(KINDS)}", value=repr(kind), remedy="Take one of these."
        )
    if kind == "icassp":
        others = {
            "--simulation": bool(simulation),
            "--cars/--no-cars": cars is not None,
            "--missing-layers/--no-missing-layers": missing_layers is not None,
            "--thresholded": thresholded,
        }
        if any(others.values()):
            raise InputError(
                f"{', '.join(others)} belong to radiomapseer",
                value=f"icassp with {' and '.join(name for name, is_given in others.items() if is_given)}",
                remedy="Leave them out.",
            )
        rooms = FakeIcasspSettings(buildings=maps, samples=tx_per_map, seed=seed)
        if size is not None:
            rooms = replace(rooms, smallest=size, largest=size)
        counted(write_fake_icassp(out, rooms), "writing", "radio maps")
    else:
        settings = FakeRadioMapSeerSettings(
            maps,
            tx_per_map,
            seed,
            size=256 if size is None else size,
            cars=cars is not False,
            missing_layers=missing_layers is not False,
            thresholded=thresholded,
        )
        if simulation:
            settings = replace(settings, simulations=tuple(simulation))
        counted(write_fake_radiomapseer(out, settings), "writing", "maps")
    typer.echo(f"{out}: {sum(path.is_file() for path in out.rglob('*'))} files of made-up data")
