"""`radiodiff dataset bench`: build a part of the benchmark set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiodiff.cli.dataset.runs import MaxHours, Missing, Scheduler, Verify, Workers, run_options, steps_shown
from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.evaluation.bench import BenchPart, BenchReport
    from radiodiff.formats.layout_folder import Layout

__all__ = ["bench"]

PARTS = ("test", "train")

LAYOUTS = "layouts"


def bench(
    out: Annotated[Path, typer.Option("--out", help="Folder of the set; an unfinished one is completed.")],
    part: Annotated[str, typer.Option("--part", help="test, or train for the other cities.")] = "test",
    layouts: Annotated[
        Path | None,
        typer.Option("--layouts", help="Folder of radiodiff layouts extract; by default its cities are cut anew."),
    ] = None,
    tx_per_scene: Annotated[
        int | None, typer.Option("--tx-per-scene", help="Transmitters on each scene, by default 5, for training 16.")
    ] = None,
    scenes: Annotated[
        int | None, typer.Option("--scenes", help="Scenes of each scenario, by default each crop once.")
    ] = None,
    preset: Annotated[
        str, typer.Option("--preset", help="Preset of ray launching and ray tracing: reference or fast.")
    ] = "reference",
    test_city: Annotated[str, typer.Option("--test-city", help="City that is in the test part alone.")] = "munich",
    validation_city: Annotated[
        str, typer.Option("--validation-city", help="City of the training part that is for validation.")
    ] = "etoile",
    missing: Missing = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    max_hours: MaxHours = None,
    verify: Verify = False,
) -> None:
    """Build the benchmark set: maps of real layouts at street level and above roofs, one whole city for tests alone.

    The test part is packed into one file for each scenario: give its folder to radiodiff evaluate --bench all --data.

    Example: radiodiff dataset bench --out data/bench-train --part train --preset fast --max-hours 8
    """
    from radiodiff.evaluation.bench import BenchSettings, build_bench, usual_engines

    if part not in PARTS:
        raise InputError(f"--part must be {' or '.join(PARTS)}", value=repr(part), remedy="Correct it.")
    if scenes is not None and scenes < 1:
        raise InputError("--scenes must be at least 1", value=scenes, remedy="Leave it out to take each crop once.")
    engines = usual_engines(preset)
    options = run_options(workers, scheduler, max_hours, verify)
    settings = BenchSettings(
        tuple(_layouts(layouts, out)),
        cast("BenchPart", part),
        engines,
        test_city,
        validation_city,
        tx_per_scene,
        scenes,
        missing_variants=missing,
    )
    _tell(out, steps_shown(build_bench(out, settings, options)))


def _layouts(folder: Path | None, out: Path) -> "list[Layout]":
    """Layouts of a folder, or of all cities, cut into the folder of the set."""
    from radiodiff.cli.progress import waiting
    from radiodiff.formats.layout_folder import LAYOUT_LIST, read_layouts, write_layouts
    from radiodiff.layouts import CropSettings, cut_layouts, sort_out
    from radiodiff.layouts.city_scenes import CITIES, city_scene

    own = out / LAYOUTS
    if folder is None and not (own / LAYOUT_LIST).is_file():
        with waiting("cutting layouts"):
            sources = [city_scene(name) for name in CITIES]
            crops = [crop for source in sources for crop in cut_layouts(source, CropSettings()) if crop is not None]
            write_layouts(own, sort_out(crops))
    return read_layouts(folder or own)


def _tell(out: Path, report: "BenchReport") -> None:
    for name, found in report.content.scenarios.items():
        size = f", {found.num_bytes / 1e6:.2f} MB in {found.file}" if found.file else ""
        targets = ", ".join(found.simulations)
        typer.echo(f"{out}: {name}, {found.num_scenes} scenes, {found.num_maps} maps of each of {targets}{size}")
    if report.num_missing:
        typer.echo(f"{out}: {report.num_missing} scenes are missing in the time given; the same command goes on")
