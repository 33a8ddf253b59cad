"""Polygon and antenna files of RadioMapSeer.

A polygon vertex `[x, y]` counts from 1 with y upwards. In the local frame, where gain cell (row, col) has its
centre at (col + 0.5, row + 0.5) cells, it lies at `X = x - 0.5`, `Y = rows + 0.5 - y`: a vertex with whole
numbers is a cell centre of the gain image. An antenna `[x, y]` counts from 0: col = x, row = rows - 1 - y.

Three rules turn outlines into cells, half a cell apart:

* gain images: a cell is indoors where its centre is inside an outline (left and lower side included);
* building PNGs: a cell is set where the point half a cell right of and above its centre is;
* car PNGs: a cell is set where the point half a cell left of and below its centre is.

Source: measured on map 419 of Yapar et al. (2022), "Dataset of pathloss and ToA radio maps with localization
application", arXiv 2212.11777. The first rule differs from the zeros of four DPM gains in 45 cells,
counted within 3 cells of the buildings (41 of them zeros outdoors, deep shadow among them); the second
differs from the building PNG in 3 of its 65,536 cells.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import FormatError, TransmitterError
from radiodiff.formats.checks import check_file
from radiodiff.scene import Footprint, Grid, clean_footprints
from radiodiff.scene.raster import TIE_CELLS

__all__ = [
    "CAR_PNG_SAMPLE_OFFSET",
    "GAIN_SAMPLE_OFFSET",
    "PNG_SAMPLE_OFFSET",
    "RADIOMAPSEER_GRID",
    "PolygonLayer",
    "polygon_layer",
    "read_antennas_json",
    "read_json",
    "read_polygons_json",
    "read_rings_json",
    "write_antennas_json",
    "write_radiomapseer_polygons",
]

RADIOMAPSEER_GRID = Grid(256, 256, 1.0)
"""The grid of every RadioMapSeer map."""

GAIN_SAMPLE_OFFSET = (0.0, 0.0)
"""`sample_offset` of `radiodiff.scene.rasterize` for the cells that are indoors in gain images."""

PNG_SAMPLE_OFFSET = (0.5 - TIE_CELLS, -0.5)
"""`sample_offset` of `radiodiff.scene.rasterize` for building PNGs.

The tie offset to the right is taken back: 26 more cells of map 419, all on slanted walls, then agree.
"""

CAR_PNG_SAMPLE_OFFSET = (-0.5, 0.5)
"""The same for car PNGs: they stand half a cell right of and above the car shadows in carsDPM gains (measured on map
419: 97.9 % of line-of-sight cells agree on shadow or not, against 93.9 % without the offset and 88.8 % with that of the
buildings)."""

CENTRE = 0.5
"""A whole-numbered vertex lies at the centre of a cell."""


@dataclass(frozen=True)
class PolygonLayer:
    """The outlines of a polygon file.

    Attributes:
        footprints: The outlines in local metres.
        repaired: How many crossed or touched themselves and were repaired.
        dropped: How many have no area.
    """

    footprints: tuple[Footprint, ...]
    repaired: int
    dropped: int


def read_json(path: str | Path) -> Any:
    """Content of a JSON file.

    Raises:
        FormatError: The file is absent, empty or no JSON.
    """
    file = check_file(path)
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise FormatError(
            "A .json file must hold JSON",
            value=f"{file} ({error})",
            remedy="It is damaged or cut short: copy it again.",
        ) from error


def read_polygons_json(
    path: str | Path, grid: Grid = RADIOMAPSEER_GRID, heights_m: Sequence[float] | None = None
) -> PolygonLayer:
    """Outlines of a RadioMapSeer polygon file, in the local metres of a grid.

    Args:
        path: The file.
        grid: The grid.
        heights_m: Height of each outline [m], or None where they are not known.

    Raises:
        FormatError: The file is not a list of lists of [x, y] pairs of finite numbers.
    """
    return polygon_layer(read_rings_json(path), grid, heights_m)


def read_rings_json(path: str | Path) -> list[NDArray[np.float64]]:
    """Corners (n, 2) of each polygon of a file, in its own coordinates.

    Raises:
        FormatError: The file is not a list of lists of [x, y] pairs of finite numbers.
    """
    content = read_json(path)
    if not isinstance(content, list):
        raise _not_pairs("A polygon file", f"{path}, which holds {type(content).__name__}")
    return [_pairs(ring, "A polygon", f"{path}, polygon {index}") for index, ring in enumerate(content)]


def polygon_layer(
    rings: Sequence[NDArray[np.float64]], grid: Grid, heights_m: Sequence[float] | None = None
) -> PolygonLayer:
    """Outlines in the local metres of a grid.

    Args:
        rings: Corners (n, 2) of each polygon, in the coordinates of a file.
        grid: The grid.
        heights_m: Height of each [m], or None where they are not known.
    """
    from shapely import Polygon

    given: Sequence[float | None] = [None] * len(rings) if heights_m is None else heights_m
    shapes = [
        (Polygon(_json_to_local(ring, grid)), height_m)
        for ring, height_m in zip(rings, given, strict=True)
        if len(ring) >= 3
    ]
    shapes = [(shape, height_m) for shape, height_m in shapes if shape.convex_hull.area > 0]
    footprints, repaired = clean_footprints([shape for shape, _ in shapes], [height_m for _, height_m in shapes])
    return PolygonLayer(footprints, repaired, len(rings) - len(shapes))


def write_radiomapseer_polygons(path: str | Path, footprints: Iterable[Footprint], grid: Grid) -> None:
    """Write outlines as RadioMapSeer does; reading them back gives the same corners within 1e-9 cells.

    The format has no courtyards: an outline with holes becomes one ring that enters each hole and comes back
    along the same line. Readers that fill by the even-odd rule, the one here among them, see the courtyard.

    Raises:
        FormatError: The file cannot be written.
    """
    rings = [_local_to_json(_one_ring(footprint.polygon), grid) for footprint in footprints]
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(rings))


def read_antennas_json(path: str | Path, *, rows: int = RADIOMAPSEER_GRID.rows) -> list[tuple[int, int]]:
    """Cells (col, row) of the transmitters of a RadioMapSeer antenna file.

    Raises:
        FormatError: The file is not a list of [x, y] pairs of whole numbers.
    """
    pairs = _pairs(read_json(path), "An antenna file", str(path))
    if not (pairs == np.rint(pairs)).all():
        bad = int(np.flatnonzero((pairs != np.rint(pairs)).any(axis=1))[0])
        raise _not_pairs("An antenna file", f"{path}, transmitter {bad} at {pairs[bad].tolist()}, not whole numbers")
    return [(int(x), rows - 1 - int(y)) for x, y in pairs]


def write_antennas_json(path: str | Path, cells: Iterable[tuple[int, int]], grid: Grid) -> None:
    """Write the cells (col, row) of transmitters as RadioMapSeer does.

    Raises:
        TransmitterError: A cell is not on the grid.
        FormatError: The file cannot be written.
    """
    cells = list(cells)
    for col, row in cells:
        if not (0 <= col < grid.cols and 0 <= row < grid.rows):
            raise TransmitterError(
                f"A transmitter must stand on the grid, columns 0..{grid.cols - 1}, rows 0..{grid.rows - 1}",
                value=f"column {col}, row {row}",
                remedy="Positions are (col, row): column first, counted from the top-left cell.",
            )
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps([[int(col), int(grid.rows - 1 - row)] for col, row in cells]))


def _pairs(content: Any, what: str, where: str) -> NDArray[np.float64]:
    """(n, 2) finite numbers."""
    if not isinstance(content, list):
        raise _not_pairs(what, f"{where}, which holds {type(content).__name__}")
    try:
        pairs = np.asarray(content, dtype=np.float64).reshape(len(content), 2) if content else np.empty((0, 2))
    except (TypeError, ValueError) as error:
        raise _not_pairs(what, f"{where} ({error})") from error
    if not np.isfinite(pairs).all():
        raise _not_pairs(what, f"{where}, with values that are not finite")
    return pairs


def _not_pairs(what: str, value: str) -> FormatError:
    return FormatError(
        f"{what} of RadioMapSeer must be a list of [x, y] number pairs (polygon files: of such lists)",
        value=value,
        remedy="Pass a file of polygon/ or antenna/ of the data set; GeoJSON is read by read_footprints.",
    )


def _json_to_local(pairs: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """(n, 2) JSON coordinates to local metres."""
    cells = np.column_stack([pairs[:, 0] - CENTRE, grid.rows + CENTRE - pairs[:, 1]])
    return cells * grid.cell_size_m


def _local_to_json(ring: NDArray[np.float64], grid: Grid) -> list[list[float]]:
    """(n, 2) local metres to JSON coordinates, whole numbers without a decimal point as in the data set."""
    cells = ring / grid.cell_size_m
    pairs = np.column_stack([cells[:, 0] + CENTRE, grid.rows + CENTRE - cells[:, 1]]).round(10)
    return [[int(v) if v.is_integer() else v for v in pair] for pair in pairs.tolist()]


def _one_ring(polygon: Any) -> NDArray[np.float64]:
    """(n, 2) closed ring of a polygon, its holes joined to it by the shortest line between corners."""
    ring = np.asarray(polygon.exterior.coords)[:, :2]
    for hole in polygon.interiors:
        inner = np.asarray(hole.coords)[:-1, :2]
        distance = np.linalg.norm(ring[:, None] - inner[None], axis=2)
        outside, inside = np.unravel_index(int(distance.argmin()), distance.shape)
        loop = np.roll(inner, -int(inside), axis=0)
        ring = np.concatenate([ring[: outside + 1], loop, loop[:1], ring[outside:]])
    return ring
