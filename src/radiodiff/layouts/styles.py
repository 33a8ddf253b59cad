"""Styles of cities: how streets cut the plane and what stands on the blocks."""

from dataclasses import dataclass
from typing import Final

__all__ = ["BUILDING_HEIGHTS_M", "STYLES", "Style"]

Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """One kind of town.

    Attributes:
        coverage: Built share of the map that this style reaches, which is also the default request.
        street_width_m: From side street to main street, between the blocks [m].
        block_length_m: Longer side of a block [m].
        block_depth_m: Shorter side of a block [m].
        skew_deg: Largest angle between a street and the direction it would have in a regular grid [deg].
        bend_m: Largest sideways sway of a street [m].
        is_regular: Streets run through the whole plane, instead of ending at the next one.
        fills: What a block may hold, with its weight in the sparsest and in the densest town of this style.
    """

    coverage: Range
    street_width_m: Range
    block_length_m: Range
    block_depth_m: Range
    skew_deg: float
    bend_m: float
    is_regular: bool
    fills: dict[str, Range]


STYLES: Final[dict[str, Style]] = {
    # Outskirts of European cities as in RadioMapSeer: rows of houses on curved streets, slabs, schools,
    # halls, open ground. Its maps are 9 to 41 % built, half of them 15 to 26 %.
    "radiomapseer": Style(
        coverage=(0.10, 0.30),
        street_width_m=(8.0, 20.0),
        block_length_m=(80.0, 160.0),
        block_depth_m=(48.0, 76.0),
        skew_deg=9.0,
        bend_m=14.0,
        is_regular=False,
        fills={
            "houses": (4.0, 4.5),
            "ribbons": (1.2, 1.2),
            "slabs": (1.6, 1.4),
            "compounds": (1.2, 3.6),
            "perimeter": (0.2, 0.8),
            "lots": (0.1, 1.0),
            "open": (1.6, 0.0),
        },
    ),
    "houses": Style(
        coverage=(0.10, 0.22),
        street_width_m=(8.0, 16.0),
        block_length_m=(90.0, 180.0),
        block_depth_m=(48.0, 66.0),
        skew_deg=7.0,
        bend_m=18.0,
        is_regular=False,
        fills={"houses": (8.0, 8.0), "ribbons": (0.5, 1.0), "compounds": (0.3, 0.5), "open": (1.2, 0.0)},
    ),
    "slabs": Style(
        coverage=(0.10, 0.22),
        street_width_m=(12.0, 26.0),
        block_length_m=(110.0, 200.0),
        block_depth_m=(70.0, 130.0),
        skew_deg=5.0,
        bend_m=6.0,
        is_regular=False,
        fills={"slabs": (6.0, 7.0), "towers": (1.2, 1.0), "compounds": (1.0, 1.5), "open": (1.0, 0.0)},
    ),
    "perimeter": Style(
        coverage=(0.22, 0.48),
        street_width_m=(12.0, 26.0),
        block_length_m=(70.0, 130.0),
        block_depth_m=(55.0, 90.0),
        skew_deg=6.0,
        bend_m=5.0,
        is_regular=False,
        fills={"perimeter": (7.0, 7.0), "lots": (0.5, 1.0), "compounds": (0.8, 0.2), "open": (1.4, 0.2)},
    ),
    "old_town": Style(
        coverage=(0.34, 0.60),
        street_width_m=(5.0, 12.0),
        block_length_m=(48.0, 95.0),
        block_depth_m=(36.0, 62.0),
        skew_deg=15.0,
        bend_m=11.0,
        is_regular=False,
        fills={
            "old_blocks": (8.0, 9.0),
            "perimeter": (0.8, 0.4),
            "compounds": (0.6, 0.3),
            "open": (1.2, 0.2),
        },
    ),
    "grid": Style(
        coverage=(0.25, 0.60),
        street_width_m=(12.0, 24.0),
        block_length_m=(80.0, 150.0),
        block_depth_m=(55.0, 75.0),
        skew_deg=0.0,
        bend_m=0.0,
        is_regular=True,
        fills={"lots": (6.0, 7.0), "perimeter": (1.0, 1.5), "compounds": (1.5, 0.8), "open": (1.2, 0.2)},
    ),
}

BUILDING_HEIGHTS_M: Final[dict[str, Range]] = {
    "houses": (5.0, 10.0),
    "ribbons": (8.0, 14.0),
    "slabs": (12.0, 30.0),
    "towers": (30.0, 60.0),
    "compounds": (6.0, 16.0),
    "perimeter": (15.0, 24.0),
    "old_blocks": (9.0, 18.0),
    "lots": (12.0, 60.0),
    "open": (4.0, 20.0),
}
