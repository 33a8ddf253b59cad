"""The dominant path model once more, slow and plain: every sequence of corners, every wall, no pruning."""

import itertools
import math

import numpy as np
import shapely
from numpy.typing import NDArray

from radiodiff.propagation import DominantPathLaw
from radiodiff.scene import Scene, Transmitter

Point = tuple[float, float]


def path_loss_db(scene: Scene, tx: Transmitter, law: DominantPathLaw) -> NDArray[np.float64]:
    """Least loss over all tight paths of up to `law.max_corners` corners; NaN indoors. Scenes with outlines only."""
    solid = shapely.union_all([f.polygon for f in scene.footprints or ()])
    # What grazes a wall or a corner by less than a thousandth of a cell is free, as in the engine.
    inner = shapely.buffer(solid, -1e-3, join_style="mitre")
    shapely.prepare(inner)
    corners = _convex_corners(solid)

    def sees(a: Point, b: Point) -> bool:
        return not shapely.intersects(inner, shapely.LineString([a, b]))

    start = (tx.x_m, tx.y_m)
    links = {(i, j) for i, j in itertools.permutations(range(len(corners)), 2) if sees(corners[i][0], corners[j][0])}
    first = [i for i in range(len(corners)) if sees(start, corners[i][0])]
    sequences = [(i,) for i in first]
    for _ in range(law.max_corners - 1):
        sequences += [(*s, j) for s in sequences for j in range(len(corners)) if (s[-1], j) in links]
    sequences = sorted({s for s in sequences if len(s) <= law.max_corners})
    result = np.full(scene.grid.shape, np.nan)
    x_m, y_m = scene.grid.centres_m()
    for row, col in np.argwhere(~scene.buildings):
        end = (float(x_m[0, col]), float(y_m[row, 0]))
        direct = max(math.dist(start, end), law.minimum_distance_m)
        if sees(start, end):
            result[row, col] = law.reference_loss_db + 10 * law.los_exponent * math.log10(direct)
            continue
        best = law.reference_loss_db + 10 * law.nlos_exponent * math.log10(direct) + law.over_roof_loss_db
        seen_from = [sees(corner, end) for corner, *_ in corners]
        for sequence in sequences:
            if seen_from[sequence[-1]]:
                best = min(best, _loss([start, *(corners[i][0] for i in sequence), end], sequence, corners, law))
        result[row, col] = best
    return result


def _loss(points: list[Point], sequence: tuple[int, ...], corners: list[tuple], law: DominantPathLaw) -> float:
    total, length = 0.0, sum(math.dist(a, b) for a, b in itertools.pairwise(points))
    for before, index, after in zip(points, sequence, points[2:], strict=False):
        corner, wall_in, wall_out = corners[index]
        turn = _turn(_minus(corner, before), _minus(after, corner))
        tight_left = (
            _turn(wall_in, _minus(corner, before)) >= -1e-6 and _turn(_minus(corner, before), wall_out) >= -1e-6
        )
        back_out, back_in = (-wall_out[0], -wall_out[1]), (-wall_in[0], -wall_in[1])
        tight_right = (
            _turn(back_in, _minus(corner, before)) >= -1e-6 and _turn(_minus(corner, before), back_out) >= -1e-6
        )
        if (tight_left and -1e-6 <= turn <= _turn(_minus(corner, before), wall_out) + 1e-6) or (
            tight_right and -1e-6 <= -turn <= _turn(back_in, _minus(corner, before)) + 1e-6
        ):
            pass
        else:
            return math.inf
        share = min(math.degrees(abs(turn)) / law.corner_saturation_deg, 1.0)
        total += law.corner_offset_db + (law.corner_max_db - law.corner_offset_db) * share
    return law.reference_loss_db + 10 * law.nlos_exponent * math.log10(length) + total


def _convex_corners(solid: shapely.Geometry) -> list[tuple[Point, Point, Point]]:
    """Convex corners with the directions of the walls before and after them, the solid on the left."""
    found = []
    for part in shapely.get_parts(solid):
        part = shapely.orient_polygons(part)
        for ring in (part.exterior, *part.interiors):
            points = [tuple(p) for p in shapely.get_coordinates(ring)[:-1]]
            for i, point in enumerate(points):
                wall_in, wall_out = _minus(point, points[i - 1]), _minus(points[(i + 1) % len(points)], point)
                if _turn(wall_in, wall_out) > math.radians(0.1):
                    found.append((point, wall_in, wall_out))
    return found


def _minus(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1]


def _turn(u: Point, v: Point) -> float:
    """Signed angle from u to v, positive from x to y [rad]."""
    return math.atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1])
