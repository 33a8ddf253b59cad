"""Geometry channels: what the buildings do to the straight ray and to the best path, per cell."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from radiodiff.interrupts import interrupts_held
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.scene import Scene, Transmitter

__all__ = ["GEOMETRY_CHANNELS", "GeometryChannel", "GeometrySolver", "geometry_channels"]

GeometryChannel = Literal[
    "los_mask",
    "log_distance_gain_db",
    "obstructed_length_m",
    "shortest_path_length_m",
    "turning_angle_deg",
    "dominant_path_gain_db",
    "over_roofs_gain_db",
]

GEOMETRY_CHANNELS: tuple[GeometryChannel, ...] = get_args(GeometryChannel)
"""Names of the channels, in order."""


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
            self._over_roofs = OverRoofs().prepare(scene)

    def channels(self, tx: Transmitter) -> NDArray[np.float32]:
        """Geometry channels of one transmitter, see `geometry_channels`.

        Raises:
            TransmitterError: It stands off the grid or inside a building.
        """
        self.scene.check_transmitter(tx)
        with interrupts_held():
            return self._channels(tx)

    def _channels(self, tx: Transmitter) -> NDArray[np.float32]:
        from radiodiff.propagation.dominant_path.model import losses_behind_corners_db, path_loss_of_paths_db

        scene, graph, law = self.scene, self.graph, self.law
        size = scene.grid.cell_size_m
        x, y = graph.free_point(tx.x_m / size, tx.y_m / size)
        paths = graph.paths(x, y, law)
        distance_m = tx.distance_m(scene.grid, minimum_m=law.minimum_distance_m)
        straight_gain_db = -law.line_of_sight_loss_db(distance_m, tx.frequency_hz)
        shortest_m = graph.shortest_lengths(x, y) * size
        enclosed = ~np.isfinite(shortest_m)
        shortest_m[enclosed] = distance_m[enclosed]
        around_db, over_roofs_db = losses_behind_corners_db(paths, scene, tx, law)
        channels = np.stack(
            [
                paths.is_los,
                straight_gain_db,
                graph.obstructed_lengths(x, y) * size,
                np.maximum(shortest_m, distance_m),
                np.degrees(np.where(around_db <= over_roofs_db, graph.turning_angles(paths), 0.0)),
                -path_loss_of_paths_db(graph, paths, scene, tx, law),
                -next(self._over_roofs((tx,))).path_loss_db,
            ]
        ).astype(np.float32)
        channels[:, scene.buildings] = 0.0
        return channels


def geometry_channels(scene: Scene, tx: Transmitter, law: DominantPathLaw = RADIOMAPSEER_LAW) -> NDArray[np.float32]:
    """Seven features of every cell, from the buildings and the transmitter alone.

    | index | channel | range |
    |---|---|---|
    | 0 | `los_mask`: 1 in line of sight, 0 behind a building (cars do not count) | {0, 1} |
    | 1 | `log_distance_gain_db`: gain of the line-of-sight law at the straight distance | about -115..-47 dB in 256 m |
    | 2 | `obstructed_length_m`: length of the straight ray inside buildings | 0..distance |
    | 3 | `shortest_path_length_m`: shortest way around the buildings; the distance where none leads | >= distance |
    | 4 | `turning_angle_deg`: sum of turns of the dominant path; 0 in line of sight and over the roofs | 0..360 |
    | 5 | `dominant_path_gain_db`: gain of the dominant path | about -190..-47 dB in 256 m |
    | 6 | `over_roofs_gain_db`: gain of `OverRoofs`; unknown roofs are 25 m high | about -190..-47 dB in 256 m |

    All channels are 0 inside buildings. For several transmitters on one scene use `GeometrySolver`.

    Args:
        scene: The scene.
        tx: The transmitter.
        law: Law of the dominant path.

    Returns:
        (7, rows, cols) float32.

    Raises:
        TransmitterError: The transmitter stands off the grid or inside a building.
    """
    return GeometrySolver(scene, law).channels(tx)
