"""Who transmits to whom: where transmitters stand, and how high."""

from typing import Literal, get_args

import numpy as np

from radiodiff.errors import LayoutError
from radiodiff.layouts import Seed, draw_roof_cells, draw_transmitter_cells
from radiodiff.layouts.streams import random_stream
from radiodiff.scene import Scene, Transmitter

__all__ = ["RX_HEIGHT_M", "SCENARIOS", "Scenario", "check_scenario", "draw_transmitters"]

Scenario = Literal["radiomapseer", "street", "rooftop"]
"""* `radiomapseer`: transmitters outdoors, as high as the receivers (1.5 m); no heights on the disk.
* `street`: transmitters outdoors, a metre above the receivers.
* `rooftop`: transmitters 3 m above a roof, or on a mast outdoors.
"""

SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)

RX_HEIGHT_M = 1.5
"""Height of the receivers in every scenario [m]."""

STREET_HEIGHT_M = 2.5
"""A metre above the receivers: at their own height a ray tracer sees no line of sight in the plane of the map [m]."""

ABOVE_ROOF_M = 3.0

MAST_SHARE = 0.25
"""Share of the transmitters of `rooftop` that stand on masts, in the mean."""

MAST_CLEARANCE_M = 3.0
MAST_REACH_M = 50.0
LEAST_MAST_M = 10.0
"""The height of a base station of the street canyons of 3GPP TR 38.901 (UMi): no mast is lower [m]."""


def check_scenario(scenario: str) -> None:
    """Refuse what is no scenario.

    Raises:
        LayoutError: There is none of that name.
    """
    if scenario not in SCENARIOS:
        raise LayoutError(
            f"A scenario must be one of {', '.join(SCENARIOS)}", value=repr(scenario), remedy="Choose one of these."
        )


def draw_transmitters(
    scene: Scene, count: int, scenario: Scenario, seed: Seed, *, frequency_hz: float = 5.9e9
) -> list[Transmitter]:
    """Draw the transmitters of a scene, each at the centre of a cell of its own.

    Masts stand outdoors, 3 m above the highest roof within 50 m and at least 10 m high.

    Args:
        scene: Buildings, with heights for `rooftop`; cars if there are some.
        count: Number of transmitters.
        scenario: Where they stand. `radiomapseer` and `street` draw the same cells.
        seed: A whole number or several.
        frequency_hz: Carrier [Hz].

    Raises:
        LayoutError: The scenario is unknown, or the scene has too little free ground or roof.
    """
    check_scenario(scenario)
    if scenario == "rooftop":
        places = _above_roofs(scene, count, seed)
    else:
        height_m = STREET_HEIGHT_M if scenario == "street" else RX_HEIGHT_M
        places = [(*cell, height_m) for cell in draw_transmitter_cells(scene, count, seed)]
    return [
        Transmitter.at_cell(scene.grid, col, row, height_m=height_m, frequency_hz=frequency_hz)
        for col, row, height_m in places
    ]


def _above_roofs(scene: Scene, count: int, seed: Seed) -> list[tuple[int, int, float]]:
    """(col, row, height) of transmitters on roofs and masts, mixed."""
    is_mast = random_stream(seed, "sites").random(count) < MAST_SHARE
    num_masts = int(is_mast.sum())
    masts = draw_transmitter_cells(scene, num_masts, seed) if num_masts else []
    roofs = draw_roof_cells(scene, count - num_masts, seed) if num_masts < count else []
    places: list[tuple[int, int, float]] = []
    for on_mast in is_mast:
        col, row = (masts if on_mast else roofs).pop(0)
        height_m = _mast_m(scene, col, row) if on_mast else float(scene.roof_height_m[row, col]) + ABOVE_ROOF_M
        # Heights are text on the disk: a centimetre is exact enough, and reads back as the same number.
        places.append((col, row, round(height_m, 2)))
    return places


def _mast_m(scene: Scene, col: int, row: int) -> float:
    """Height of a mast in a cell [m]."""
    reach = int(MAST_REACH_M / scene.grid.cell_size_m)
    near = scene.roof_height_m[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    rows, cols = np.ogrid[: near.shape[0], : near.shape[1]]
    distance = np.hypot(rows - min(row, reach), cols - min(col, reach))
    heights_m = near[(distance <= reach) & np.isfinite(near)]
    return max(float(heights_m.max(initial=0.0)) + MAST_CLEARANCE_M, LEAST_MAST_M)
