"""Scenes of the user's own to cut layouts from: vector layers and meshes."""

from dataclasses import replace
from pathlib import Path

from radiodiff.errors import LayoutError
from radiodiff.formats.building_plan import separate_footprints
from radiodiff.formats.layout_folder import is_layout_file
from radiodiff.formats.mesh import MESH_SUFFIXES
from radiodiff.formats.mesh_scene import read_mesh_scene
from radiodiff.formats.radiomapseer_json import read_json
from radiodiff.formats.scene_file import SceneOptions
from radiodiff.formats.vector import VectorReport, read_footprints
from radiodiff.layouts.city_scenes import SceneSource
from radiodiff.scene import Grid, Scene

__all__ = ["UNKNOWN_LICENCE", "city_name", "file_scene"]

UNKNOWN_LICENCE = "unknown"

VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp")

OVERLAP_SHARE = 1e-3
"""Overlaps below this share of the built area are round-off of the file."""


def file_scene(
    path: str | Path,
    options: SceneOptions | None = None,
    *,
    height_m: float | None = None,
    is_repaired: bool = False,
    licence: str = UNKNOWN_LICENCE,
) -> SceneSource:
    """A scene from a file with building outlines or surfaces, in local metres.

    Args:
        path: A vector layer (.geojson, .json, .gpkg, .shp) or a mesh (.ply, .obj, .stl, .off, .xml; z up).
        options: How to read a vector layer; of a mesh, `cell_size_m` only.
        height_m: Height of the outlines that the layer gives none [m]; None refuses them.
        is_repaired: Repair outlines that cross themselves; otherwise they are refused.
        licence: Terms of the data and whom to credit.

    Raises:
        LayoutError: The suffix is another, the file is a layout, an outline crosses itself, a height is absent or no
            positive number, or `height_m` is not above 0.
        FormatError: The file is not readable.
        SceneError: A mesh has no roofs, or every cell is indoors.
    """
    file, options = Path(path), options or SceneOptions()
    suffix = file.suffix.lower()
    if height_m is not None and not 0.0 < height_m < float("inf"):
        raise LayoutError(
            "The height of buildings must be finite and above 0", value=f"{height_m} m", remedy="Give for example 12."
        )
    if suffix in MESH_SUFFIXES:
        scene, report = read_mesh_scene(file, cell_size_m=options.cell_size_m)
        return SceneSource(city_name(file), scene, licence, report.notes())
    if suffix not in VECTOR_SUFFIXES:
        raise LayoutError(
            f"Layouts are cut from files that end in {', '.join((*VECTOR_SUFFIXES, *MESH_SUFFIXES))}",
            value=file,
            remedy="Convert the outlines to GeoJSON first.",
        )
    if suffix == ".json" and is_layout_file(read_json(file)):
        raise LayoutError(
            "Layouts are cut from larger scenes, not from layouts, whose y runs down and which have no CRS",
            value=file,
            remedy="Cut the city or the file that it came from again, with another --size.",
        )
    scene, layer_report = read_footprints(file, options)
    _check(file, layer_report, height_m, is_repaired)
    scene, notes = _separated(scene, height_m)
    return SceneSource(city_name(file), scene, licence, (*layer_report.notes(), *notes))


def _check(file: Path, report: VectorReport, height_m: float | None, is_repaired: bool) -> None:
    if report.repaired and not is_repaired:
        raise LayoutError(
            "The outline of a building must not cross itself",
            value=f"{file}, where {report.repaired} do",
            remedy="Repair the layer (in QGIS: Fix geometries), or let them be repaired: --repair",
        )
    unknown = report.outlines - report.with_height
    if height_m is None and (unknown or report.unreadable_heights):
        raise LayoutError(
            "Every building of a layout must have a height above 0 (column 'height' [m] or 'building:levels')",
            value=f"{file}, where {unknown} outlines have none and {report.unreadable_heights} heights are no positive "
            "number",
            remedy="Add them to the layer, or give one height for these buildings: --height 12",
        )


def _separated(scene: Scene, height_m: float | None) -> tuple[Scene, tuple[str, ...]]:
    """The scene in local metres, its outlines apart and all with heights."""
    import shapely

    outlines = [replace(f, height_m=height_m) if f.height_m is None else f for f in scene.footprints or ()]
    shapes = [outline.polygon for outline in outlines]
    separate = separate_footprints(shapes, [outline.height_m or 0.0 for outline in outlines])
    areas_m2 = float(shapely.area(shapes).sum()), float(shapely.union_all(shapes).area)
    notes = []
    if areas_m2[0] - areas_m2[1] > OVERLAP_SHARE * areas_m2[1]:
        notes.append(
            f"Outlines overlap on {areas_m2[0] - areas_m2[1]:.0f} m2 of {areas_m2[1]:.0f} m2: the higher one keeps it."
        )
    grid = scene.grid
    local = Grid(grid.rows, grid.cols, grid.cell_size_m)
    return Scene.from_footprints(local, separate, source=scene.source), tuple(notes)


def city_name(file: Path) -> str:
    """The stem of a file, of letters, digits, - and _ only: it becomes the name of other files."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in file.stem)
