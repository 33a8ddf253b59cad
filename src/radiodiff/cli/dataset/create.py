"""`radiodiff dataset create`: a data set of cities and radio maps."""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.data.create import CreateSettings, Scenario
    from radiodiff.formats.layout_folder import Layout
    from radiodiff.propagation import PropagationModel

__all__ = ["create", "steps_shown"]

Result = TypeVar("Result")

LINE_S = 60.0
"""How often a run without a terminal tells how far it is [s]."""


def create(
    out: Annotated[Path, typer.Option("--out", help="Folder of the data set; an unfinished one is completed.")],
    maps: Annotated[int, typer.Option("--maps", help="Number of cities.")],
    tx_per_map: Annotated[int, typer.Option("--tx-per-map", help="Transmitters on each.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed: the same seed gives the same files.")],
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            metavar="NAME[:PRESET]",
            help="dominant-path (default), ray-launching, ray-tracing; repeat for several targets of the same scenes.",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Preset of the engines that have it and name none.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            help="Transmitters: street, a metre above the receivers (default); rooftop, above roofs and on masts; "
            "radiomapseer, as high as the receivers (default for dominant-path alone).",
        ),
    ] = None,
    layouts: Annotated[
        Path | None,
        typer.Option("--layouts", help="Folder of radiodiff layouts extract, in the place of generated cities."),
    ] = None,
    cars: Annotated[bool, typer.Option("--cars", help="Write cars, and gains with them, too.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes, by default one per core; the files do not depend on it.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Address of a dask scheduler, such as tcp://10.0.0.1:8786: its workers work."),
    ] = None,
    max_hours: Annotated[
        float | None, typer.Option("--max-hours", help="End after so many hours; the same command goes on.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare all files with their checksums, and make again what differs.")
    ] = False,
    style: Annotated[str, typer.Option("--style", help="City style, or 'mixed'.")] = "mixed",
    size: Annotated[int, typer.Option("--size", help="Rows and columns of a generated map, in cells of 1 m.")] = 256,
    frequency: Annotated[float, typer.Option("--frequency", help="Carrier in hertz.")] = 5.9e9,
) -> None:
    """Make cities and radio maps in RadioMapSeer's layout on disk.

    Example: radiodiff dataset create --out data/city --maps 20 --tx-per-map 8 --seed 1
    """
    from os import cpu_count

    from radiodiff.data.create import CreateSettings, RunOptions, create_data_set
    from radiodiff.layouts import CitySettings

    engines = _engines(engine or ["dominant-path"], preset)
    settings = CreateSettings(
        maps,
        tx_per_map,
        seed,
        cars,
        CitySettings(rows=size, cols=size, style=style),
        engines=engines,
        scenario=cast("Scenario", scenario or ("radiomapseer" if list(engines) == ["DPM"] else "street")),
        layouts=_layouts(layouts),
        frequency_hz=frequency,
    )
    options = RunOptions((cpu_count() or 1) if workers is None else workers, scheduler, max_hours, verify)
    report = steps_shown(create_data_set(out, settings, options=options))
    _tell(out, settings, report.num_maps, report.seconds)


def _engines(names: list[str], preset: str | None) -> "dict[str, PropagationModel]":
    """Engines by their folder under `gain`.

    Raises:
        InputError: An engine makes no data set, or is named twice, or none takes the preset.
        PropagationError: There is no such engine or preset.
    """
    from radiodiff.data.create import SIMULATIONS
    from radiodiff.propagation import make_engine

    engines: dict[str, PropagationModel] = {}
    is_taken = preset is None
    for text in names:
        name, _, own = text.partition(":")
        if name not in SIMULATIONS or SIMULATIONS[name] in engines:
            raise InputError(
                f"The engines of a data set must be different ones of {', '.join(SIMULATIONS)}",
                value=", ".join(names),
                remedy="Make a data set of its own for another preset of the same engine.",
            )
        takes = not own and preset is not None and preset in _presets(name)
        is_taken |= takes
        chosen = preset if takes else own
        engines[SIMULATIONS[name]] = make_engine(name, chosen) if chosen else make_engine(name)
    if not is_taken:
        known = "; ".join(f"{name}: {', '.join(_presets(name)) or 'none'}" for name in SIMULATIONS)
        raise InputError(
            "A preset must be one of an engine that names none itself",
            value=f"--preset {preset} with {', '.join(names)}",
            remedy=f"Presets of {known}.",
        )
    return engines


def _presets(name: str) -> list[str]:
    """Names of the presets of an engine."""
    from radiodiff.propagation.presets import PRESETS

    return sorted(PRESETS.get(name, ()))


def _layouts(folder: Path | None) -> "tuple[Layout, ...]":
    if folder is None:
        return ()
    from radiodiff.formats.layout_folder import read_layouts

    return tuple(read_layouts(folder))


def steps_shown(steps: "Generator[tuple[int, int], None, Result]") -> "Result":
    """What steps (done, wanted) return in the end: a bar on a terminal, else a line a minute with the time left."""
    from radiodiff.cli.progress import counted_result

    return counted_result(steps if sys.stderr.isatty() else _lines(steps), "creating", "maps")


def _lines(steps: "Generator[tuple[int, int], None, Result]") -> "Generator[tuple[int, int], None, Result]":
    """The same steps, telling how far they are."""
    from time import monotonic

    begin = last = monotonic()
    first: int | None = None

    while True:
        try:
            done, wanted = next(steps)
        except StopIteration as end:
            return cast("Result", end.value)
        first = done if first is None else first
        now = monotonic()
        if now - last >= LINE_S and done > first:
            left_h = (now - begin) / (done - first) * (wanted - done) / 3600.0
            typer.echo(f"{done} of {wanted} maps, {left_h:.2f} h left", err=True)
            last = now
        yield done, wanted


def _tell(out: Path, settings: "CreateSettings", num_maps: int, seconds: float) -> None:
    num_radio_maps = num_maps * settings.tx_per_map * len(settings.simulations)
    scenes = "layouts" if settings.layouts else "cities"
    typer.echo(f"{out}: {num_maps} {scenes}, {num_radio_maps} radio maps ({seconds:.1f} s)")
    if num_maps < settings.maps:
        typer.echo(f"{out}: {num_maps} of {settings.maps} maps in the time given; the same command goes on")
