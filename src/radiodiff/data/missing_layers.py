"""Layers with some of the buildings left out, as RadioMapSeer has them: pictures of a scene that are not whole.

```
polygon/buildings_missing{1..4}/<variant>/<map>.json    outlines of the buildings that are left
png/buildings_missing{1..4}/<variant>/<map>.png         the same as an image
```

The outlines are those of `polygon/buildings_complete`, without some, in their order: their heights follow from that.
Each layer is drawn from seed, number of buildings and variant alone, so that more variants can be added later.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.formats import PNG_SAMPLE_OFFSET, read_json, write_mask_png
from radiodiff.formats.radiomapseer_json import polygon_layer, read_rings_json
from radiodiff.layouts import Seed
from radiodiff.layouts.streams import random_stream
from radiodiff.scene import Footprint, Grid, rasterize

__all__ = [
    "MISSING_COUNTS",
    "MOST_VARIANTS",
    "USUAL_SEED",
    "draw_missing",
    "missing_layers",
    "missing_mask",
    "outlines_left",
    "write_missing_layers",
]

MISSING_COUNTS = (1, 2, 3, 4)
"""How many buildings a layer leaves out."""

MOST_VARIANTS = 6
"""As many as RadioMapSeer has of each."""

USUAL_SEED = 0
"""Of a data set that names none: the download, joined ones, and packed ones."""


def missing_layers(variants: int) -> dict[str, tuple[int, int]]:
    """Number of buildings left out and variant of each layer, by its name."""
    return {
        f"buildings_missing{count}/{variant}": (count, variant)
        for variant in range(1, variants + 1)
        for count in MISSING_COUNTS
    }


def draw_missing(num_buildings: int, count: int, variant: int, seed: Seed) -> set[int]:
    """Numbers of the buildings that a layer leaves out; of few buildings one stays.

    Args:
        num_buildings: Buildings of the map.
        count: How many are left out.
        variant: Which draw.
        seed: Seeds of data set and map.
    """
    random = random_stream(seed, "missing", len(MISSING_COUNTS) * (variant - 1) + count - 1)
    most = max(num_buildings - 1, 0)
    return set(random.permutation(num_buildings)[: min(count, most)].tolist())


def outlines_left(root: Path, map_id: int, seed: Seed, variants: int) -> dict[str, list[Any]]:
    """Outlines that each layer of a map keeps, as its file of the complete buildings holds them.

    Args:
        root: Folder of the data set.
        map_id: Number of the map.
        seed: Seeds of data set and map.
        variants: Draws of each number of buildings.

    Raises:
        FormatError: The outlines of the complete buildings are absent or damaged.
    """
    path = root / f"polygon/buildings_complete/{map_id}.json"
    count = len(read_rings_json(path))
    rings: list[Any] = read_json(path)
    left_out = {name: draw_missing(count, *which, seed) for name, which in missing_layers(variants).items()}
    return {name: [rings[i] for i in range(count) if i not in gone] for name, gone in left_out.items()}


def write_missing_layers(root: Path, map_id: int, grid: Grid, seed: Seed, variants: int) -> None:
    """Write the layers of a map whose complete buildings are there, from the file of these.

    Args:
        root: Folder of the data set, with the folders of the layers.
        map_id: Number of the map.
        grid: Its grid.
        seed: Seeds of data set and map.
        variants: Draws of each number of buildings.

    Raises:
        FormatError: The outlines of the complete buildings are absent or damaged, or a file cannot be written.
    """
    for name, rings in outlines_left(root, map_id, seed, variants).items():
        path = root / f"polygon/{name}/{map_id}.json"
        # As they stand in the other file: read as numbers and written again, they would differ.
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(rings))
        outlines = polygon_layer(read_rings_json(path), grid).footprints
        write_mask_png(root / f"png/{name}/{map_id}.png", missing_mask(grid, outlines))


def missing_mask(grid: Grid, outlines: Sequence[Footprint]) -> NDArray[np.bool_]:
    """Cells (rows, cols) of the buildings that are left, as the image of a layer has them."""
    return rasterize(grid, [outline.polygon for outline in outlines], sample_offset=PNG_SAMPLE_OFFSET)
