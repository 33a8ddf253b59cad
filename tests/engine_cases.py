"""The engines under the shared contract, and the scenes they are tried on: a new engine needs one line."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, box
from shapely.affinity import affine_transform, rotate

from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.dominant_path import DominantPath
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.log_distance import LogDistance
from radiodiff.propagation.multi_wall import MultiWall
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.propagation.ray_launching import RayLaunching
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings
from radiodiff.propagation.umi import UrbanMicro
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

Law = Callable[[NDArray[np.float64], float], NDArray[np.float64]]


@dataclass(frozen=True)
class EngineCase:
    """One engine and what may be asked of it.

    Attributes:
        engine: The engine.
        open_space_law: Path loss [dB] of (distance_m, frequency_hz) in an empty scene at equal heights of
            1.5 m, written down anew here.
        tolerance_db: How far two maps may differ that must be equal in exact arithmetic. Closed forms
            differ by one rounding to float32 at 100 to 200 dB (1.5e-5 dB). Where an engine does not reach
            everywhere, its maps are samples: half of their cells must agree to that.
        has_point_receivers: Whether a cell holds the loss at its centre, and a link thus the same in both directions;
            else the mean over the cell, and both directions agree on average only.
    """

    engine: PropagationModel
    open_space_law: Law
    tolerance_db: float = 1e-4
    has_point_receivers: bool = True


def free_space_law(distance_m: NDArray[np.float64], frequency_hz: float) -> NDArray[np.float64]:
    """Friis in km and MHz, as ITU-R P.525-4, eq. 4, with more digits of its constant 32.4 dB."""
    return 32.447_783_22 + 20 * np.log10(distance_m / 1e3) + 20 * np.log10(frequency_hz / 1e6)


def street_law(distance_m: NDArray[np.float64], frequency_hz: float) -> NDArray[np.float64]:
    """UMi line of sight with both antennas at 1.5 m: effective heights of 0.5 m."""
    break_point_m = frequency_hz / 299_792_458.0
    near = 32.4 + 21 * np.log10(distance_m) + 20 * np.log10(frequency_hz / 1e9)
    far = 32.4 + 40 * np.log10(distance_m) + 20 * np.log10(frequency_hz / 1e9) - 19 * np.log10(break_point_m)
    return np.where(distance_m <= break_point_m, near, far)


FEW_RAYS = RayTracingSettings(
    max_depth=3, diffraction=False, ground_material=None, num_rays=200_000, num_batches=2, max_rays=400_000
)

ENGINES = (
    EngineCase(FreeSpace(), free_space_law),
    EngineCase(LogDistance(exponent=2.7), lambda d, f: free_space_law(np.ones(1), f) + 27 * np.log10(d)),
    EngineCase(UrbanMicro(), street_law),
    EngineCase(MultiWall(), free_space_law),
    EngineCase(OverRoofs(), free_space_law),
    # Path lengths are compared in float32, and the loss of a corner is a polynomial good to 1e-4 dB.
    EngineCase(DominantPath(), lambda d, f: 47.84 + 25.0 * np.log10(d) + 20 * np.log10(f / 5.9e9), tolerance_db=1e-3),
    # As above, where the path around corners is all there is; the rays themselves move with the scene.
    EngineCase(RayLaunching(), free_space_law, tolerance_db=1e-3, has_point_receivers=False),
    # The transmitter is raised by a metre, and so few rays leave an error of some tenths of a dB.
    EngineCase(
        RayTracing(FEW_RAYS),
        lambda d, f: free_space_law(np.hypot(d, 1), f),
        tolerance_db=0.8,
        has_point_receivers=False,
    ),
)

BLOCKS = ((2, 4, 9, 7), (13, 2, 20, 12), (5, 15, 8, 24), (14, 18, 25, 21), (27, 5, 30, 16))
"""Buildings of the small town: left, top, right, bottom, in cells."""

FREE_CELLS = ((11, 13), (1, 1), (33, 25))
"""Free cells of the small town, (col, row)."""


def town(*, with_footprints: bool, cell_size_m: float = 1.0) -> Scene:
    """A town of five blocks on 28 rows and 36 columns, with outlines or from the raster alone."""
    grid = Grid(28, 36, cell_size_m)
    outlines = [box(*(edge * cell_size_m for edge in block)) for block in BLOCKS]
    scene = Scene.from_footprints(grid, [Footprint(outline) for outline in outlines])
    return scene if with_footprints else Scene(grid, scene.buildings.copy())


def random_town(seed: int, *, rows: int = 24, cols: int = 32) -> Scene:
    """A raster of up to eight random blocks, which may touch, overlap and leave the grid."""
    generator = np.random.default_rng(seed)
    buildings = np.zeros((rows, cols), dtype=bool)
    for _ in range(generator.integers(0, 9)):
        top, left = generator.integers(0, rows), generator.integers(0, cols)
        height, width = generator.integers(1, 8, size=2)
        buildings[top : top + height, left : left + width] = True
    buildings[generator.integers(0, rows), generator.integers(0, cols)] = False
    return Scene(Grid(rows, cols), buildings)


def turned_blocks(seed: int, count: int = 7) -> Scene:
    """Rectangles at any angle that do not touch, on 40 x 60 cells, some of them over the border."""
    generator = np.random.default_rng(seed)
    kept: list[Polygon] = []
    while len(kept) < count:
        x, y, width, height = generator.uniform((3, 3, 3, 3), (57, 37, 12, 9))
        block = rotate(box(x, y, x + width, y + height), float(generator.uniform(0, 90)), origin="center")
        if not any(block.distance(other) < 0.5 for other in kept):
            kept.append(block)
    return Scene.from_footprints(Grid(40, 60), [Footprint(block) for block in kept])


def free_cell(scene: Scene, seed: int) -> Transmitter:
    """A transmitter at the centre of a random cell outdoors."""
    cells = np.argwhere(~scene.buildings)
    row, col = cells[np.random.default_rng(seed).integers(len(cells))]
    return Transmitter.at_cell(scene.grid, int(col), int(row))


@dataclass(frozen=True)
class Motion:
    """A mirror image from left to right, or none, and then quarter turns anticlockwise."""

    quarter_turns: int
    is_mirrored: bool

    def array(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The array, moved."""
        return np.rot90(np.fliplr(values) if self.is_mirrored else values, self.quarter_turns).copy()

    def matrix(self, scene: Scene) -> tuple[float, float, float, float, float, float]:
        """(a, b, d, e, x, y) with x' = a x + b y + x0 and y' = d x + e y + y0, in local metres."""
        width, height = (count * scene.grid.cell_size_m for count in (scene.grid.cols, scene.grid.rows))
        map_ = np.array([[-1.0, 0.0, width], [0, 1, 0], [0, 0, 1]]) if self.is_mirrored else np.eye(3)
        for _ in range(self.quarter_turns):
            map_ = np.array([[0.0, 1.0, 0.0], [-1, 0, width], [0, 0, 1]]) @ map_
            width, height = height, width
        (a, b, x), (d, e, y) = map_[:2]
        return a, b, d, e, x, y

    def scene(self, scene: Scene) -> Scene:
        """The scene, moved."""
        buildings = self.array(scene.buildings)
        grid = Grid(*buildings.shape, scene.grid.cell_size_m)
        if scene.footprints is None:
            return Scene(grid, buildings)
        outlines = [affine_transform(footprint.polygon, self.matrix(scene)) for footprint in scene.footprints]
        return Scene(grid, buildings, tuple(Footprint(outline) for outline in outlines))

    def transmitter(self, scene: Scene, tx: Transmitter) -> Transmitter:
        """The transmitter, moved with its scene."""
        a, b, d, e, x, y = self.matrix(scene)
        return Transmitter(a * tx.x_m + b * tx.y_m + x, d * tx.x_m + e * tx.y_m + y)
