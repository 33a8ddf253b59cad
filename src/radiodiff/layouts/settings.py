"""Settings of the procedural city generator."""

from dataclasses import dataclass

import numpy as np

from radiodiff.errors import LayoutError
from radiodiff.layouts.styles import STYLES
from radiodiff.scene import Grid

__all__ = ["MIXED", "CitySettings"]

MIXED = "mixed"
"""Each scene draws its own style among those that reach its coverage."""

MINIMUM_SIDE_M = 48.0
MAXIMUM_CELLS = 64_000_000
MINIMUM_COVERAGE_SPAN = 0.01
# (lowest, highest) value allowed in a range.
RANGE_LIMITS = {"coverage": (0.0, 1.0), "street_width_m": (3.0, 80.0), "height_m": (0.1, 1000.0)}


@dataclass(frozen=True)
class CitySettings:
    """What `generate_city` makes. Ranges are (lowest, highest); None takes the style's own range.

    Attributes:
        rows: Number of rows of the map.
        cols: Number of columns of the map.
        cell_size_m: Edge of a cell [m].
        style: A name in `radiodiff.layouts.STYLES`, or "mixed".
        coverage: Share of cells that are indoors; each scene draws its target uniformly from this range.
        street_width_m: From side street to main street [m].
        angle_deg: Turn of the street net against the map's axes [deg].
        height_m: Building heights; None draws them by kind of building [m].
        cars_per_hectare: Cars per 10,000 square metres of map, fewer where streets are short; 0 for none.
        cars_follow_streets: Cars turn with their street; else they stand along the map's axes on whole cells.

    Raises:
        LayoutError: A value is outside its limits, or the style does not reach the coverage.
    """

    rows: int = 256
    cols: int = 256
    cell_size_m: float = 1.0
    style: str = MIXED
    coverage: tuple[float, float] | None = None
    street_width_m: tuple[float, float] | None = None
    angle_deg: tuple[float, float] = (0.0, 90.0)
    height_m: tuple[float, float] | None = None
    cars_per_hectare: float = 14.0
    cars_follow_streets: bool = False

    def __post_init__(self) -> None:
        size_m = min(self.grid.rows, self.grid.cols) * self.grid.cell_size_m
        if not self.rows * self.cols <= MAXIMUM_CELLS:
            raise LayoutError(
                f"A city map must have at most {MAXIMUM_CELLS:,} cells",
                value=f"{self.rows} x {self.cols}",
                remedy="Generate several maps, or take larger cells.",
            )
        if not size_m >= MINIMUM_SIDE_M:
            raise LayoutError(
                f"A city map must be at least {MINIMUM_SIDE_M:g} m wide and high",
                value=f"{self.rows} x {self.cols} cells of {self.cell_size_m:g} m",
                remedy="Generate a larger map and crop it (radiodiff.layouts.crop_scenes).",
            )
        if self.style not in (*STYLES, MIXED):
            raise LayoutError(
                "The style of a city must be a known one",
                value=repr(self.style),
                remedy=f"Use one of: {', '.join((*STYLES, MIXED))}.",
            )
        if not (np.isfinite(self.cars_per_hectare) and self.cars_per_hectare >= 0):
            raise LayoutError(
                "The number of cars per hectare must be finite and at least 0",
                value=self.cars_per_hectare,
                remedy="RadioMapSeer has about 14; 0 leaves the streets empty.",
            )
        for name in ("coverage", "street_width_m", "angle_deg", "height_m"):
            self._check_range(name)
        self._check_coverage()

    @property
    def grid(self) -> Grid:
        """The grid of the map."""
        return Grid(self.rows, self.cols, self.cell_size_m)

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles that a scene may have."""
        return tuple(STYLES) if self.style == MIXED else (self.style,)

    @property
    def coverage_range(self) -> tuple[float, float]:
        """The coverage asked for, or what the styles reach."""
        if self.coverage is not None:
            return self.coverage
        reach = [STYLES[name].coverage for name in self.styles]
        return min(low for low, _ in reach), max(high for _, high in reach)

    def _check_range(self, name: str) -> None:
        given = getattr(self, name)
        if given is None:
            return
        lowest, highest = RANGE_LIMITS.get(name, (-360.0, 360.0))
        if not (len(given) == 2 and lowest <= given[0] <= given[1] <= highest):
            raise LayoutError(
                f"CitySettings.{name} must be (lowest, highest) within {lowest:g}..{highest:g}",
                value=given,
                remedy="Give two numbers in ascending order.",
            )

    def _check_coverage(self) -> None:
        low, high = self.coverage_range
        if not high - low >= MINIMUM_COVERAGE_SPAN:
            raise LayoutError(
                f"The coverage range must span at least {MINIMUM_COVERAGE_SPAN:g}",
                value=(low, high),
                remedy="Widen the range: coverage is counted in whole cells.",
            )
        reach = [STYLES[name].coverage for name in self.styles]
        lowest, highest = min(limits[0] for limits in reach), max(limits[1] for limits in reach)
        if not (lowest <= low and high <= highest):
            raise LayoutError(
                f"The coverage of style {self.style!r} must lie within {lowest:g}..{highest:g}",
                value=(low, high),
                remedy="Narrow the range or choose another style.",
            )
