"""The corner graph of a scene, and the paths of one transmitter over it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.dominant_path import graph_kernels, path_kernels
from radiodiff.propagation.dominant_path.law import DominantPathLaw
from radiodiff.propagation.dominant_path.obstacles import Obstacles
from radiodiff.scene import Grid, Scene, rasterize

if TYPE_CHECKING:
    from shapely import STRtree

__all__ = ["CornerGraph", "Paths", "Surroundings", "View"]

GAIN_DEGREE = 8

Indices = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row and column indices of cells."""


@dataclass(frozen=True, eq=False)
class Paths:
    """The best path of one transmitter to every cell. Lengths are in cells.

    Attributes:
        is_los: (rows, cols) bool, cells in line of sight; cars do not count.
        crosses_car: (rows, cols) bool, cells in line of sight across a car.
        product: (rows, cols) float32, `(length) * 10^(corner losses / (10 n))` of the best path around corners, inf
            where there is none.
        label: (rows, cols) int32, the label that reached the cell, -1 where none did.
        labels: (n, 6) float64, see `path_kernels.find_labels`.
        label_corner: (n, 2) float64, position of the corner of each label.
    """

    is_los: NDArray[np.bool_]
    crosses_car: NDArray[np.bool_]
    product: NDArray[np.float32]
    label: NDArray[np.int32]
    labels: NDArray[np.float64]
    label_corner: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """What a point outside the obstacles sees directly. Lengths are in cells.

    Attributes:
        x: Column position of the point [cells].
        y: Row position [cells].
        runs: (k, 4) int32, cells in line of sight, see `graph_kernels.look_around`.
        is_seen: (n,) bool, corners in line of sight.
        states: (l,) int64, sides of corners that a path can bend around.
        values: (l, 5) float64, the ways there.
        is_los: (rows, cols) bool, cells in line of sight; cars do not count.
        crosses_car: (rows, cols) bool, cells in line of sight across a car.
    """

    x: float
    y: float
    runs: NDArray[np.int32]
    is_seen: NDArray[np.bool_]
    states: NDArray[np.int64]
    values: NDArray[np.float64]
    is_los: NDArray[np.bool_]
    crosses_car: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The obstacles of a scene as a point sees them: all that needs no links between corners.

    Attributes:
        obstacles: Walls and corners.
        shape: (rows, cols).
    """

    obstacles: Obstacles
    shape: tuple[int, int]

    @classmethod
    def around(cls, scene: Scene) -> "Surroundings":
        """Walls and corners of a scene."""
        return Surroundings(Obstacles.of_scene(scene), scene.grid.shape)

    @cached_property
    def _tree(self) -> "STRtree":
        import shapely

        return shapely.STRtree(self.obstacles.solid)

    def way_out(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shortest way from points (n,) out of the obstacles, x and y parts; 0 for points outside [cells]."""
        import shapely

        points = shapely.points(x, y)
        out_x, out_y = np.zeros(len(points)), np.zeros(len(points))
        inside, around = self._tree.query(points, predicate="intersects")
        ways = shapely.shortest_line(points[inside], shapely.boundary(self.obstacles.solid[around]))
        ends = shapely.get_coordinates(shapely.get_point(ways, 1))
        out_x[inside], out_y[inside] = ends[:, 0] - x[inside], ends[:, 1] - y[inside]
        return out_x, out_y

    def free_point(self, x: float, y: float) -> tuple[float, float]:
        """The point itself, or the nearest one outside the obstacles [cells].

        A transmitter may stand in a free cell whose centre the outline of a building just covers.
        """
        out_x, out_y = (float(value[0]) for value in self.way_out(np.array([x]), np.array([y])))
        step = 1.0 + 1e-4 / max(float(np.hypot(out_x, out_y)), 1e-9)
        return x + out_x * step, y + out_y * step

    def view(self, x: float, y: float) -> View:
        """What a point outside the obstacles sees [cells]."""
        obstacles = self.obstacles
        runs, is_seen, states, values = graph_kernels.look_around(
            x, y, obstacles.corners, obstacles.all_walls, obstacles.cars, self.shape
        )
        is_los, crosses_car = np.zeros(self.shape, dtype=bool), np.zeros(self.shape, dtype=bool)
        graph_kernels.mark_runs(runs, is_los, crosses_car)
        return View(x, y, runs, is_seen, states, values, is_los, crosses_car)

    def obstructed_lengths(self, x: float, y: float) -> NDArray[np.float64]:
        """Length inside obstacles of the straight ray to every cell, (rows, cols) [cells]."""
        total = np.zeros(self.shape)
        path_kernels.add_obstructed_lengths(x, y, self.obstacles.walls, self.shape, total)
        return np.maximum(total, 0.0)


@dataclass(frozen=True, eq=False)
class CornerGraph(Surroundings):
    """Corners of a scene, the links between them and the cells in their shadow sectors.

    Build it once per scene with `of_scene`; it does not depend on the law.

    Attributes:
        rim: Free cells whose centre lies inside an outline, and for each the cell outside that is nearest to where the
            outline lets it out, both as (row indices, column indices). Outline and raster differ by a fraction of a
            cell along the walls.
    """

    rim: tuple[Indices, Indices] = field(repr=False)
    _links: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] = field(repr=False)
    _runs: tuple[NDArray[np.int64], NDArray[np.int32]] = field(repr=False)

    @classmethod
    def of_scene(cls, scene: Scene, surroundings: Surroundings | None = None) -> "CornerGraph":
        """Corners, links and shadow cells of a scene, whose surroundings may be at hand already."""
        known = surroundings or Surroundings.around(scene)
        obstacles, shape = known.obstacles, known.shape
        link_start, link_state, link_value, run_start, runs = graph_kernels.build_graph(
            obstacles.corners, obstacles.all_walls, obstacles.cars, shape
        )
        return cls(obstacles, shape, _rim(known, scene), (link_start, link_state, link_value), (run_start, runs))

    @property
    def num_corners(self) -> int:
        """Number of convex corners."""
        return len(self.obstacles.corners)

    def paths(self, view: View, law: DominantPathLaw) -> Paths:
        """Best path to every cell under a law, from the point with a view."""
        corners = self.obstacles.corners
        slope_db = (law.corner_max_db - law.corner_offset_db) / np.radians(law.corner_saturation_deg)
        losses = (law.corner_offset_db, slope_db, law.corner_max_db, law.car_loss_nlos_db)
        label_state, labels = path_kernels.find_labels(view.states, view.values, self._links, losses, law.max_corners)
        product = np.full(self.shape, np.inf, dtype=np.float32)
        label = np.full(self.shape, path_kernels.NO_LABEL, dtype=np.int32)
        path_kernels.paint_labels(corners, label_state, labels, *self._runs, _gain_law(law), product, label)
        return Paths(view.is_los, view.crosses_car, product, label, labels, corners[label_state // 2, :2])

    def shortest_lengths(self, view: View) -> NDArray[np.float32]:
        """Length of the shortest path around obstacles to every cell, (rows, cols), inf where none leads [cells]."""
        corners = self.obstacles.corners
        best = np.full(self.shape, np.inf, dtype=np.float32)
        length = path_kernels.shortest_lengths(view.x, view.y, view.is_seen, corners, self._links)
        path_kernels.paint_lengths(corners, length, *self._runs, best)
        graph_kernels.fill_distances(view.runs, view.x, view.y, best)
        return best

    def turning_angles(self, paths: Paths) -> NDArray[np.float64]:
        """Sum of turns of the best path to every cell, (rows, cols); 0 in line of sight and where none leads [rad]."""
        total = np.zeros(self.shape)
        rows, cols = np.nonzero((paths.label >= 0) & ~paths.is_los)
        label = paths.label[rows, cols]
        before = paths.labels[label]
        out_x = cols + 0.5 - paths.label_corner[label, 0]
        out_y = rows + 0.5 - paths.label_corner[label, 1]
        last = np.arctan2(before[:, 2] * out_y - before[:, 3] * out_x, before[:, 2] * out_x + before[:, 3] * out_y)
        total[rows, cols] = before[:, 5] + np.abs(last)
        return total


def _gain_law(law: DominantPathLaw) -> tuple[tuple[np.float32, ...], np.float32, float, float]:
    """The law of one corner as a polynomial over tan(turn / 2), for `path_kernels.paint_labels`."""
    last_turn = np.tan(np.radians(law.corner_saturation_deg) / 2.0)
    per_decade = 10.0 * law.nlos_exponent

    def gain(half_tangent: NDArray[np.float64]) -> NDArray[np.float64]:
        share = np.degrees(2.0 * np.arctan(half_tangent)) / law.corner_saturation_deg
        return 10.0 ** ((law.corner_offset_db + (law.corner_max_db - law.corner_offset_db) * share) / per_decade)

    series = np.polynomial.Chebyshev.interpolate(gain, GAIN_DEGREE, domain=[0.0, last_turn])
    coefficients = series.convert(kind=np.polynomial.Polynomial).coef
    padded = np.zeros(GAIN_DEGREE + 1)
    padded[: len(coefficients)] = coefficients
    return (
        tuple(np.float32(c) for c in padded),
        np.float32(last_turn),
        per_decade,
        10.0 ** (law.car_loss_nlos_db / per_decade),
    )


def _rim(surroundings: Surroundings, scene: Scene) -> tuple[Indices, Indices]:
    """`CornerGraph.rim` of a scene. Cells with no cell outside next to them are left out."""
    solid = rasterize(Grid(*scene.grid.shape), list(surroundings.obstacles.solid))
    rows, cols = np.nonzero(solid & ~scene.buildings)
    out_x, out_y = surroundings.way_out(cols.astype(np.float64) + 0.5, rows.astype(np.float64) + 0.5)
    blocked = np.pad(solid, 1, constant_values=True)
    steps = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    distance = np.hypot(out_y[:, None] - steps[:, 0], out_x[:, None] - steps[:, 1])
    distance[blocked[rows[:, None] + 1 + steps[:, 0], cols[:, None] + 1 + steps[:, 1]]] = np.inf
    nearest = steps[distance.argmin(axis=1)]
    found = np.isfinite(distance.min(axis=1, initial=np.inf))
    rows, cols, nearest = rows[found], cols[found], nearest[found]
    return (rows, cols), (rows + nearest[:, 0], cols + nearest[:, 1])
