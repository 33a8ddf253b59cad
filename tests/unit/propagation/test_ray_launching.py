"""The ray launcher against free space, the method of images, and figures by hand."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from engine_cases import free_cell, turned_blocks
from radiodiff.propagation import FreeSpace
from radiodiff.propagation.ray_launching import RayLaunching, RayLaunchingSettings
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(40, 60)
SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
REFLECTED = RayLaunchingSettings(combination="none", reflection_loss_db=6.0)
Walls = NDArray[np.float64]


def blocks(*boxes: tuple[float, float, float, float]) -> Scene:
    return Scene.from_footprints(GRID, [Footprint(shapely.box(*box)) for box in boxes])


def power(scene: Scene, tx: Transmitter, settings: RayLaunchingSettings) -> NDArray[np.float64]:
    """Power gain at every cell, 0 where no path leads."""
    loss_db = RayLaunching(settings).radio_map(scene, tx).path_loss_db.astype(np.float64)
    return np.nan_to_num(10.0 ** (-loss_db / 10.0))


def friis(length_m: float, frequency_hz: float = 5.9e9) -> float:
    return (SPEED_OF_LIGHT_M_PER_S / (4.0 * math.pi * frequency_hz * max(length_m, 1.0))) ** 2


def concrete_te_reflectivity(cosine: float, frequency_hz: float) -> float:
    """Power reflected by concrete, field across the plane of incidence: ITU-R P.2040-3, table 3, eqs. 9b, 31a."""
    ghz = frequency_hz / 1e9
    conductivity = 0.0462 * ghz**0.7822
    permittivity = 5.24 - 1j * 17.98 * conductivity / ghz
    root = (permittivity - 1.0 + cosine**2) ** 0.5
    return abs((cosine - root) / (cosine + root)) ** 2


def images(scene: Scene, tx: Transmitter, depth: int, reflectivity: float) -> NDArray[np.float64]:
    """Power by mirror images: every sequence of walls, every cell centre, no pruning."""
    solid = shapely.union_all([footprint.polygon for footprint in scene.footprints or ()])
    inner = shapely.buffer(solid, -2e-3, join_style="mitre")
    shapely.prepare(inner)
    walls = []
    for part in shapely.get_parts(solid):
        for ring in (part.exterior, *part.interiors):
            walls += list(itertools.pairwise(shapely.get_coordinates(ring)))
    result = np.zeros(scene.grid.shape)
    x_m, y_m = scene.grid.centres_m()
    ends = {(r, c): np.array([x_m[0, c], y_m[r, 0]]) for r, c in np.argwhere(~scene.buildings)}
    for count in range(depth + 1):
        for sequence in itertools.product(walls, repeat=count):
            if any(a is b for a, b in itertools.pairwise(sequence)):
                continue
            sources = [np.array([tx.x_m, tx.y_m])]
            for wall in sequence:
                sources.append(mirrored(sources[-1], *wall))
            for cell, end in ends.items():
                points = way_back(sources, sequence, end)
                if points is None or shapely.intersects(inner, shapely.linestrings(points)):
                    continue
                result[cell] += friis(math.dist(sources[-1], end)) * reflectivity**count
    return result


def mirrored(point: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    along = (b - a) / np.linalg.norm(b - a)
    return 2.0 * (a + ((point - a) @ along) * along) - point


def way_back(sources: list, sequence: tuple, end: NDArray[np.float64]) -> list | None:
    """Points of the path from a receiver back to the transmitter, None where a mirror is missed."""
    points = [end]
    for source, (a, b) in zip(reversed(sources[1:]), reversed(sequence), strict=True):
        (ex, ey), (dx, dy), (px, py) = b - a, source - points[-1], points[-1] - a
        cross = ex * dy - ey * dx
        if abs(cross) < 1e-12:
            return None
        share, along = (px * ey - py * ex) / cross, (px * dy - py * dx) / cross
        if not (1e-9 < share < 1.0 - 1e-9 and 0.0 <= along <= 1.0):
            return None
        points.append(points[-1] + share * np.array([dx, dy]))
    return [*points, sources[0]]


def test_an_empty_scene_is_free_space() -> None:
    scene, tx = Scene.empty(GRID), Transmitter.at_cell(GRID, 20, 10)
    expected = FreeSpace().radio_map(scene, tx).path_loss_db
    for combination in ("power-sum", "none"):
        settings = RayLaunchingSettings(combination=combination)
        np.testing.assert_allclose(RayLaunching(settings).radio_map(scene, tx).path_loss_db, expected, atol=1e-4)


@pytest.mark.parametrize("frequency_hz", [2.4e9, 5.9e9])
def test_one_wall_has_the_power_of_its_image(frequency_hz: float) -> None:
    """A long wall of concrete: straight path and image, by hand."""
    scene = blocks((0.0, 30.0, 60.0, 40.0))
    tx = Transmitter.at_cell(GRID, 12, 20, frequency_hz=frequency_hz)
    actual = power(scene, tx, RayLaunchingSettings(combination="none"))
    for col, row in ((40, 25), (55, 10), (30, 5), (14, 28)):
        straight = math.dist((12, 20), (col, row))
        down = (30.0 - 20.5) + (30.0 - row - 0.5)
        unfolded = math.hypot(col - 12, down)
        reflected = concrete_te_reflectivity(down / unfolded, frequency_hz) * friis(unfolded, frequency_hz)
        expected = friis(straight, frequency_hz) + reflected
        assert 10.0 * math.log10(actual[row, col] / expected) == pytest.approx(0.0, abs=0.005), (col, row)


def test_two_facing_walls_have_the_series_of_images() -> None:
    """A street canyon: images at -y and beyond, one reflection more each, up to the depth."""
    scene = blocks((0.0, 0.0, 60.0, 10.0), (0.0, 30.0, 60.0, 40.0))
    tx = Transmitter(10.0, 18.0)
    for depth in (1, 2, 4):
        actual = power(scene, tx, dataclasses.replace(REFLECTED, max_depth=depth))
        for col, row in ((45, 20), (25, 12), (33, 28)):
            x, y = col + 0.5, row + 0.5
            expected = friis(math.dist((10.0, 18.0), (x, y)))
            for first in (10.0, 30.0):
                image, wall = 18.0, first
                for count in range(1, depth + 1):
                    image, wall = 2.0 * wall - image, 40.0 - wall
                    expected += friis(math.dist((10.0, image), (x, y))) * 10.0 ** (-0.6 * count)
            # Images of depth 4 are 90 m away, where reflections begin to leave the map at its ends.
            assert 10.0 * math.log10(actual[row, col] / expected) == pytest.approx(0.0, abs=0.02), (depth, col, row)


def test_a_corner_of_two_walls_has_three_images() -> None:
    scene = blocks((0.0, 30.0, 60.0, 40.0), (50.0, 0.0, 60.0, 30.0))
    tx = Transmitter(20.0, 20.0)
    actual = power(scene, tx, dataclasses.replace(REFLECTED, max_depth=5))
    for col, row in ((30, 10), (40, 25), (10, 22)):
        x, y = col + 0.5, row + 0.5
        expected = sum(
            friis(math.dist(image, (x, y))) * 10.0 ** (-0.6 * count)
            for image, count in (((20, 20), 0), ((20, 40), 1), ((80, 20), 1), ((80, 40), 2))
        )
        assert 10.0 * math.log10(actual[row, col] / expected) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_all_images_of_turned_blocks(seed: int) -> None:
    scene = turned_blocks(seed, count=2)
    tx = free_cell(scene, seed)
    expected = images(scene, tx, 2, 10.0**-0.6)
    actual = power(scene, tx, dataclasses.replace(REFLECTED, max_depth=2))
    outside = ~scene.buildings
    both = outside & (expected > 0.0) & (actual > 0.0)
    error_db = 10.0 * np.log10(actual[both] / expected[both])
    assert both.sum() > 0.8 * (outside & ((expected > 0.0) | (actual > 0.0))).sum()
    assert abs(np.median(error_db)) < 0.005
    # Edges of reflections cross cells: those hold a share of what their centre does, or does not, receive.
    assert np.quantile(np.abs(error_db), 0.9) < 0.3
