"""Scenes from triangle meshes: each building an outline with a height above the ground at its foot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radiodiff.errors import SceneError
from radiodiff.formats.building_plan import separate_footprints
from radiodiff.formats.checks import check_cell_count, check_free_cells
from radiodiff.formats.mesh import SurfaceMesh, read_meshes
from radiodiff.formats.roofs import find_ground, roofs_above_ground
from radiodiff.scene import Footprint, Grid, Scene

__all__ = ["MeshReport", "read_mesh_buildings", "read_mesh_scene"]

LOWEST_M = 1.0
"""Surfaces lower than this above the foot of their object are no roofs."""


@dataclass(frozen=True)
class MeshReport:
    """What a mesh held, and how well outlines with flat roofs stand for it.

    Attributes:
        objects: Objects with a roof.
        outlines: Outlines they became; a building has one for each roof of another height.
        flat: Objects without anything 1 m above their foot, left out.
        has_ground: Whether the file has a ground; without one heights count from the lowest point of each object.
        roof_area_m2: Area of the roofs' own projection, what lies under another roof counted once [m^2].
        area_m2: Area of the outlines [m^2].
        spread_m: Root mean square distance of the roofs from their flat heights, over the area [m].
    """

    objects: int
    outlines: int
    flat: int
    has_ground: bool
    roof_area_m2: float
    area_m2: float
    spread_m: float

    def notes(self) -> tuple[str, ...]:
        """One sentence per fact worth telling."""
        notes = [
            f"{self.objects} buildings, {self.outlines} outlines with heights; their area is {self.area_m2:.0f} m2, "
            f"{self.area_m2 / self.roof_area_m2 - 1.0:+.2%} against the mesh; roofs are flat to {self.spread_m:.2f} m."
        ]
        if self.flat:
            notes.append(f"{self.flat} objects have no height and were left out.")
        if not self.has_ground:
            notes.append("The mesh has no ground: heights count from the lowest point of each object.")
        return tuple(notes)


def read_mesh_buildings(path: str | Path) -> tuple[tuple[Footprint, ...], MeshReport]:
    """Outlines with heights of the buildings in a mesh file, in its own frame (x right, y UP).

    Roofs are projected onto the ground; where one lies over another the higher one counts. A sloped roof has its mean
    height.

    Args:
        path: A file that `read_meshes` reads, z up, in metres.

    Raises:
        FormatError: The file is not readable, or holds no triangle.
        SceneError: No surface lies above the ground.
    """
    return _buildings(read_meshes(path), str(path))


def read_mesh_scene(path: str | Path, *, cell_size_m: float = 1.0, margin_m: float = 0.0) -> tuple[Scene, MeshReport]:
    """Scene of the buildings in a mesh file, without a CRS; its grid is their extent and a margin.

    Args:
        path: A file that `read_meshes` reads, z up, y to the north, in metres.
        cell_size_m: Edge of a cell [m].
        margin_m: Free space around the buildings [m].

    Raises:
        FormatError: The file is not readable, holds no triangle, or makes a grid that is too large.
        SceneError: No surface lies above the ground, or every cell is indoors.
        GridError: The cell size is not above 0.
    """
    from shapely import transform

    Grid(1, 1, cell_size_m)  # A bad size is refused before the mesh is read.
    footprints, report = read_mesh_buildings(path)
    bounds = np.array([footprint.polygon.bounds for footprint in footprints])
    # Whole cells of the mesh's own frame: a crop says where it comes from in round numbers.
    left, bottom = np.floor((bounds[:, :2].min(axis=0) - margin_m) / cell_size_m) * cell_size_m
    right, top = np.ceil((bounds[:, 2:].max(axis=0) + margin_m) / cell_size_m) * cell_size_m
    cols, rows = round((right - left) / cell_size_m), round((top - bottom) / cell_size_m)
    check_cell_count(rows, cols, str(path))
    local = [
        Footprint(transform(f.polygon, lambda points: np.abs(points - [left, top])), f.height_m) for f in footprints
    ]
    scene = Scene.from_footprints(Grid(rows, cols, cell_size_m), local, source=Path(path).name)
    return check_free_cells(
        scene, str(path), remedy="Add free space around the buildings (--margin), or use smaller cells."
    ), report


def _buildings(meshes: Sequence[SurfaceMesh], name: str) -> tuple[tuple[Footprint, ...], MeshReport]:
    import shapely

    ground, buildings = find_ground(meshes)
    roofs = roofs_above_ground(buildings, ground) if buildings else []
    high = [roof for roof in roofs if roof.height_m >= LOWEST_M]
    if not high:
        raise SceneError(
            f"A mesh of buildings must have surfaces at least {LOWEST_M:g} m above their ground",
            value=f"{name} with {len(buildings)} objects, {len(roofs)} of their surfaces face up or down",
            remedy="Check that it is in metres, that z points up, and that the buildings have roofs.",
        )
    footprints = separate_footprints([roof.outline for roof in high], [roof.height_m for roof in high])
    areas_m2 = np.array([roof.area_m2 for roof in high])
    spreads_m = np.array([roof.spread_m for roof in high])
    objects = len({roof.building for roof in high})
    report = MeshReport(
        objects=objects,
        outlines=len(footprints),
        flat=len(buildings) - objects,
        has_ground=bool(ground),
        roof_area_m2=float(shapely.union_all([roof.outline for roof in high]).area),
        area_m2=float(sum(footprint.polygon.area for footprint in footprints)),
        spread_m=float(np.sqrt((areas_m2 * spreads_m**2).sum() / areas_m2.sum())),
    )
    return tuple(footprints), report
