"""The dominant path model: the path of least loss around the corners of a city."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solver, one_by_one
from radiodiff.propagation.dominant_path.law import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.propagation.dominant_path.corner_graph import CornerGraph, Paths

__all__ = ["DominantPath", "losses_behind_corners_db", "path_loss_of_paths_db"]


@final
@dataclass(frozen=True)
class DominantPath(PropagationModel):
    """Dominant path model with the constants of `law`.

    Buildings are infinitely high (25 m buildings and 1.5 m antennas in RadioMapSeer); heights do not enter. Cars, where
    the scene has them, let waves through: every straight stretch of a path that crosses cars loses a fixed amount. The
    corner graph is built once per scene; every transmitter on it then takes milliseconds.

    Source: Wahl et al. (2005); see `DominantPathLaw`.
    """

    law: DominantPathLaw = field(default_factory=lambda: RADIOMAPSEER_LAW)
    name = "dominant-path"

    def prepare(self, scene: Scene) -> Solver:
        """Build the corner graph of a scene."""
        from radiodiff.propagation.dominant_path.corner_graph import CornerGraph

        graph = CornerGraph.of_scene(scene)
        size = scene.grid.cell_size_m

        def solve(tx: Transmitter) -> NDArray[np.float64]:
            x, y = graph.free_point(tx.x_m / size, tx.y_m / size)
            paths = graph.paths(graph.view(x, y), self.law)
            behind_corners_db = losses_behind_corners_db(paths, scene, tx, self.law)
            return path_loss_of_paths_db(graph, paths, behind_corners_db, scene, tx, self.law)

        return one_by_one(solve)


def path_loss_of_paths_db(
    graph: "CornerGraph",
    paths: "Paths",
    behind_corners_db: tuple[NDArray[np.float64], NDArray[np.float64]],
    scene: Scene,
    tx: Transmitter,
    law: DominantPathLaw,
) -> NDArray[np.float64]:
    """Loss of the best path at every cell outside the buildings, (rows, cols) [dB].

    Args:
        graph: Corner graph of the scene.
        paths: Paths of the transmitter.
        behind_corners_db: See `losses_behind_corners_db`.
        scene: The scene.
        tx: The transmitter.
        law: The law.
    """
    loss_db: NDArray[np.float64] = np.minimum(*behind_corners_db)
    log_distance = np.log10(tx.distance_m(scene.grid, minimum_m=law.minimum_distance_m))
    straight_db = law.reference_loss_at_db(tx.frequency_hz) + 10.0 * law.los_exponent * log_distance
    straight_db += law.car_loss_los_db * paths.crosses_car
    loss_db[paths.is_los] = straight_db[paths.is_los]
    (rows, cols), (free_rows, free_cols) = graph.rim
    loss_db[rows, cols] = loss_db[free_rows, free_cols]
    return loss_db


def losses_behind_corners_db(
    paths: "Paths", scene: Scene, tx: Transmitter, law: DominantPathLaw
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loss of the best path around corners and of the path over the roofs, both (rows, cols) [dB]."""
    reference_db = law.reference_loss_at_db(tx.frequency_hz)
    per_decade_db = 10.0 * law.nlos_exponent
    product_m = np.maximum(paths.product * scene.grid.cell_size_m, law.minimum_distance_m)
    log_distance = np.log10(tx.distance_m(scene.grid, minimum_m=law.minimum_distance_m))
    around_db: NDArray[np.float64] = reference_db + per_decade_db * np.log10(product_m)
    return around_db, reference_db + per_decade_db * log_distance + law.over_roof_loss_db
