"""The ray launcher: a straight path, rays reflected off walls, and the paths around corners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.propagation.materials import electrical_constants
from radiodiff.propagation.ray_launching.settings import RayLaunchingSettings
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.propagation.ray_launching.solver import SceneRays

__all__ = ["RayLaunching"]


@final
@dataclass(frozen=True)
class RayLaunching(PropagationModel):
    """Two-dimensional ray launching for antennas at street level between buildings far higher than they are.

    A cell holds the mean power over its free area, the part outside the walls. The share of it in line of sight
    receives the straight path, the rest the best path around corners, see `DominantPath`; both are taken at its centre.
    Rays leave the transmitter at equal angles and are reflected off the walls as off mirrors; each stands for the tube
    between its neighbours and brings a cell the share of its power density that its stretch there has of the free area.

    Powers of paths are added; phases are not drawn. A coherent sum would fade within half a wavelength, 2.5 cm at
    5.9 GHz, and its mean over a cell is the sum of powers again. The alternative that some planning tools use, the
    strongest path alone, is lower by up to 3 dB for two paths.

    Walls are vertical and without end, so nothing passes over roofs but in the corner law; heights of antennas enter
    only the ground's reflection. Rays end at the border of the map. Cars change the straight path and those around
    corners, see `DominantPath`, not the reflected ones.

    `RadioMap.meta` tells `rays` and `standard_error_db`, the median over the cells that reflected rays reach of the
    error that the number of rays leaves, estimated from the difference of its even and its odd rays. The estimate is
    that of independent rays and thus high: the error of evenly spaced ones falls faster.

    Attributes:
        settings: Rays, walls, and how contributions add.

    Raises:
        PropagationError: When solving: the carrier is outside the range of a material.
        TransmitterError: When solving, before any is solved: one stands above a roof, or higher than all of them.

    Source: ray tubes: Seidel and Rappaport (1994), "Site-specific propagation prediction for wireless in-building
    personal communication system design", IEEE Trans. Veh. Technol. 43(4), there by reception spheres.
    """

    settings: RayLaunchingSettings = field(default_factory=RayLaunchingSettings)
    name = "ray-launching"

    @property
    def reaches_everywhere(self) -> bool:  # type: ignore[override]
        """Whether paths around corners are part of the map: they reach every cell."""
        return self.settings.combination != "none"

    def check_carrier(self, frequency_hz: float) -> None:
        """The materials' range of carriers."""
        for name in self.settings.materials:
            electrical_constants(name, frequency_hz)

    def prepare(self, scene: Scene) -> Solver:
        """Build the corner graph of a scene and list the walls of its cells."""
        # Here, not above: settings of data sets import this package, and need no compiler.
        from radiodiff.propagation.ray_launching.solver import SceneRays

        rays = SceneRays.of_scene(scene)

        def solve(txs: Sequence[Transmitter]) -> Iterator[Solution]:
            for tx in txs:
                rays.check_street_level(tx)
            return (self._solve(rays, tx) for tx in txs)

        return solve

    def _solve(self, rays: "SceneRays", tx: Transmitter) -> Solution:
        facts: dict[str, Any] = {"rays": self.settings.num_rays}
        path_loss_db: NDArray[np.float64]
        path_loss_db, facts["standard_error_db"] = rays.solve(tx, self.settings)
        return Solution(path_loss_db, facts)
