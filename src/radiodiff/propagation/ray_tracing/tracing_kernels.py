"""The ray tracer behind the engine: Sionna RT's solver of radio maps, with rays of our own choice.

Imported only after `load_ray_tracer`: this module imports packages of the extra raytrace.
"""

import gc
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np
import sionna.rt
from numpy.typing import NDArray
from sionna.rt.radio_map_solvers import radio_map_solver

from radiodiff.propagation.materials import electrical_constants
from radiodiff.propagation.ray_tracing.directions import GOLDEN, PLASTIC, Directions, batch_shift
from radiodiff.propagation.ray_tracing.meshes import Mesh
from radiodiff.propagation.ray_tracing.settings import RayTracingSettings
from radiodiff.scene import Grid

__all__ = ["SceneTracer"]

NUM_EDGE_SLOTS = 1 << 17
"""Size of the table of diffracting edges. Two edges in one slot lose one of them; the library's 10,000 slots lose some
percent of the corners of a town."""

GREY = (0.5, 0.5, 0.5)
"""Nobody looks; left out, the library would draw a colour from the global random numbers."""

CUBIC = 1.220_744_084_605_759_5
"""Root of x^4 = x + 1: shifts in three dimensions, as in `directions`."""

BELOW_ONE = 1.0 - 2.0**-24
"""The largest float32 below 1."""

ONE_SOLVE_AT_A_TIME = threading.Lock()


class _EvenSampler:
    """Numbers for the samples of diffracted paths: edge, place on it and angle around it, in this order.

    The edge goes by the rank of the sample, so that the samples of one edge follow each other; for place and angle the
    R2 sequence then spreads them evenly. Drawn by chance, they leave more noise.

    Args:
        num_rays: Samples of a transmitter.
        num_tx: Transmitters; each has the same numbers.
        batch: Number of the batch, which shifts them.
    """

    def __init__(self, num_rays: int, num_tx: int, batch: int) -> None:
        self._rank = dr.tile(dr.arange(mi.Float64, num_rays), num_tx)
        shifts = [(batch + 0.5) / CUBIC**power for power in (1, 2, 3)]
        self._laws = iter(zip((1.0 / num_rays, 1.0 / PLASTIC, 1.0 / PLASTIC**2), shifts, strict=True))

    def next_1d(self) -> Any:
        step, shift = next(self._laws)
        value = self._rank * dr.opaque(mi.Float64, step) + dr.opaque(mi.Float64, shift)
        return dr.minimum(mi.Float(value - dr.floor(value)), BELOW_ONE)


class _WeightedSolver(sionna.rt.RadioMapSolver):
    """The solver with the weights of the directions on the rays that carry them, and even samples of edges.

    The weight of a ray is put into the antenna pattern. Diffraction takes its directions from the edges, not from the
    lattice: there the pattern is the antenna's own.
    """

    batch = 0

    def _evaluate_first_order_diffraction(self, *arguments: Any) -> None:
        scene, radio_map, _, places, turns, _, precoding, positions, num_rays, edges, lit = arguments
        even = _EvenSampler(num_rays, radio_map.num_tx, self.batch)
        super()._evaluate_first_order_diffraction(
            scene, radio_map, even, places, turns, [_isotropic], precoding, positions, num_rays, edges, lit
        )


class _Antenna(sionna.rt.AntennaPattern):
    def __init__(self) -> None:
        self.patterns: list[Callable[[Any, Any], tuple[Any, Any]]] = [_isotropic]


def _isotropic(theta: Any, phi: Any) -> tuple[Any, Any]:
    zeros = dr.zeros(mi.Float, dr.width(theta))
    return _real(zeros + 1.0), _real(zeros)


def _real(amplitude: Any) -> Any:
    complex_number: Any = mi.Complex2f
    return complex_number(amplitude, 0.0)


def _opaque(kind: Any, directions: Directions) -> tuple[Any, Any, Any]:
    # Numbers that change from scene to scene are opaque: as literals, each value would be compiled anew.
    values = (directions.edge, directions.share_down, directions.share_flat)
    edge, share_down, share_flat = (dr.opaque(kind, value) for value in values)
    return edge, share_down, share_flat


def _weighted(directions: Directions) -> Callable[[Any, Any], tuple[Any, Any]]:
    """An antenna whose gain is `Directions.weight`."""
    edge, share_down, share_flat = _opaque(mi.Float, directions)

    def pattern(theta: Any, phi: Any) -> tuple[Any, Any]:
        elevation = dr.cos(theta)
        z = dr.abs(elevation)
        share = dr.select(elevation < 0.0, share_down, dr.maximum(1.0 - share_down, 1e-9))
        steep = (1.0 - share_flat) / (1.0 / edge - 1.0) / dr.square(dr.maximum(z, edge))
        amplitude = dr.sqrt(0.5 / (share * dr.select(z < edge, share_flat / edge, steep)))
        zeros = dr.zeros(mi.Float, dr.width(theta))
        return _real(amplitude + zeros), _real(zeros)

    return pattern


def _lattice(directions: Directions | None, shift: tuple[float, float]) -> Callable[[int], Any]:
    """Points on the unit square for the solver to make rays of: a moved lattice, by `Directions.elevation`."""
    around, down = (dr.opaque(mi.Float64, value) for value in shift)

    def lattice(num_rays: int) -> Any:
        number = dr.arange(mi.Float64, 0, num_rays)
        turn = number * GOLDEN + around
        uniform = (number + 0.5) / dr.opaque(mi.Float64, num_rays) + down
        turn, uniform = turn - dr.floor(turn), uniform - dr.floor(uniform)
        if directions is None:
            return mi.Point2f(mi.Float(turn), mi.Float(uniform))
        edge, share_down, share_flat = _opaque(mi.Float64, directions)
        is_down = uniform < share_down
        part = dr.select(
            is_down, 1.0 - uniform / share_down, (uniform - share_down) / dr.maximum(1.0 - share_down, 1e-9)
        )
        steep = (part - share_flat) / (1.0 - share_flat)
        inverse = 1.0 / edge - dr.maximum(steep, 0.0) * (1.0 / edge - 1.0)
        z = dr.select(part < share_flat, edge * part / share_flat, 1.0 / inverse)
        # The solver reads the cosine from the zenith as 1 - 2 y.
        return mi.Point2f(mi.Float(turn), mi.Float(0.5 + 0.5 * dr.select(is_down, z, -z)))

    return lattice


@contextmanager
def _rays_from(lattice: Callable[[int], Any]) -> Iterator[None]:
    """The solver's rays leave in the directions of this lattice.

    The library has no setting for it: the name that its solver looks up is exchanged, for one solve of one thread.
    """
    original = radio_map_solver.fibonacci_lattice
    original_size = sionna.rt.RadioMapSolver._WEDGE_INTERSECTIONS_SIZE
    with ONE_SOLVE_AT_A_TIME:
        radio_map_solver.fibonacci_lattice = lattice
        sionna.rt.RadioMapSolver._WEDGE_INTERSECTIONS_SIZE = NUM_EDGE_SLOTS
        try:
            yield
        finally:
            radio_map_solver.fibonacci_lattice = original
            sionna.rt.RadioMapSolver._WEDGE_INTERSECTIONS_SIZE = original_size


class SceneTracer:
    """Buildings and ground in the memory of the ray tracer, for one carrier.

    The frame is the map's own, y DOWN: a mirror image of the world, in which the same powers arrive, and row 0 of a
    result is the top of the map.

    Args:
        grid: The grid.
        surfaces: Mesh and material of each kind of surface, by its name; meshes may be empty.
        frequency_hz: Carrier [Hz].
        settings: Effects.
    """

    def __init__(
        self,
        grid: Grid,
        surfaces: Mapping[str, tuple[Mesh, str]],
        frequency_hz: float,
        settings: RayTracingSettings,
    ) -> None:
        dr.set_thread_count(settings.num_threads)
        self._settings = settings
        self._grid = grid
        self._solver = _WeightedSolver()
        self._scene = sionna.rt.Scene()
        self._scene.frequency = float(frequency_hz)
        self._antenna = _Antenna()
        self._scene.tx_array = sionna.rt.AntennaArray(self._antenna, mi.Point3f(0.0, 0.0, 0.0))
        objects = []
        for name, (mesh, material) in surfaces.items():
            if len(mesh.triangles):
                surface = _radio_material(name, material, frequency_hz, settings)
                objects.append(
                    sionna.rt.SceneObject(mi_mesh=_mitsuba_mesh(mesh, name), name=name, radio_material=surface)
                )
        if objects:
            self._scene.edit(add=objects)

    def gains(
        self,
        positions: Sequence[tuple[float, float, float]],
        receivers_m: float,
        directions: Directions | None,
        num_rays: int,
        batch: int,
    ) -> NDArray[np.float32]:
        """Path gain of one batch of rays, averaged over cells, (transmitters, rows, cols), as power ratios.

        Args:
            positions: x, y and height of the transmitters [m].
            receivers_m: Height of the receivers [m].
            directions: Law of the rays, or None for uniform ones.
            num_rays: Rays of a transmitter.
            batch: Number of the batch: it shifts the lattice and is the seed of what is drawn.
        """
        settings, grid = self._settings, self._grid
        names = [f"tx{index}" for index in range(len(positions))]
        width_m, height_m = grid.cols * grid.cell_size_m, grid.rows * grid.cell_size_m
        for name, position in zip(names, positions, strict=True):
            self._scene.add(sionna.rt.Transmitter(name, position=mi.Point3f(*(float(value) for value in position))))
        self._solver.batch = batch
        self._antenna.patterns = [_isotropic if directions is None else _weighted(directions)]
        try:
            with _rays_from(_lattice(directions, batch_shift(batch))):
                found = self._solver(
                    self._scene,
                    center=mi.Point3f(width_m / 2.0, height_m / 2.0, float(receivers_m)),
                    orientation=mi.Point3f(0.0, 0.0, 0.0),
                    size=mi.Point2f(width_m, height_m),
                    cell_size=mi.Point2f(float(grid.cell_size_m), float(grid.cell_size_m)),
                    samples_per_tx=num_rays,
                    max_depth=settings.max_depth,
                    los=settings.line_of_sight,
                    specular_reflection=settings.specular_reflection,
                    diffuse_reflection=settings.diffuse_reflection,
                    refraction=settings.refraction,
                    diffraction=settings.diffraction,
                    diffraction_lit_region=settings.diffraction_in_sight,
                    seed=batch,
                )
                gains: NDArray[np.float32] = found.path_gain.numpy()
        finally:
            for name in names:
                self._scene.remove(name)
        return gains

    def close(self) -> None:
        """Give the memory of the scene back: it hangs in cycles, and in the ray tracer's cache of free blocks."""
        del self._scene, self._solver
        gc.collect()
        dr.flush_malloc_cache()


def _radio_material(name: str, material: str, frequency_hz: float, settings: RayTracingSettings) -> Any:
    permittivity, conductivity_s_per_m = electrical_constants(material, frequency_hz)
    return sionna.rt.RadioMaterial(
        f"surface of {name}",
        thickness=settings.wall_thickness_m,
        relative_permittivity=permittivity,
        conductivity=conductivity_s_per_m,
        scattering_coefficient=settings.scattering_coefficient if settings.diffuse_reflection else 0.0,
        color=GREY,
    )


def _mitsuba_mesh(mesh: Mesh, name: str) -> Any:
    properties = mi.Properties()
    properties["face_normals"] = True
    made = mi.Mesh(name, len(mesh.vertices), len(mesh.triangles), props=properties)
    parameters = mi.traverse(made)
    parameters["vertex_positions"] = mi.Float(mesh.vertices.astype(np.float32).ravel())
    parameters["faces"] = mi.UInt(mesh.triangles.astype(np.uint32).ravel())
    parameters.update()
    return made
