"""Cars from files, onto scenes whose buildings are there."""

from dataclasses import replace
from pathlib import Path

from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file
from radiodiff.formats.images import read_mask_image
from radiodiff.formats.radiomapseer import outlines_beside, read_radiomapseer_cars, same_sized_mask
from radiodiff.formats.scene_file import SceneFile
from radiodiff.formats.vector import read_outlines_on
from radiodiff.scene import Scene

__all__ = ["add_cars"]

IMAGES = (".png", ".bmp", ".pbm", ".pgm")
LAYERS = (".geojson", ".gpkg", ".shp")


def add_cars(found: SceneFile, path: str | Path, map_id: int | None = None) -> SceneFile:
    """A scene with the cars of a file on it.

    A folder is read as RadioMapSeer, `.png .bmp .pbm .pgm` as an image of the map's cells (inside a RadioMapSeer
    folder, the outlines beside it take its place), `.json` as a polygon file of RadioMapSeer, `.geojson .gpkg .shp` as
    a vector layer, where the scene has a CRS.

    Args:
        found: The scene, and what its reader said.
        path: The file or the folder.
        map_id: Number of the map, needed with a folder.

    Raises:
        FormatError: The suffix is unknown, the file is not what its name says, the image has another size, the scene
            has no CRS for a vector layer, or no car stands on the map.
    """
    source = Path(path)
    if source.is_dir():
        scene, notes = read_radiomapseer_cars(found.scene, source, map_id)
        return SceneFile(scene, found.notes + notes)
    file = check_file(source)
    suffix = file.suffix.lower()
    scene, notes = found.scene, ()
    if suffix in IMAGES and (outlines := outlines_beside(file)) is not None:
        file, suffix = outlines, ".json"
        notes = (f"{outlines} was read in place of {source.name}, half a cell beside it.",)
    if suffix in IMAGES:
        scene = replace(scene, cars=same_sized_mask(read_mask_image(file), scene.grid, file), car_footprints=None)
    elif suffix == ".json":
        scene, more = read_radiomapseer_cars(scene, file)
        notes += more
    elif suffix in LAYERS:
        footprints, repaired = read_outlines_on(file, scene.grid)
        scene = scene.with_cars(footprints)
        notes = (f"{len(footprints)} car outlines, {repaired} of them repaired.",)
    else:
        raise FormatError(
            f"A file of cars must be a RadioMapSeer folder or end in {', '.join((*IMAGES, *LAYERS))} or .json",
            value=source,
            remedy="Convert it to one of these.",
        )
    _check_some(scene, source)
    return SceneFile(scene, found.notes + notes)


def _check_some(scene: Scene, source: Path) -> None:
    if scene.cars is None or not scene.cars.any():
        raise FormatError(
            "Cars must stand on the map",
            value=f"{source} with none on {scene.grid.rows} x {scene.grid.cols} cells",
            remedy="Check that the file belongs to the map, or leave the cars out.",
        )
