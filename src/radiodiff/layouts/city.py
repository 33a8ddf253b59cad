"""The procedural city generator."""

from typing import TYPE_CHECKING

import numpy as np

from radiodiff.errors import LayoutError
from radiodiff.layouts.cars import park_cars
from radiodiff.layouts.coverage import Building, thin_out
from radiodiff.layouts.fills import FILLS
from radiodiff.layouts.outline import SUBDIVISIONS, Outline
from radiodiff.layouts.settings import CitySettings
from radiodiff.layouts.spacing import keep_apart
from radiodiff.layouts.streams import Seed, random_stream
from radiodiff.layouts.streets import StreetNet, lay_out_blocks
from radiodiff.layouts.styles import BUILDING_HEIGHTS_M, STYLES, Style
from radiodiff.scene import Footprint, Scene

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["generate_city"]

ATTEMPTS = 24
PATIENCE = 3
"""Attempts after which a scene within the range is taken although it misses its own target."""

TOLERANCE = 0.01
DENSITY_STEP = 0.2
SMALLEST_PIECE_M2 = 6.0
"""Slivers that the border of the map leaves of a building are dropped below this area."""


def generate_city(settings: CitySettings, seed: Seed) -> Scene:
    """Draw a city: streets on a plane larger than the map, buildings on its blocks, cars on its streets.

    The same settings and seed give the same scene, bit for bit, on every machine with the same libraries.

    Args:
        settings: Size, style and coverage.
        seed: A whole number, or several, for example (data set seed, map number).

    Returns:
        A scene with footprints that do not touch, heights, and cars unless none were asked for.

    Raises:
        LayoutError: The seed is not valid, or no attempt met the coverage.
    """
    name, target = _draw_style(settings, random_stream(seed, "style"))
    low, high = settings.coverage_range
    reach = STYLES[name].coverage
    best: tuple[Scene, list[Outline]] | None = None
    reached = []
    for attempt in range(ATTEMPTS):
        # Each attempt builds denser than the one before, since what is too much can be taken out.
        density = min((target - reach[0]) / (reach[1] - reach[0]) + DENSITY_STEP * (attempt + 0.5), 1.0)
        rng = random_stream(seed, "buildings", attempt)
        blocks = _blocks(settings, STYLES[name], density, rng)
        buildings = _build(settings, STYLES[name], blocks, density, rng)
        buildings = thin_out(buildings, target * settings.rows * settings.cols * settings.cell_size_m**2, rng)
        scene = Scene.from_footprints(
            settings.grid, _footprints(settings, buildings), source=f"city {name}, seed {seed}"
        )
        reached.append(scene.coverage)
        is_closer = best is None or abs(scene.coverage - target) < abs(best[0].coverage - target)
        if low <= scene.coverage <= high and is_closer:
            best = scene, blocks
        if best and (abs(best[0].coverage - target) <= TOLERANCE or attempt + 1 >= PATIENCE):
            return park_cars(*best, settings, random_stream(seed, "cars"))
    raise LayoutError(
        f"A city of style {name!r} must reach a coverage within {low:g}..{high:g}",
        value=f"{min(reached):.3f}..{max(reached):.3f} in {ATTEMPTS} attempts",
        remedy="Widen the coverage range, narrow the streets, or enlarge the map.",
    )


def _draw_style(settings: CitySettings, rng: np.random.Generator) -> tuple[str, float]:
    """Name of a style and a coverage it reaches."""
    target = rng.uniform(*settings.coverage_range)
    fitting = [name for name in settings.styles if STYLES[name].coverage[0] <= target <= STYLES[name].coverage[1]]
    return fitting[int(rng.integers(len(fitting)))], target


def _blocks(settings: CitySettings, style: Style, density: float, rng: np.random.Generator) -> list[Outline]:
    narrow, wide = style.street_width_m
    # Streets of a dense town are narrower, unless their width was asked for.
    street_width_m = settings.street_width_m or (narrow, wide - 0.75 * density * (wide - narrow))
    net = StreetNet(style, street_width_m, rng.uniform(*settings.angle_deg))
    grid = settings.grid
    return lay_out_blocks(net, grid.cols * grid.cell_size_m, grid.rows * grid.cell_size_m, rng)


def _build(
    settings: CitySettings, style: Style, blocks: list[Outline], density: float, rng: np.random.Generator
) -> list[Building]:
    """Fill every block; buildings that miss the map are left out."""
    import shapely

    kinds = list(style.fills)
    weights = np.cumsum([(1.0 - density) * sparse + density * dense for sparse, dense in style.fills.values()])
    shapes: list[Polygon] = []
    labels: list[tuple[float, int]] = []
    for number, block in enumerate(blocks):
        kind = kinds[int(np.searchsorted(weights, rng.uniform() * weights[-1], side="right"))]
        low_m, high_m = settings.height_m or BUILDING_HEIGHTS_M[kind]
        block_height_m = rng.uniform(low_m, high_m)
        for shape in FILLS[kind](block, density, rng):
            height_m = min(max(block_height_m * rng.uniform(0.85, 1.15), low_m), high_m)
            shapes.append(shape)
            labels.append((round(height_m, 1), number))
    areas_m2 = shapely.area(shapely.intersection(np.array(shapes, dtype=object), _map_area(settings)))
    return [Building(shapes[i], *labels[i], float(areas_m2[i])) for i in np.flatnonzero(areas_m2 > 0)]


def _footprints(settings: CitySettings, buildings: list[Building]) -> list[Footprint]:
    """Outlines on a fine lattice, cut at the border of the map; none touches another."""
    import shapely

    cut = shapely.intersection(
        np.array([building.polygon for building in buildings], dtype=object),
        _map_area(settings),
        grid_size=1.0 / SUBDIVISIONS,
    )
    parts, owners = shapely.get_parts(cut, return_index=True)
    is_building = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (
        shapely.area(parts) >= SMALLEST_PIECE_M2
    )
    parts, owners = parts[is_building], owners[is_building]
    return [
        Footprint(shapely.normalize(parts[index]), buildings[owners[index]].height_m)
        for index in keep_apart(parts, 0.0)
    ]


def _map_area(settings: CitySettings) -> "Polygon":
    import shapely

    return shapely.box(0.0, 0.0, settings.cols * settings.cell_size_m, settings.rows * settings.cell_size_m)
