"""`radiodiff dataset create`: a data set of cities and radio maps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiodiff.cli.dataset.runs import MaxHours, Missing, Scheduler, Verify, Workers, run_options, steps_shown
from radiodiff.cli.map_options import BuildingMaterial, Frequency, GroundMaterial
from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.data.create import CreateSettings, Scenario
    from radiodiff.formats.layout_folder import Layout
    from radiodiff.layouts import CitySettings
    from radiodiff.propagation import PropagationModel

__all__ = ["create"]


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
    missing: Missing = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    max_hours: MaxHours = None,
    verify: Verify = False,
    style: Annotated[
        str | None, typer.Option("--style", help="Style of generated cities, or 'mixed'.", show_default="mixed")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", help="Rows and columns of a generated map, in cells of 1 m.", show_default="256"),
    ] = None,
    frequency: Frequency = 5.9e9,
    building_material: BuildingMaterial = None,
    ground_material: GroundMaterial = None,
) -> None:
    """Make cities and radio maps in RadioMapSeer's layout on disk.

    Example: radiodiff dataset create --out data/city --maps 20 --tx-per-map 8 --seed 1
    """
    from radiodiff.data.create import CreateSettings, create_data_set

    engines = _with_materials(_engines(engine or ["dominant-path"], preset), building_material, ground_material)
    settings = CreateSettings(
        maps,
        tx_per_map,
        seed,
        cars,
        _city(layouts, style, size),
        engines=engines,
        scenario=cast("Scenario", scenario or ("radiomapseer" if list(engines) == ["DPM"] else "street")),
        layouts=_layouts(layouts),
        frequency_hz=frequency,
        missing_variants=missing or 0,
    )
    options = run_options(workers, scheduler, max_hours, verify)
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
        if name not in SIMULATIONS:
            raise InputError(
                f"The engines of a data set must be of {', '.join(SIMULATIONS)}", value=name, remedy="Choose of these."
            )
        if SIMULATIONS[name] in engines:
            raise InputError(
                "The engines of a data set must differ",
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


def _with_materials(
    engines: "dict[str, PropagationModel]", building: str | None, ground: str | None
) -> "dict[str, PropagationModel]":
    """The engines, those that know materials with others.

    Raises:
        PropagationError: None knows materials, or there is no such material.
    """
    from radiodiff.propagation import DominantPath, with_materials

    knowing = {name for name, engine in engines.items() if not isinstance(engine, DominantPath)} or set(engines)
    return {
        name: with_materials(engine, building, ground) if name in knowing else engine
        for name, engine in engines.items()
    }


def _presets(name: str) -> list[str]:
    """Names of the presets of an engine."""
    from radiodiff.propagation.presets import PRESETS

    return sorted(PRESETS.get(name, ()))


def _city(layouts: Path | None, style: str | None, size: int | None) -> "CitySettings":
    """Settings of generated cities; the usual ones with layouts, which come as they are.

    Raises:
        InputError: Layouts are to have another style or size.
        RadiodiffError: There are no such cities.
    """
    from radiodiff.layouts import CitySettings

    given = {"--style": style, "--size": size}
    foreign = [f"{name} {value}" for name, value in given.items() if value is not None]
    if layouts is not None and foreign:
        raise InputError(
            "--style and --size must be left out with --layouts: they are for generated cities",
            value=f"{' '.join(foreign)} --layouts {layouts}",
            remedy="Cut layouts of another size with radiodiff layouts extract --size.",
        )
    usual = CitySettings()
    rows = usual.rows if size is None else size
    return CitySettings(rows=rows, cols=rows, style=style or usual.style)


def _layouts(folder: Path | None) -> "tuple[Layout, ...]":
    if folder is None:
        return ()
    from radiodiff.formats.layout_folder import read_layouts

    return tuple(read_layouts(folder))


def _tell(out: Path, settings: "CreateSettings", num_maps: int, seconds: float) -> None:
    num_radio_maps = num_maps * settings.tx_per_map * len(settings.simulations)
    scenes = "layouts" if settings.layouts else "cities"
    typer.echo(f"{out}: {num_maps} {scenes}, {num_radio_maps} radio maps ({seconds:.1f} s)")
    if num_maps < settings.maps:
        typer.echo(f"{out}: {num_maps} of {settings.maps} maps in the time given; the same command goes on")
