"""Ray tracing as an engine."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import TransmitterError
from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.propagation.dominant_path import DominantPath
from radiodiff.propagation.materials import electrical_constants
from radiodiff.propagation.ray_tracing.directions import Directions
from radiodiff.propagation.ray_tracing.llvm import load_ray_tracer
from radiodiff.propagation.ray_tracing.meshes import building_mesh, car_outlines, ground_mesh, outlines_with_heights
from radiodiff.propagation.ray_tracing.noise import BatchMean
from radiodiff.propagation.ray_tracing.placing import clear_position
from radiodiff.propagation.ray_tracing.settings import RayTracingSettings
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.propagation.ray_tracing.tracing_kernels import SceneTracer

__all__ = ["RayTracing"]

SKY_M = 5000.0
"""Highest transmitter: above, neither flat ground nor a single map makes sense."""

Place = tuple[float, float]
Link = tuple[Transmitter, Place]

REACH = 0.35
"""Distance over which rays are spread evenly, in diagonals of the map: in a town, less leaves noise far off, more
wastes rays that leave the map (benchmarks/ray_tracing.py)."""

ERROR_EXPONENT = 0.75
"""The error of a lattice over a cell falls as rays^-0.75: what a cell gets wrong lies along its border."""

MAX_DOUBLINGS = 4

SHARE_DOWN_OF_SCATTERED = 0.7
"""Scattering brings back rays that start upwards. Else, between vertical walls and flat roofs, they never return."""


@final
@dataclass(frozen=True)
class RayTracing(PropagationModel):
    """Rays through the extruded outlines of a scene, in three dimensions, by Sionna RT.

    Path loss of the mean power over each cell, phases averaged out, between isotropic antennas; the transmitter's is
    vertically polarised. Cells without a path are NaN. Needs the extra raytrace and LLVM or a GPU; works offline.

    `RadioMap.meta` tells `rays`, `batches`, `standard_error_db` (median over the cells above the floor) and
    `standard_error_90_db` (exceeded by a tenth of them), whether the
    `noise_target_reached`, `tx_height_m` as solved, `tx_moved_m` where an outline covered it, `seconds` and the
    `variant` of the ray tracer; where buildings have no height, how many (`num_default_heights`) were taken to be
    `default_height_m` high.

    Source: Sionna RT; ITU-R P.2040 for the materials.
    """

    settings: RayTracingSettings = field(default_factory=RayTracingSettings)
    name = "ray-tracing"
    reaches_everywhere = False

    def check_carrier(self, frequency_hz: float) -> None:
        """The materials' range of carriers."""
        for name in self.settings.materials:
            electrical_constants(name, frequency_hz)

    def prepare(self, scene: Scene) -> Solver:
        """Extrude the buildings of a scene; the ray tracer's own copy is made at the first transmitter.

        Raises:
            PropagationError: The ray tracer cannot run here, a height is not known, or cars end at the receivers.
        """
        variant = load_ray_tracer(self.settings.device)
        footprints = outlines_with_heights(scene, self.settings.default_height_m)
        return _SceneSolver(scene, self.settings, variant, footprints).solve


class _SceneSolver:
    """Solves transmitters on one scene, in groups of the same carrier and height."""

    def __init__(self, scene: Scene, settings: RayTracingSettings, variant: str, footprints: Sequence[Any]) -> None:
        from radiodiff.propagation.dominant_path.obstacles import Obstacles
        from radiodiff.propagation.ray_launching.launch_kernels import free_shares

        self._scene = scene
        self._settings = settings
        self._variant = variant
        self._footprints = footprints
        unknown = footprints if scene.footprints is None else [f for f in scene.footprints if f.height_m is None]
        self._default_heights: dict[str, float] = {}
        if unknown and settings.default_height_m is not None:
            self._default_heights = {"num_default_heights": len(unknown), "default_height_m": settings.default_height_m}
        self._cars = car_outlines(scene, settings.car_height_m, settings.rx_height_m)
        self._ground = ground_mesh(scene, footprints)
        self._free_share = free_shares(Obstacles.of_scene(scene).walls, scene.grid.shape)
        self._completion = (
            DominantPath(settings.completion_law).prepare(scene) if settings.completion != "none" else None
        )

    def solve(self, txs: Sequence[Transmitter]) -> Iterator[Solution]:
        for tx in txs:
            if tx.height_m > SKY_M:
                raise TransmitterError(
                    f"A transmitter of the ray tracer must stand at most {SKY_M:g} m high",
                    value=f"{tx.height_m:g} m",
                    remedy="Heights are in metres above ground.",
                )
        # Before any is solved, as a place may be refused.
        outlines = [*self._footprints, *self._cars]
        places = [clear_position(tx, self._height_m(tx), outlines, self._scene.grid.cell_size_m) for tx in txs]
        return self._solutions(txs, places)

    def _solutions(self, txs: Sequence[Transmitter], places: Sequence[Place]) -> Iterator[Solution]:
        links = zip(txs, places, strict=True)
        for (frequency_hz, height_m), alike in itertools.groupby(links, self._kind):
            tracer = self._tracer(frequency_hz, height_m)
            try:
                for group in _chunks(list(alike), self._settings.tx_per_solve):
                    yield from self._trace(tracer, group, height_m)
            finally:
                tracer.close()

    def _kind(self, link: Link) -> tuple[float, float]:
        return link[0].frequency_hz, self._height_m(link[0])

    def _height_m(self, tx: Transmitter) -> float:
        """Height of a transmitter, clear of the plane of the receivers [m]."""
        receivers_m, gap_m = self._settings.rx_height_m, self._settings.min_height_gap_m
        return receivers_m + gap_m if abs(tx.height_m - receivers_m) < gap_m else tx.height_m

    def _tracer(self, frequency_hz: float, height_m: float) -> "SceneTracer":
        from radiodiff.propagation.ray_tracing.tracing_kernels import SceneTracer

        settings = self._settings
        ends_m = (height_m, settings.rx_height_m)
        surfaces = {
            "buildings": (
                building_mesh(self._footprints, ends_m, edges_from_m=min(ends_m)),
                settings.building_material,
            ),
            "cars": (building_mesh(self._cars, ends_m, edges_from_m=min(ends_m)), "metal"),
        }
        if settings.ground_material is not None:
            surfaces["ground"] = (self._ground, settings.ground_material)
        return SceneTracer(self._scene.grid, surfaces, frequency_hz, settings)

    def _directions(self, height_m: float) -> Directions | None:
        if not self._settings.has_horizon_sampling:
            return None
        grid = self._scene.grid
        above_m = height_m - self._settings.rx_height_m
        share_down = SHARE_DOWN_OF_SCATTERED if self._settings.diffuse_reflection else 1.0
        if above_m < 0.0:
            share_down = 0.5
        reach_m = REACH * grid.cell_size_m * float(np.hypot(*grid.shape))
        return Directions(abs(above_m) / float(np.hypot(above_m, reach_m)), share_down)

    def _trace(self, tracer: "SceneTracer", links: Sequence[Link], height_m: float) -> list[Solution]:
        """Add rounds until the noise of every transmitter is low enough; each keeps those that it needed."""
        settings, started = self._settings, perf_counter()
        directions = self._directions(height_m)
        means = [BatchMean(self._scene.grid.shape, settings.floor_db) for _ in links]
        seconds = [0.0] * len(links)
        wanted = dict.fromkeys(range(len(links)), settings.num_rays)
        while wanted:
            # Together, they take the rays of the noisiest.
            num_rays = max(wanted.values())
            positions = [(*links[index][1], height_m) for index in wanted]
            for index in wanted:
                means[index].start_round(num_rays)
            for _ in range(settings.num_batches):
                batch = means[next(iter(wanted))].total_count
                gains = tracer.gains(positions, settings.rx_height_m, directions, num_rays, batch)
                for index, gain in zip(wanted, gains, strict=True):
                    means[index].add(gain / self._free_share)
            elapsed = perf_counter() - started
            for index in wanted:
                seconds[index] = elapsed / len(links)
            wanted = {index: more for index in wanted if (more := self._next_rays(means[index], num_rays, elapsed))}
        return [
            Solution(
                self._completed(mean.path_loss_db, tx),
                {
                    **self._facts(mean),
                    "tx_height_m": height_m,
                    "tx_moved_m": round(float(np.hypot(x_m - tx.x_m, y_m - tx.y_m)), 3),
                    "seconds": round(taken, 4),
                },
            )
            for (tx, (x_m, y_m)), mean, taken in zip(links, means, seconds, strict=True)
        ]

    def _next_rays(self, mean: BatchMean, num_rays: int, elapsed_s: float) -> int:
        """Rays of a batch of the next round, or 0 where there is none."""
        settings = self._settings
        excess = mean.median_error_db() / settings.noise_target_db
        if excess <= 1.0 or (settings.max_seconds is not None and elapsed_s >= settings.max_seconds):
            return 0
        # Powers of two: a program is compiled for each number of rays.
        doublings = min(max(int(np.ceil(np.log2(excess) / ERROR_EXPONENT)), 1), MAX_DOUBLINGS)
        while doublings and mean.num_rays + settings.num_batches * (num_rays << doublings) > settings.max_rays:
            doublings -= 1
        return num_rays << doublings if doublings else 0

    def _facts(self, mean: BatchMean) -> dict[str, Any]:
        error_db = mean.median_error_db()
        return {
            "rays": mean.num_rays,
            "batches": mean.total_count,
            "standard_error_db": round(error_db, 4),
            "standard_error_90_db": round(mean.quantile_error_db(0.9), 4),
            "noise_target_reached": error_db <= self._settings.noise_target_db,
            "floor_db": self._settings.floor_db,
            "num_cells_traced": int((~np.isnan(mean.path_loss_db) & ~self._scene.buildings).sum()),
            "rx_height_m": self._settings.rx_height_m,
            "variant": self._variant,
            **self._default_heights,
        }

    def _completed(self, traced_db: NDArray[np.float64], tx: Transmitter) -> NDArray[np.float64]:
        """The traced path loss with what the settings add to it, (rows, cols) [dB]."""
        beyond_free_space_db = 10.0 * (self._settings.distance_exponent - 2.0)
        traced_db = traced_db + beyond_free_space_db * np.log10(tx.distance_m(self._scene.grid, minimum_m=1.0))
        if self._completion is None:
            return traced_db
        path_db = next(self._completion((tx,))).path_loss_db
        combined: NDArray[np.float64]
        if self._settings.completion == "where-no-path":
            combined = np.where(np.isnan(traced_db), path_db, traced_db)
        elif self._settings.completion == "strongest":
            combined = np.fmin(traced_db, path_db)
        else:
            traced = np.nan_to_num(10.0 ** (-traced_db / 10.0), nan=0.0)
            combined = -10.0 * np.log10(traced + 10.0 ** (-path_db / 10.0))
        return combined


def _chunks(links: list[Link], size: int) -> Iterator[list[Link]]:
    for start in range(0, len(links), size):
        yield links[start : start + size]
