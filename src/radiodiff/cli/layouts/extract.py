"""`radiodiff layouts extract`: crops of real cities."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from radiodiff.formats.layout_folder import Layout
    from radiodiff.layouts import CropSettings, SceneSource

__all__ = ["extract"]


def extract(
    out: Annotated[Path, typer.Option("--out", help="Folder of the layouts; new or empty.")],
    city: Annotated[
        list[str] | None,
        typer.Option("--city", help="etoile, florence, munich or san_francisco; by default all. Repeat for more."),
    ] = None,
    scene: Annotated[
        list[Path] | None,
        typer.Option("--scene", help="GeoJSON, GeoPackage, shapefile or mesh (.ply .obj .stl .off .xml, z up)."),
    ] = None,
    size: Annotated[int, typer.Option("--size", help="Rows and columns of a crop.")] = 256,
    cell_size: Annotated[float, typer.Option("--cell-size", help="Edge of a cell in metres.")] = 1.0,
    stride: Annotated[int, typer.Option("--stride", help="Cells from one crop to the next.")] = 128,
    min_coverage: Annotated[float, typer.Option("--min-coverage", help="Least share of built cells.")] = 0.1,
    max_coverage: Annotated[float, typer.Option("--max-coverage", help="Largest share of built cells.")] = 0.6,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Most crops, disjoint ones first; by default all.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Terms of the data of --scene.", show_default="unknown")
    ] = None,
    height: Annotated[
        float | None, typer.Option("--height", help="Height in metres of outlines of --scene that have none.")
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair outlines of --scene that cross themselves.")] = False,
    layer: Annotated[str | None, typer.Option("--layer", help="Layer of a vector file.")] = None,
    source_crs: Annotated[
        str | None, typer.Option("--source-crs", help="CRS of a vector file that names none, or a wrong one.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw all crops: .png .pdf .svg.")] = None,
) -> None:
    """Cut square layouts with building heights from the city scenes of sionna-rt, or from files.

    Copies are left out; crops of one city may overlap, and those that belong to a set without overlaps are marked.

    Example: radiodiff layouts extract --out data/layouts --plot layouts.png
    """
    from radiodiff.cli.new_folder import check_new_folder
    from radiodiff.cli.progress import tracked
    from radiodiff.formats import SceneOptions
    from radiodiff.formats.layout_folder import write_layouts
    from radiodiff.layouts import CropSettings, sort_out
    from radiodiff.layouts.city_scenes import CITIES, city_scene_file
    from radiodiff.layouts.file_scenes import UNKNOWN_LICENCE
    from radiodiff.viz import check_figure_path

    check_new_folder(out)
    if plot is not None:
        check_figure_path(plot)
    settings = CropSettings(size, stride, (min_coverage, max_coverage))
    options = SceneOptions(cell_size_m=cell_size, layer=layer, source_crs=source_crs)
    # Each name once, in the order given.
    names = list(dict.fromkeys(city or ([] if scene else CITIES)))
    files = list(dict.fromkeys(scene or []))
    for name in names:
        city_scene_file(name)
    _check_names(names, files)
    _check_options(
        files, {"--height": height, "--repair": repair or None, "--layer": layer, "--source-crs": source_crs}, licence
    )
    of_files = {"height_m": height, "is_repaired": repair, "licence": licence or UNKNOWN_LICENCE}
    sources = list(tracked(_sources(names, files, options, of_files), len(names) + len(files), "reading", "scenes"))
    for source in sources:
        for note in source.notes:
            typer.echo(f"note: {source.city}: {note}")
    layouts = sort_out(_cut(sources, settings), limit=limit)
    write_layouts(out, layouts, [_record(source) for source in sources])
    for source in sources:
        own = [layout for layout in layouts if layout.city == source.city]
        typer.echo(f"{source.city}: {len(own)} crops, {sum(layout.is_disjoint for layout in own)} of them disjoint")
    num_disjoint = sum(layout.is_disjoint for layout in layouts)
    typer.echo(f"{out}: {len(layouts)} layouts of {size} x {size} cells, {num_disjoint} of them disjoint")
    if plot is not None:
        _draw(layouts, plot)
        typer.echo(f"{plot}: their roofs by height, disjoint ones framed")


def _check_names(names: list[str], files: list[Path]) -> None:
    """Check that no two scenes give their crops the same name.

    Raises:
        InputError: Two do.
    """
    from radiodiff.errors import InputError
    from radiodiff.layouts.file_scenes import city_name

    all_names = [*names, *(city_name(file) for file in files)]
    twice = sorted({name for name in all_names if all_names.count(name) > 1})
    if twice:
        raise InputError(
            "Each scene must have a name of its own, since its crops are called after it",
            value=f"{', '.join(twice)} more than once",
            remedy="Rename a file, or extract into two folders.",
        )


def _check_options(files: list[Path], of_layers: dict[str, object], licence: str | None) -> None:
    """Check that a scene reads each option that is given.

    Args:
        files: Files of scenes.
        of_layers: Options of vector layers; None where one is not given.
        licence: Terms of the data of files.

    Raises:
        InputError: None does.
    """
    from radiodiff.errors import InputError
    from radiodiff.formats.mesh import MESH_SUFFIXES

    given = {name: value for name, value in of_layers.items() if value is not None}
    if given and not any(file.suffix.lower() not in MESH_SUFFIXES for file in files):
        raise InputError(
            f"{', '.join(of_layers)} must come with the --scene of a vector layer, the only kind that reads them",
            value=f"{', '.join(given)} without one",
            remedy="Leave them out: meshes and cities have heights of their own.",
        )
    if licence is not None and not files:
        raise InputError(
            "--licence must come with a --scene: cities have their own",
            value=f"--licence {licence} without one",
            remedy="Leave it out.",
        )


def _sources(
    names: list[str], files: list[Path], options: Any, file_options: dict[str, Any]
) -> "Iterator[SceneSource]":
    from radiodiff.layouts.city_scenes import city_scene
    from radiodiff.layouts.file_scenes import file_scene

    for name in names:
        yield city_scene(name, cell_size_m=options.cell_size_m)
    for file in files:
        yield file_scene(file, options, **file_options)


def _cut(sources: "list[SceneSource]", settings: "CropSettings") -> "list[Layout]":
    """All crops that fit, with a bar over the windows."""
    from radiodiff.cli.progress import tracked
    from radiodiff.layouts import count_windows, cut_layouts

    total = sum(count_windows(source, settings) for source in sources)
    windows = (window for source in sources for window in cut_layouts(source, settings))
    return [layout for layout in tracked(windows, total, "cutting", "windows") if layout is not None]


def _record(source: "SceneSource") -> dict[str, Any]:
    """What layouts.json says about a scene."""
    grid = source.scene.grid
    return {
        "city": source.city,
        "file": source.scene.source,
        "licence": source.licence,
        "rows": grid.rows,
        "cols": grid.cols,
        "notes": list(source.notes),
    }


def _draw(layouts: "list[Layout]", path: Path) -> None:
    from radiodiff.viz import ScenePanel, roof_height_figure, save_figure

    panels = [ScenePanel(layout.name, layout.scene, layout.is_disjoint) for layout in layouts]
    licences = "; ".join(dict.fromkeys(layout.licence for layout in layouts))
    save_figure(
        roof_height_figure(panels, title=f"{len(layouts)} layouts, disjoint ones framed. Data: {licences}"), path
    )
