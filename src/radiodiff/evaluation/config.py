"""Settings of an evaluation."""

from typing import Annotated

from pydantic import Field

from radiodiff.config import Config

__all__ = ["BootstrapConfig", "RegionConfig"]


class RegionConfig(Config):
    """Where the regions of a map end.

    Attributes:
        boundary_cells: Cells outside buildings are at a boundary when their centre is at most this far from that of a
            building cell [cells].
        far_cells: Cells outside buildings are far when their centre is further than this from that of the transmitter's
            cell [cells].
    """

    boundary_cells: Annotated[float, Field(gt=0)] = 3.0
    far_cells: Annotated[float, Field(gt=0)] = 100.0


class BootstrapConfig(Config):
    """How intervals of figures are made.

    Attributes:
        num_resamples: Data sets drawn anew from the cities.
        confidence: Share of them inside an interval.
        seed: Seed of the draws.
    """

    num_resamples: Annotated[int, Field(ge=100)] = 1_000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
