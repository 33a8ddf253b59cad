"""Geometry channels: what the buildings do to the straight ray and to the best path, per cell."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from radiodiff.interrupts import interrupts_held
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.propagation.ray_launching.presets import RAY_LAUNCHING_SETTINGS
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.propagation.base import Solver
    from radiodiff.propagation.ray_launching.solver import SceneRays

__all__ = ["GEOMETRY_CHANNELS", "LAUNCHED_RAYS", "GeometryChannel", "GeometrySolver", "geometry_channels"]

GeometryChannel = Literal[
    "los_mask",
    "log_distance_gain_db",
    "obstructed_length_m",
    "shortest_path_length_m",
    "turning_angle_deg",
    "dominant_path_gain_db",
    "over_roofs_gain_db",
    "ray_launching_gain_db",
]

GEOMETRY_CHANNELS: tuple[GeometryChannel, ...] = get_args(GeometryChannel)
"""Names of the channels, in order."""

LAUNCHED_RAYS = RAY_LAUNCHING_SETTINGS["fast"]
"""Rays of `ray_launching_gain_db`; its corners are those of the law of the dominant path."""


class GeometrySolver:
    """Geometry channels of one scene for any number of transmitters, over one corner graph.

    Args:
        scene: The scene.
        law: Law of the dominant path.
    """

    def __init__(self, scene: Scene, law: DominantPathLaw = RADIOMAPSEER_LAW) -> None:
        from radiodiff.propagation.dominant_path.corner_graph import CornerGraph

        self.scene = scene
        self.law = law
        with interrupts_held():
            self.graph = CornerGraph.of_scene(scene)

    def channels(self, tx: Transmitter, names: Sequence[GeometryChannel] = GEOMETRY_CHANNELS) -> NDArray[np.float32]:
        """Geometry channels of one transmitter, (C, rows, cols), see `geometry_channels`.

        Args:
            tx: The transmitter.
            names: Channels that are wanted; others are not computed where they cost time of their own.

        Raises:
            TransmitterError: It stands off the grid or inside a building.
            PropagationError: `ray_launching_gain_db` is wanted, and the carrier is outside the range of a material.
        """
        self.scene.check_transmitter(tx)
        with interrupts_held():
            gains: dict[GeometryChannel, NDArray[Any]] = {}
            if set(names) - {"over_roofs_gain_db"}:
                gains |= self._around_corners(tx)
            if "over_roofs_gain_db" in names:
                gains["over_roofs_gain_db"] = -next(self._over_roofs((tx,))).path_loss_db
            if "ray_launching_gain_db" in names and self._rays.is_at_street_level(tx):
                path_loss_db, _ = self._rays.solve(tx, replace(LAUNCHED_RAYS, corner_law=self.law))
                gains["ray_launching_gain_db"] = -path_loss_db
            channels = np.stack([gains[name] for name in names]).astype(np.float32)
        channels[:, self.scene.buildings] = 0.0
        return channels

    def _around_corners(self, tx: Transmitter) -> dict[GeometryChannel, NDArray[Any]]:
        """Channels of the paths around corners; that of reflected rays, too, as it is where there are none."""
        from radiodiff.propagation.dominant_path.model import losses_behind_corners_db, path_loss_of_paths_db

        scene, graph, law = self.scene, self.graph, self.law
        size = scene.grid.cell_size_m
        x, y = graph.free_point(tx.x_m / size, tx.y_m / size)
        paths = graph.paths(x, y, law)
        distance_m = tx.distance_m(scene.grid, minimum_m=law.minimum_distance_m)
        shortest_m = graph.shortest_lengths(x, y) * size
        enclosed = ~np.isfinite(shortest_m)
        shortest_m[enclosed] = distance_m[enclosed]
        around_db, over_roofs_db = losses_behind_corners_db(paths, scene, tx, law)
        dominant_gain_db = -path_loss_of_paths_db(graph, paths, scene, tx, law)
        return {
            "los_mask": paths.is_los,
            "log_distance_gain_db": -law.line_of_sight_loss_db(distance_m, tx.frequency_hz),
            "obstructed_length_m": graph.obstructed_lengths(x, y) * size,
            "shortest_path_length_m": np.maximum(shortest_m, distance_m),
            "turning_angle_deg": np.degrees(np.where(around_db <= over_roofs_db, graph.turning_angles(paths), 0.0)),
            "dominant_path_gain_db": dominant_gain_db,
            "ray_launching_gain_db": dominant_gain_db,
        }

    @cached_property
    def _over_roofs(self) -> "Solver":
        return OverRoofs().prepare(self.scene)

    @cached_property
    def _rays(self) -> "SceneRays":
        from radiodiff.propagation.ray_launching.solver import SceneRays

        return SceneRays.of_scene(self.scene, self.graph)


def geometry_channels(scene: Scene, tx: Transmitter, law: DominantPathLaw = RADIOMAPSEER_LAW) -> NDArray[np.float32]:
    """Eight features of every cell, from the buildings and the transmitter alone.

    | index | channel | range |
    |---|---|---|
    | 0 | `los_mask`: 1 in line of sight, 0 behind a building (cars do not count) | {0, 1} |
    | 1 | `log_distance_gain_db`: gain of the line-of-sight law at the straight distance | about -115..-47 dB in 256 m |
    | 2 | `obstructed_length_m`: length of the straight ray inside buildings | 0..distance |
    | 3 | `shortest_path_length_m`: shortest way around the buildings; the distance where none leads | >= distance |
    | 4 | `turning_angle_deg`: sum of turns of the dominant path; 0 in line of sight and over the roofs | 0..360 |
    | 5 | `dominant_path_gain_db`: gain of the dominant path | about -190..-47 dB in 256 m |
    | 6 | `over_roofs_gain_db`: gain of `OverRoofs`; unknown roofs are 25 m high | about -190..-47 dB in 256 m |
    | 7 | `ray_launching_gain_db`: gain of `RayLaunching`, preset `fast`; index 5 for transmitters above roofs | as 5 |

    All channels are 0 inside buildings. For several transmitters on one scene, or some of the channels, use
    `GeometrySolver`.

    Args:
        scene: The scene.
        tx: The transmitter.
        law: Law of the dominant path, and of the corners in ray launching.

    Returns:
        (8, rows, cols) float32.

    Raises:
        TransmitterError: The transmitter stands off the grid or inside a building.
        PropagationError: The carrier is outside the range of a material of `RayLaunching`.
    """
    return GeometrySolver(scene, law).channels(tx)
