"""`radiodiff simulate`: buildings and transmitters in, radio maps out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radiodiff.radio_map import RadioMap
    from radiodiff.scene import Scene, Transmitter

__all__ = ["simulate"]

Position = tuple[float, float]
GREY_SCALES = ("raw", "thresholded")


def simulate(
    buildings: Annotated[
        Path,
        typer.Option(
            "--buildings",
            help="PNG mask; footprints as GeoJSON, GeoPackage, shapefile or layout of `layouts extract`; mesh: .ply "
            ".obj .stl .off, .xml of Mitsuba; GeoTIFF; RadioMapSeer polygon file or folder.",
        ),
    ],
    tx: Annotated[
        list[str],
        typer.Option("--tx", metavar="COL,ROW", help="Transmitter cell, or X,Y with --tx-crs. Repeat for more."),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Radio map: .npz .png .tif .csv. With several --tx, NAME_0, NAME_1, ...")
    ],
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="dominant-path, free-space, log-distance, multi-wall, over-roofs, ray-launching, ray-tracing or umi.",
        ),
    ] = "dominant-path",
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="Constants of the engine: fast, reference, irt2 or irt4, if it has them."),
    ] = None,
    cell_size: Annotated[float, typer.Option("--cell-size", help="Edge of a cell in metres.")] = 1.0,
    grey: Annotated[str | None, typer.Option("--grey", help="Scale of a .png: raw (default) or thresholded.")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw the map: .png .pdf .svg.")] = None,
    tx_crs: Annotated[str | None, typer.Option("--tx-crs", help="CRS of --tx, such as EPSG:4326 (lon,lat).")] = None,
    tx_height: Annotated[float, typer.Option("--tx-height", help="Transmitter height in metres.")] = 1.5,
    frequency: Annotated[float, typer.Option("--frequency", help="Carrier in hertz.")] = 5.9e9,
    invert: Annotated[bool, typer.Option("--invert", help="Buildings are 0 in the mask.")] = False,
    map_id: Annotated[int | None, typer.Option("--map-id", help="Map of a RadioMapSeer folder.")] = None,
    cars: Annotated[bool, typer.Option("--cars", help="Use the cars of a RadioMapSeer folder.")] = False,
    image_only: Annotated[
        bool, typer.Option("--image-only", help="Read a RadioMapSeer image, not the outlines beside it.")
    ] = False,
    layer: Annotated[str | None, typer.Option("--layer", help="Layer of a vector file.")] = None,
    source_crs: Annotated[
        str | None, typer.Option("--source-crs", help="CRS of a vector file that names none, or a wrong one.")
    ] = None,
    target_crs: Annotated[str | None, typer.Option("--target-crs", help="Metric CRS of the map's grid.")] = None,
    bounds: Annotated[
        str | None,
        typer.Option("--bounds", metavar="X,Y,X,Y", help="Part of a vector file: min x, min y, max x, max y."),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", help="Free space around the outlines of a vector file or mesh in metres.")
    ] = 0.0,
    raster_kind: Annotated[str, typer.Option("--raster-kind", help="A GeoTIFF holds a mask or a height.")] = "mask",
) -> None:
    """Compute radio maps of a building layout.

    Example: radiodiff simulate --buildings city.png --tx 120,80 --out city.npz --plot city_map.png
    """
    from time import perf_counter

    from radiodiff.cli.progress import waiting
    from radiodiff.formats import SceneOptions, check_radio_map_path, read_scene, write_radio_map
    from radiodiff.propagation import make_engine

    if grey is not None and (grey not in GREY_SCALES or out.suffix.lower() != ".png"):
        raise InputError(
            "--grey must be raw or thresholded, and goes with a .png",
            value=f"--grey {grey} --out {out}",
            remedy="Leave it out for other files: they hold dB.",
        )
    positions = [_position(text) for text in tx]
    outs, plots = _numbered(out, len(tx)), _numbered(plot, len(tx)) if plot else []
    _check_different([buildings, *outs, *plots])
    for path in outs:
        check_radio_map_path(path)
    if plots:
        from radiodiff.viz import check_figure_path, save_figure

        for path in plots:
            check_figure_path(path)
    model = make_engine(engine, preset)
    options = SceneOptions(
        cell_size_m=cell_size,
        invert=invert,
        map_id=map_id,
        cars=cars,
        image_only=image_only,
        layer=layer,
        source_crs=source_crs,
        target_crs=target_crs,
        bounds=None if bounds is None else _bounds(bounds),
        margin_m=margin,
        raster_kind=raster_kind,
    )
    started = perf_counter()
    with waiting("reading the buildings"):
        found = read_scene(buildings, options)
    for note in found.notes:
        typer.echo(f"note: {note}")
    txs = [_transmitter(found.scene, position, tx_crs, tx_height, frequency) for position in positions]
    read = perf_counter()
    with waiting("computing (the first run ever also compiles, about 15 s)"):
        radio_maps = list(model.radio_maps(found.scene, txs))
    computed = perf_counter()
    for radio_map, path in zip(radio_maps, outs, strict=True):
        write_radio_map(radio_map, path, thresholded=None if grey is None else grey == "thresholded")
        typer.echo(f"{path}: {_summary(radio_map)}")
    for radio_map, path in zip(radio_maps, plots, strict=False):
        save_figure(cast("Figure", radio_map.plot().get_figure(root=True)), path)
        typer.echo(f"{path}: figure")
    ended = perf_counter()
    typer.echo(f"read {read - started:.2f} s, computed {computed - read:.2f} s, wrote {ended - computed:.2f} s")


def _position(text: str) -> Position:
    remedy = "Column first, then row, both from 0 at the top left: --tx 120,80."
    first, second = _numbers(text, 2, "--tx must be two numbers with a comma between them", remedy)
    return first, second


def _bounds(text: str) -> tuple[float, float, float, float]:
    remedy = "In the map's metric CRS: --bounds 691600,5334900,691800,5335100."
    x_min, y_min, x_max, y_max = _numbers(text, 4, "--bounds must be four numbers with commas between them", remedy)
    return x_min, y_min, x_max, y_max


def _numbers(text: str, count: int, rule: str, remedy: str) -> list[float]:
    """The numbers of `A,B,...`."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise InputError(rule, value=repr(text), remedy=remedy)
    return numbers


def _check_on_map(scene: "Scene", point_m: Position, given: str) -> None:
    grid = scene.grid
    if not (0 <= point_m[0] <= grid.cols * grid.cell_size_m and 0 <= point_m[1] <= grid.rows * grid.cell_size_m):
        raise InputError(
            f"A transmitter must stand on the map, {', '.join(f'{edge:.1f}' for edge in grid.bounds)} in {grid.crs}",
            value=given,
            remedy="Check the order: x (or longitude) first, then y (or latitude).",
        )


def _transmitter(
    scene: "Scene", position: Position, crs: str | None, height_m: float, frequency_hz: float
) -> "Transmitter":
    from radiodiff.formats import local_position
    from radiodiff.scene import Transmitter

    if crs is None:
        tx = Transmitter.at_cell(scene.grid, *position, height_m=height_m, frequency_hz=frequency_hz)
    else:
        x_m, y_m = local_position(scene.grid, *position, crs=crs)
        _check_on_map(scene, (x_m, y_m), f"{position[0]:g}, {position[1]:g} in {crs}")
        tx = Transmitter(x_m, y_m, height_m=height_m, frequency_hz=frequency_hz)
    scene.check_transmitter(tx)
    return tx


def _numbered(path: Path, count: int) -> list[Path]:
    """The path itself, or one per transmitter: name_0.suffix, name_1.suffix, ..."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}_{index}{path.suffix}") for index in range(count)]


def _check_different(paths: list[Path]) -> None:
    """Make sure that no output takes the place of the input or of another output."""
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise InputError(
                "--buildings, --out and --plot must be different files", value=path, remedy="Give another name."
            )
        seen.add(path.resolve())


def _summary(radio_map: "RadioMap") -> str:
    import numpy as np

    low, middle, high = np.nanquantile(radio_map.path_loss_db, [0.0, 0.5, 1.0])
    rows, cols = radio_map.grid.shape
    facts = [f"{cols} x {rows} cells", f"path loss {low:.1f} to {high:.1f} dB", f"median {middle:.1f} dB"]
    meta = radio_map.meta
    if "standard_error_db" in meta:
        missed = "" if meta.get("noise_target_reached", True) else " (more than asked for)"
        facts.append(f"noise {meta['standard_error_db']:.2f} dB{missed}")
    if radio_map.tx is not None and meta.get("tx_height_m", radio_map.tx.height_m) != radio_map.tx.height_m:
        facts.append(f"transmitter raised to {meta['tx_height_m']:g} m")
    if meta.get("tx_moved_m", 0.0):
        facts.append(f"transmitter moved by {meta['tx_moved_m']:g} m out of a wall")
    if meta.get("num_cells_without_path", 0):
        facts.append(f"{meta['num_cells_without_path']} cells outdoors without a path")
    return ", ".join(facts)
