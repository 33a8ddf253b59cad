"""Rays of transmitters on one prepared scene."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import TransmitterError
from radiodiff.propagation.dominant_path.corner_graph import CornerGraph, Paths
from radiodiff.propagation.dominant_path.model import losses_behind_corners_db
from radiodiff.propagation.ray_launching import launch_kernels
from radiodiff.propagation.ray_launching.reflection import ground_share, wall_reflectivity
from radiodiff.propagation.ray_launching.settings import RayLaunchingSettings
from radiodiff.scene import Scene, Transmitter
from radiodiff.units import db_to_ratio, free_space_path_loss_db, ratio_to_db

__all__ = ["MINIMUM_LENGTH_M", "SceneRays"]

MINIMUM_LENGTH_M = 1.0
"""Shorter paths count as this long, as in the closed-form engines [m]."""

NORMAL_OVER_MEDIAN = 1.4826
"""Standard deviation of a normal variable over the median of its magnitude."""


@dataclass(frozen=True, eq=False)
class SceneRays:
    """A scene as the rays see it.

    Attributes:
        scene: The scene.
        graph: Its corner graph; its walls are those that reflect.
        walls: (m, 6), walls with their directions, see `launch_kernels.launch` [cells].
        index: Walls by cell, see `launch_kernels.index_walls`.
        free_share: (rows, cols), see `launch_kernels.free_shares`.
    """

    scene: Scene
    graph: CornerGraph
    walls: NDArray[np.float64]
    index: tuple[NDArray[np.int32], NDArray[np.int32]]
    free_share: NDArray[np.float64]

    @classmethod
    def of_scene(cls, scene: Scene, graph: CornerGraph | None = None) -> "SceneRays":
        """Prepare a scene, on its corner graph where there is one already."""
        graph = CornerGraph.of_scene(scene) if graph is None else graph
        edges = graph.obstacles.walls
        along = edges[:, 2:] - edges[:, :2]
        walls = np.hstack([edges, along / np.linalg.norm(along, axis=1, keepdims=True)])
        index = launch_kernels.index_walls(walls, scene.grid.shape)
        free_share = launch_kernels.free_shares(edges, scene.grid.shape)
        return cls(scene, graph, walls, index, free_share)

    def is_at_street_level(self, tx: Transmitter) -> bool:
        """Whether a transmitter stands outside the buildings and below the highest roof."""
        return not self.scene.buildings[tx.cell(self.scene.grid)] and tx.height_m <= self._highest_roof_m

    def check_street_level(self, tx: Transmitter) -> None:
        """Make sure that a transmitter does not stand above a roof, or in the street above all of them.

        Raises:
            TransmitterError: It does.
        """
        if self.is_at_street_level(tx):
            return
        row, col = tx.cell(self.scene.grid)
        is_indoors = bool(self.scene.buildings[row, col])
        place = (
            f"column {col}, row {row}, which is indoors"
            if is_indoors
            else f"roofs of {self._highest_roof_m:g} m at most"
        )
        raise TransmitterError(
            "Ray launching needs a transmitter at street level, outside the buildings and below the highest roof",
            value=f"{place}; height {tx.height_m:g} m",
            remedy="Use the ray-tracing engine for transmitters above roofs.",
        )

    @cached_property
    def _highest_roof_m(self) -> float:
        """A building without a height is as high as it takes."""
        return max((footprint.height_m or np.inf for footprint in self.scene.footprints or ()), default=np.inf)

    def solve(self, tx: Transmitter, settings: RayLaunchingSettings) -> tuple[NDArray[np.float64], float]:
        """Path loss (rows, cols), NaN where no path leads, and its median standard error, both [dB].

        Raises:
            PropagationError: The carrier is outside the range of a material.
        """
        size = self.scene.grid.cell_size_m
        x, y = self.graph.free_point(tx.x_m / size, tx.y_m / size)
        paths = self.graph.paths(self.graph.view(x, y), settings.corner_law)
        even, odd = self._reflected(x, y, tx, settings)
        power = even + odd
        lit = self._lit_shares(x, y)
        other = self._straight_or_around(paths, lit, tx, settings)
        if settings.combination == "strongest":
            counts = (power > other).astype(np.float64)
            total = np.maximum(power, other)
        else:
            counts = 1.0 - lit if settings.combination == "nlos-power-sum" else np.ones_like(lit)
            total = other + power * counts
        error_db = _standard_error_db((even - odd) * counts, total)
        (rows, cols), (free_rows, free_cols) = self.graph.rim
        total[rows, cols] = total[free_rows, free_cols]
        total[total == 0.0] = np.nan
        return -ratio_to_db(total), error_db

    def _reflected(self, x: float, y: float, tx: Transmitter, settings: RayLaunchingSettings) -> NDArray[np.float64]:
        """Power gain by reflected rays, (2, rows, cols): of the even rays and of the odd ones."""
        power = np.zeros((2, *self.graph.shape))
        if settings.max_depth == 0 or not len(self.walls):
            return power
        longest = (settings.max_depth + 1) * float(np.hypot(*self.graph.shape)) + 1.0
        lengths = (np.arange(int(longest * launch_kernels.SAMPLES_PER_CELL)) + 0.5) / launch_kernels.SAMPLES_PER_CELL
        size = self.scene.grid.cell_size_m
        width = lengths * (2.0 * np.pi / settings.num_rays)
        radial = width * _gain(lengths * size, tx, settings)
        launch_kernels.launch(
            x,
            y,
            _directions(settings.num_rays),
            self.walls,
            self.index,
            wall_reflectivity(settings, tx.frequency_hz),
            radial,
            settings.max_depth,
            power,
        )
        power /= self.free_share
        return power

    def _lit_shares(self, x: float, y: float) -> NDArray[np.float64]:
        """Share of the free area of every cell that a point sees, (rows, cols)."""
        ring = launch_kernels.sight_ring(x, y, self.graph.obstacles.all_walls)
        shares: NDArray[np.float64] = launch_kernels.solid_shares(ring, self.graph.shape) / self.free_share
        # Rounded: what is wholly lit or dark has exactly the power of the one path.
        return np.clip(shares.round(6), 0.0, 1.0)

    def _straight_or_around(
        self, paths: Paths, lit: NDArray[np.float64], tx: Transmitter, settings: RayLaunchingSettings
    ) -> NDArray[np.float64]:
        """Mean power gain of cells: the straight path in sight, that around corners elsewhere, (rows, cols)."""
        law = settings.corner_law
        if settings.combination == "none":
            gain = np.zeros(self.graph.shape)
        else:
            gain = db_to_ratio(-np.minimum(*losses_behind_corners_db(paths, self.scene, tx, law)))
        straight = _gain(tx.distance_m(self.scene.grid), tx, settings)
        straight *= np.where(paths.crosses_car, db_to_ratio(-law.car_loss_los_db), 1.0)
        return lit * straight + (1.0 - lit) * gain


def _gain(length_m: NDArray[np.float64], tx: Transmitter, settings: RayLaunchingSettings) -> NDArray[np.float64]:
    """Power gain of a path without its reflections off walls, at any lengths, same shape."""
    length_m = np.maximum(length_m, MINIMUM_LENGTH_M)
    at_1_m = db_to_ratio(-free_space_path_loss_db(1.0, tx.frequency_hz))
    ground = ground_share(settings, length_m, tx.height_m, tx.frequency_hz)
    gain: NDArray[np.float64] = at_1_m * length_m**-settings.distance_exponent * (1.0 + ground)
    return gain


def _standard_error_db(difference: NDArray[np.float64], total: NDArray[np.float64]) -> float:
    """Median standard error of sums of two halves that differ so much, over the cells where they do [dB]."""
    differs = difference != 0.0
    if not differs.any():
        return 0.0
    error = NORMAL_OVER_MEDIAN * float(np.median(np.abs(difference[differs]) / total[differs]))
    return round(float(ratio_to_db(1.0 + error)), 4)


@lru_cache(maxsize=4)
def _directions(num_rays: int) -> NDArray[np.float64]:
    """Unit vectors at equal angles, (num_rays, 2); mirror images and quarter turns map them onto themselves exactly.

    In the order of the angles: neighbouring rays meet the same cells, and every other ray is an even sample.
    """
    eighth = (np.arange(num_rays // 8) + 0.5) * (2.0 * np.pi / num_rays)
    cosine, sine = np.cos(eighth), np.sin(eighth)
    quarter = np.stack([np.concatenate([cosine, sine[::-1]]), np.concatenate([sine, cosine[::-1]])], axis=1)
    turned = quarter[:, ::-1] * np.array([-1.0, 1.0])
    directions = np.concatenate([quarter, turned, -quarter, -turned])
    directions.flags.writeable = False
    return directions
