"""What a scene reader is asked and what it answers."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from radiodiff.errors import InputError
from radiodiff.scene import Scene

__all__ = ["SceneFile", "SceneOptions"]


@dataclass(frozen=True)
class SceneFile:
    """A scene and what its reader has to say about it.

    Attributes:
        scene: The scene.
        notes: One sentence each: what was repaired, left out or assumed.
    """

    scene: Scene
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SceneOptions:
    """How to read a scene file. Each kind of file knows some of these; `read_scene` refuses the others.

    Attributes:
        cell_size_m: Edge of a cell (images, vector layers, meshes) [m].
        invert: Read 0 as building (images, GeoTIFF masks).
        map_id: Number of the map (RadioMapSeer folders).
        cars: Read the cars too (RadioMapSeer folders).
        buildings: Which building layer, "complete" or for example "missing2/5" (RadioMapSeer folders).
        image_only: Do not take the outlines that lie beside an image in a RadioMapSeer folder (images).
        layer: Name of the layer (vector files with several).
        source_crs: CRS of the coordinates, over the one the file names (vector layers).
        target_crs: Metric CRS of the grid; by default the layer's own, or its UTM zone (vector layers).
        bounds: Extent of the grid in the target CRS, (min x, min y, max x, max y); by default that of the
            layer, outwards to whole multiples of the cell size (vector layers) [m].
        margin_m: Free space around the buildings where `bounds` is not given (vector layers, meshes) [m].
        level_height_m: Height of one storey, for `building:levels` (vector layers) [m].
        raster_kind: "mask" or "height" (GeoTIFF).
        min_height_m: Lowest height that is a building (GeoTIFF of heights) [m].

    Raises:
        InputError: A length is not positive and finite, or the bounds are empty.
    """

    cell_size_m: float = 1.0
    invert: bool = False
    map_id: int | None = None
    cars: bool = False
    buildings: str = "complete"
    image_only: bool = False
    layer: str | None = None
    source_crs: str | None = None
    target_crs: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    margin_m: float = 0.0
    level_height_m: float = 3.0
    raster_kind: str = "mask"
    min_height_m: float = 2.0

    def __post_init__(self) -> None:
        for name in ("cell_size_m", "level_height_m", "min_height_m"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(
                    f"SceneOptions.{name} must be finite and above 0",
                    value=getattr(self, name),
                    remedy="Give a length in metres.",
                )
        if not (np.isfinite(self.margin_m) and self.margin_m >= 0):
            raise InputError(
                "SceneOptions.margin_m must be finite and at least 0",
                value=self.margin_m,
                remedy="To read a part of a layer, give bounds.",
            )
        if self.bounds is not None:
            x_min, y_min, x_max, y_max = self.bounds
            if not (np.isfinite(self.bounds).all() and x_min < x_max and y_min < y_max):
                raise InputError(
                    "SceneOptions.bounds must be finite, with min x < max x and min y < max y",
                    value=self.bounds,
                    remedy="The order is min x, min y, max x, max y.",
                )

    def changed(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
