"""The dominant path model: the path of least loss around the corners of a city."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solver
from radiodiff.propagation.dominant_path.law import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.propagation.dominant_path.corner_graph import CornerGraph, Paths

__all__ = ["DominantPath", "path_loss_of_paths_db"]


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
            return path_loss_of_paths_db(graph, graph.paths(x, y, self.law), scene, tx, self.law)

        return solve


def path_loss_of_paths_db(
    graph: "CornerGraph", paths: "Paths", scene: Scene, tx: Transmitter, law: DominantPathLaw
) -> NDArray[np.float64]:
    """Loss of the best path at every cell outside the buildings, (rows, cols) [dB]."""
    size = scene.grid.cell_size_m
    reference_db = law.reference_loss_at_db(tx.frequency_hz)
    log_distance = np.log10(tx.distance_m(scene.grid, minimum_m=law.minimum_distance_m))
    over_roofs_db = reference_db + 10.0 * law.nlos_exponent * log_distance + law.over_roof_loss_db
    with np.errstate(divide="ignore"):
        around_db = reference_db + 10.0 * law.nlos_exponent * np.log10(
            np.maximum(paths.product * size, law.minimum_distance_m)
        )
    loss_db: NDArray[np.float64] = np.minimum(around_db, over_roofs_db)
    straight_db = reference_db + 10.0 * law.los_exponent * log_distance + law.car_loss_los_db * paths.crosses_car
    loss_db[paths.is_los] = straight_db[paths.is_los]
    _fill_rim(loss_db, graph.solid_cells, graph.solid_cells & ~scene.buildings)
    return loss_db


def _fill_rim(loss_db: NDArray[np.float64], solid: NDArray[np.bool_], rim: NDArray[np.bool_]) -> None:
    """Give free cells that lie inside an outline the least loss among their neighbours outside, in place.

    Outline and raster differ by a fraction of a cell along the walls.
    """
    rows, cols = np.nonzero(rim)
    if not len(rows):
        return
    outside = np.pad(np.where(solid, np.inf, loss_db), 1, constant_values=np.inf)
    nearby = np.stack([outside[rows + i, cols + j] for i in range(3) for j in range(3)]).min(axis=0)
    found = np.isfinite(nearby)
    loss_db[rows[found], cols[found]] = nearby[found]
