"""Scenes from files, by suffix and content."""

from pathlib import Path

from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file
from radiodiff.formats.geotiff import read_building_geotiff
from radiodiff.formats.images import read_building_png
from radiodiff.formats.layout_folder import is_layout_file, read_layout_scene
from radiodiff.formats.mesh import MESH_SUFFIXES
from radiodiff.formats.mesh_scene import read_mesh_scene
from radiodiff.formats.radiomapseer import (
    load_radiomapseer_map,
    load_radiomapseer_polygons,
    outlines_beside,
)
from radiodiff.formats.radiomapseer_json import read_json
from radiodiff.formats.scene_file import SceneFile, SceneOptions
from radiodiff.formats.vector import read_footprints

__all__ = ["read_scene"]

KINDS = {
    ".png": "image",
    ".bmp": "image",
    ".pbm": "image",
    ".pgm": "image",
    ".geojson": "vector layer",
    ".gpkg": "vector layer",
    ".shp": "vector layer",
    ".tif": "GeoTIFF",
    ".tiff": "GeoTIFF",
    **dict.fromkeys(MESH_SUFFIXES, "mesh"),
}

OPTIONS = {
    "image": {"cell_size_m", "invert", "image_only"},
    "RadioMapSeer folder": {"map_id", "cars", "buildings"},
    "RadioMapSeer polygon file": set(),
    "vector layer": {
        "cell_size_m", "layer", "source_crs", "target_crs", "bounds", "margin_m", "level_height_m"
    },
    "GeoTIFF": {"invert", "raster_kind", "min_height_m"},
    "mesh": {"cell_size_m", "margin_m"},
    "layout": set(),
}  # fmt: skip
"""The options that each kind of file knows."""


def read_scene(path: str | Path, options: SceneOptions | None = None) -> SceneFile:
    """Read buildings from any file that radiodiff knows.

    A folder is read as RadioMapSeer, `.png .bmp .pbm .pgm` as an image (inside a RadioMapSeer folder, the outlines
    beside it take its place), `.geojson .gpkg .shp` as a vector layer, `.tif .tiff` as a GeoTIFF, `.ply .obj .stl .off`
    and `.xml` (a scene of Mitsuba) as a mesh, `.json` as a polygon file of RadioMapSeer when it holds a list, as a
    layout when `radiodiff layouts extract` wrote it, else as GeoJSON.

    Raises:
        FormatError: The suffix is unknown, the file is not what its name says, or an option does not apply.
        SceneError: Every cell is indoors.
        GridError: A size or CRS breaks a rule.
    """
    options = options or SceneOptions()
    source = Path(path)
    kind = _kind(source)
    foreign = sorted(options.changed().keys() - OPTIONS[kind])
    if foreign:
        raise FormatError(
            f"A {kind} is read with these options only: {', '.join(sorted(OPTIONS[kind])) or 'none'}",
            value=f"{', '.join(foreign)} for {source}",
            remedy="Leave the others out.",
        )
    if kind == "image":
        outlines = outlines_beside(source)
        if outlines is not None and not options.changed():
            return _read_outlines_beside(source, outlines)
        scene = read_building_png(source, cell_size_m=options.cell_size_m, invert=options.invert)
        ignored = outlines is not None and not options.image_only
        notes = (f"{outlines} was not read: other options than the defaults are for the image.",) if ignored else ()
        return SceneFile(scene, notes)
    if kind == "RadioMapSeer folder":
        return load_radiomapseer_map(source, options.map_id, cars=options.cars, buildings=options.buildings)
    if kind == "RadioMapSeer polygon file":
        return load_radiomapseer_polygons(source)
    if kind == "GeoTIFF":
        return SceneFile(
            read_building_geotiff(
                source, kind=options.raster_kind, min_height_m=options.min_height_m, invert=options.invert
            )
        )
    if kind == "layout":
        return SceneFile(read_layout_scene(source))
    if kind == "mesh":
        scene, mesh_report = read_mesh_scene(source, cell_size_m=options.cell_size_m, margin_m=options.margin_m)
        return SceneFile(scene, mesh_report.notes())
    scene, report = read_footprints(source, options)
    return SceneFile(scene, report.notes())


def _kind(source: Path) -> str:
    if source.is_dir():
        return "RadioMapSeer folder"
    check_file(source)
    suffix = source.suffix.lower()
    if suffix == ".json":
        content = read_json(source)
        if isinstance(content, list):
            return "RadioMapSeer polygon file"
        return "layout" if is_layout_file(content) else "vector layer"
    if suffix not in KINDS:
        raise FormatError(
            f"A building file must be a RadioMapSeer folder or end in {', '.join(KINDS)} or .json",
            value=source,
            remedy="Convert it to one of these; other vector formats are read by read_footprints.",
        )
    return KINDS[suffix]


def _read_outlines_beside(image: Path, outlines: Path) -> SceneFile:
    """The outlines of a RadioMapSeer image: its gains follow them, and the image stands half a cell beside."""
    found = load_radiomapseer_polygons(outlines)
    note = f"{outlines} was read in place of {image.name}, half a cell beside it (--image-only reads the image)."
    return SceneFile(found.scene, (note, *found.notes))
