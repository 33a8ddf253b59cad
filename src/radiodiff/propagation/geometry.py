"""Geometry channels: what the buildings do to the straight ray and to the best path, per cell."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.interrupts import interrupts_held
from radiodiff.propagation.base import Solver
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.propagation.ray_launching.presets import RAY_LAUNCHING_SETTINGS
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.propagation.dominant_path.corner_graph import CornerGraph, Paths, Surroundings, View
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
    """Geometry channels of one scene for any number of transmitters, which share what the channels asked for need.

    Args:
        scene: The scene.
        law: Law of the dominant path.
    """

    def __init__(self, scene: Scene, law: DominantPathLaw = RADIOMAPSEER_LAW) -> None:
        self.scene = scene
        self.law = law

    @cached_property
    def surroundings(self) -> "Surroundings":
        """Walls and corners."""
        from radiodiff.propagation.dominant_path.corner_graph import Surroundings

        return Surroundings.around(self.scene)

    @cached_property
    def graph(self) -> "CornerGraph":
        """Links between corners, which paths need."""
        from radiodiff.propagation.dominant_path.corner_graph import CornerGraph

        return CornerGraph.of_scene(self.scene, self.surroundings)

    @cached_property
    def over_roofs(self) -> Solver:
        """Solver of `OverRoofs`."""
        return OverRoofs().prepare(self.scene)

    @cached_property
    def rays(self) -> "SceneRays":
        """Walls that reflect, on the same graph."""
        from radiodiff.propagation.ray_launching.solver import SceneRays

        return SceneRays.of_scene(self.scene, self.graph)

    def channels(self, tx: Transmitter, names: Sequence[str] = GEOMETRY_CHANNELS) -> NDArray[np.float32]:
        """Geometry channels of one transmitter, see `geometry_channels`; what no name asks for is not computed.

        Args:
            tx: The transmitter.
            names: Names of `GEOMETRY_CHANNELS`.

        Returns:
            (len(names), rows, cols), in the order of the names.

        Raises:
            InputError: A name is unknown.
            TransmitterError: It stands off the grid or inside a building.
            PropagationError: `ray_launching_gain_db` is wanted, and the carrier is outside the range of a material.
        """
        unknown = [name for name in names if name not in GEOMETRY_CHANNELS]
        if unknown:
            raise InputError(
                f"A geometry channel must be one of {', '.join(GEOMETRY_CHANNELS)}",
                value=", ".join(unknown),
                remedy="Correct the name.",
            )
        self.scene.check_transmitter(tx)
        with interrupts_held():
            answers = _Answers(self, tx)
            channels = np.empty((len(names), *self.scene.grid.shape), dtype=np.float32)
            for channel, name in zip(channels, names, strict=True):
                channel[:] = getattr(answers, name)()
        channels[:, self.scene.buildings] = 0.0
        return channels


class _Answers:
    """The channels of one transmitter, methods of their names; what several need is computed once."""

    def __init__(self, solver: GeometrySolver, tx: Transmitter) -> None:
        self._solver = solver
        self._scene, self._law, self._tx = solver.scene, solver.law, tx
        self._size_m = solver.scene.grid.cell_size_m

    def los_mask(self) -> NDArray[np.bool_]:
        return self._view.is_los

    def log_distance_gain_db(self) -> NDArray[Any]:
        return -self._law.line_of_sight_loss_db(self._distance_m, self._tx.frequency_hz)

    def obstructed_length_m(self) -> NDArray[Any]:
        return self._solver.surroundings.obstructed_lengths(*self._point) * self._size_m

    def shortest_path_length_m(self) -> NDArray[Any]:
        shortest_m = self._solver.graph.shortest_lengths(self._view) * self._size_m
        enclosed = ~np.isfinite(shortest_m)
        shortest_m[enclosed] = self._distance_m[enclosed]
        longest_m: NDArray[Any] = np.maximum(shortest_m, self._distance_m)
        return longest_m

    def turning_angle_deg(self) -> NDArray[Any]:
        around_db, over_roofs_db = self._behind_corners_db
        turns: NDArray[np.float64] = np.degrees(
            np.where(around_db <= over_roofs_db, self._solver.graph.turning_angles(self._paths), 0.0)
        )
        return turns

    def dominant_path_gain_db(self) -> NDArray[Any]:
        from radiodiff.propagation.dominant_path.model import path_loss_of_paths_db

        graph = self._solver.graph
        return -path_loss_of_paths_db(graph, self._paths, self._behind_corners_db, self._scene, self._tx, self._law)

    def over_roofs_gain_db(self) -> NDArray[Any]:
        return -next(self._solver.over_roofs((self._tx,))).path_loss_db

    def ray_launching_gain_db(self) -> NDArray[Any]:
        rays = self._solver.rays
        if not rays.is_at_street_level(self._tx):
            return self.dominant_path_gain_db()
        path_loss_db, _ = rays.solve(self._tx, replace(LAUNCHED_RAYS, corner_law=self._law))
        return -path_loss_db

    @cached_property
    def _point(self) -> tuple[float, float]:
        return self._solver.surroundings.free_point(self._tx.x_m / self._size_m, self._tx.y_m / self._size_m)

    @cached_property
    def _view(self) -> "View":
        return self._solver.surroundings.view(*self._point)

    @cached_property
    def _paths(self) -> "Paths":
        return self._solver.graph.paths(self._view, self._law)

    @cached_property
    def _distance_m(self) -> NDArray[Any]:
        return self._tx.distance_m(self._scene.grid, minimum_m=self._law.minimum_distance_m)

    @cached_property
    def _behind_corners_db(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from radiodiff.propagation.dominant_path.model import losses_behind_corners_db

        return losses_behind_corners_db(self._paths, self._scene, self._tx, self._law)


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
