"""Folders of layouts: crops of real cities, each a file of outlines with heights, and a list of them.

`layouts.json` lists the crops and where they come from. Each crop has a file `NAME.json` in the form of GeoJSON, but in
local metres (x right, y down) and without a CRS; `read_scene` reads it, too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from radiodiff.atomic_file import atomic_folder
from radiodiff.errors import FormatError, InputError, RadiodiffError
from radiodiff.formats.checks import check_file
from radiodiff.formats.radiomapseer_json import read_json
from radiodiff.scene import Footprint, Grid, Scene

__all__ = ["LAYOUT_LIST", "Layout", "is_layout_file", "read_layout_scene", "read_layouts", "write_layouts"]

LAYOUT_LIST = "layouts.json"
KIND = "radiodiff layouts"
VERSION = 1
FRAME = "local metres of the crop, x to the right, y down; no coordinate reference system"


@dataclass(frozen=True, eq=False)
class Layout:
    """A crop of a real city.

    Attributes:
        name: Its name, unique in its folder; also that of its file.
        city: The city, or the file, that it was cut from.
        scene: Buildings with heights on its grid, without a CRS.
        row: Row of its top-left cell in the grid of the city.
        col: Column of its top-left cell there.
        licence: Terms of the data and whom to credit.
        group: Crops of different groups share no ground and are no copies of each other.
        is_disjoint: Whether it belongs to the set of crops that share no ground and are no copies of each other.
        similar_to: Name of an earlier crop that it nearly equals, turned or mirrored perhaps; None for most.
    """

    name: str
    city: str
    scene: Scene = field(repr=False)
    row: int
    col: int
    licence: str
    group: str
    is_disjoint: bool
    similar_to: str | None = None

    @property
    def corner_m(self) -> tuple[float, float]:
        """Its top-left corner from that of the city, (right, down) [m]."""
        size = self.scene.grid.cell_size_m
        return self.col * size, self.row * size


def write_layouts(folder: str | Path, layouts: Sequence[Layout], sources: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Write a folder of layouts, whole or not at all.

    Args:
        folder: The folder, empty or absent.
        layouts: At least one, all of one size.
        sources: One record per city, of whatever JSON holds: what is known about it.

    Returns:
        The folder.

    Raises:
        InputError: There is no layout, two have one name, their grids differ, or one has a CRS.
        FormatError: The folder holds something, or the system refuses.
    """
    target = Path(folder)
    _check_layouts(layouts)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FormatError(
            "A new folder of layouts must be empty or absent",
            value=f"{target}, which {'holds something' if target.is_dir() else 'is a file'}",
            remedy="Give another name, or remove it first.",
        )
    try:
        with atomic_folder(target) as temporary:
            records = [_write_layout(temporary, layout) for layout in layouts]
            content = {
                "kind": KIND,
                "version": VERSION,
                "frame": FRAME,
                "grid": _grid_record(layouts[0].scene.grid),
                "sources": [dict(source) for source in sources],
                "layouts": records,
            }
            (temporary / LAYOUT_LIST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise FormatError(
            "A folder of layouts must be writable",
            value=f"{target} ({error.strerror or error})",
            remedy="Check the rights of the folder above it and the free space on the disk.",
        ) from error
    return target


def read_layouts(folder: str | Path) -> list[Layout]:
    """The layouts of a folder, in the order in which they were written.

    Raises:
        FormatError: The folder is no folder of layouts, is of a later version, or a file is absent, damaged or changed.
        SceneError: An outline or a height breaks a rule.
    """
    root = Path(folder)
    if not (root / LAYOUT_LIST).is_file():
        raise FormatError(
            f"A folder of layouts must hold {LAYOUT_LIST}",
            value=root,
            remedy="Make one with: radiodiff layouts extract --out DIR",
        )
    content = read_json(root / LAYOUT_LIST)
    if not (isinstance(content, dict) and content.get("kind") == KIND and content.get("version") == VERSION):
        found = (content.get("kind"), content.get("version")) if isinstance(content, dict) else type(content).__name__
        raise FormatError(
            f"{LAYOUT_LIST} must be of kind {KIND!r}, version {VERSION}",
            value=f"{found} in {root}",
            remedy="Make the folder again with: radiodiff layouts extract",
        )
    try:
        return [_read_layout(root, record) for record in content["layouts"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{LAYOUT_LIST} must hold the records of its layouts",
            value=f"{root} ({type(error).__name__}: {error})",
            remedy="It is damaged: make the folder again with radiodiff layouts extract.",
        ) from error


def is_layout_file(content: object) -> bool:
    """Whether the content of a JSON file is that of one layout."""
    return isinstance(content, dict) and content.get("frame") == FRAME and "features" in content


def read_layout_scene(path: str | Path) -> Scene:
    """The scene of one layout, from its own file.

    Raises:
        FormatError: The file is absent, damaged, or no layout.
        SceneError: An outline or a height breaks a rule.
    """
    from shapely import Polygon

    content = read_json(path)
    if not is_layout_file(content):
        raise FormatError(
            "The file of a layout must be as radiodiff layouts extract writes it",
            value=path,
            remedy="GeoJSON with a CRS is read by read_footprints.",
        )
    try:
        footprints = []
        for feature in content["features"]:
            shell, *holes = feature["geometry"]["coordinates"]
            footprints.append(Footprint(Polygon(shell, holes), feature["properties"]["height"]))
        return Scene.from_footprints(Grid(**content["grid"]), footprints, source=f"layout {content['name']}")
    except RadiodiffError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FormatError(
            "The file of a layout must hold a name, a grid and outlines with heights",
            value=f"{path} ({type(error).__name__}: {error})",
            remedy="It is damaged: copy it again.",
        ) from error


def _check_layouts(layouts: Sequence[Layout]) -> None:
    names = {layout.name for layout in layouts}
    grids = {(layout.scene.grid.shape, layout.scene.grid.cell_size_m) for layout in layouts}
    is_local = all(layout.scene.grid.crs is None and layout.scene.footprints is not None for layout in layouts)
    if not (layouts and len(names) == len(layouts) and len(grids) == 1 and is_local):
        raise InputError(
            "A folder of layouts needs at least one, with names of their own, one grid, outlines and no CRS",
            value=f"{len(layouts)} layouts, {len(names)} names, {len(grids)} grids",
            remedy="Write crops of different sizes into different folders.",
        )


def _write_layout(folder: Path, layout: Layout) -> dict[str, Any]:
    """Write the file of a layout; returns its record."""
    footprints = layout.scene.footprints or ()
    features = [
        {
            "type": "Feature",
            "properties": {"height": footprint.height_m},
            "geometry": {"type": "Polygon", "coordinates": _rings(footprint)},
        }
        for footprint in footprints
    ]
    grid = _grid_record(layout.scene.grid)
    content = {"type": "FeatureCollection", "name": layout.name, "frame": FRAME, "grid": grid, "features": features}
    data = (json.dumps(content) + "\n").encode()
    file = f"{layout.name}.json"
    (folder / file).write_bytes(data)
    heights_m = [footprint.height_m for footprint in footprints if footprint.height_m is not None]
    return {
        "name": layout.name,
        "file": file,
        "sha256": sha256(data).hexdigest(),
        "city": layout.city,
        "row": layout.row,
        "col": layout.col,
        "corner_m": list(layout.corner_m),
        "coverage": round(layout.scene.coverage, 4),
        "buildings": len(footprints),
        "median_height_m": round(float(np.median(heights_m)), 2) if heights_m else None,
        "highest_m": round(max(heights_m), 2) if heights_m else None,
        "licence": layout.licence,
        "group": layout.group,
        "is_disjoint": layout.is_disjoint,
        "similar_to": layout.similar_to,
    }


def _read_layout(root: Path, record: Mapping[str, Any]) -> Layout:
    file = check_file(root / record["file"])
    if sha256(file.read_bytes()).hexdigest() != record["sha256"]:
        raise FormatError(
            f"A layout must be as it was written ({LAYOUT_LIST} has its checksum)",
            value=f"{file}, which was changed",
            remedy="Copy the folder again, or make it again with radiodiff layouts extract.",
        )
    return Layout(
        name=record["name"],
        city=record["city"],
        scene=read_layout_scene(file),
        row=record["row"],
        col=record["col"],
        licence=record["licence"],
        group=record["group"],
        is_disjoint=record["is_disjoint"],
        similar_to=record["similar_to"],
    )


def _grid_record(grid: Grid) -> dict[str, Any]:
    return {"rows": grid.rows, "cols": grid.cols, "cell_size_m": grid.cell_size_m}


def _rings(footprint: Footprint) -> list[list[list[float]]]:
    polygon = footprint.polygon
    return [np.asarray(ring.coords)[:, :2].tolist() for ring in (polygon.exterior, *polygon.interiors)]
