"""What the ray launcher may be told."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from radiodiff.errors import PropagationError
from radiodiff.propagation.constants import check_constant
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.propagation.materials import material

__all__ = ["COMBINATIONS", "POLARIZATIONS", "Combination", "Polarization", "RayLaunchingSettings"]

Combination = Literal["power-sum", "nlos-power-sum", "strongest", "none"]
"""What becomes of the power of reflected rays and that of the path without reflections, which is straight or, without
line of sight, around corners: they are added; or added without line of sight only, where there is one the straight path
stands alone; or the larger counts; or paths around corners are left out, and what remains is added."""

Polarization = Literal["vertical", "horizontal"]
"""Electric field along the walls' vertical edges, or in the plane of the rays."""

COMBINATIONS: tuple[Combination, ...] = get_args(Combination)
POLARIZATIONS: tuple[Polarization, ...] = get_args(Polarization)

RAYS_MULTIPLE = 8


@dataclass(frozen=True)
class RayLaunchingSettings:
    """Rays, walls, and how contributions add.

    Attributes:
        num_rays: Rays of a transmitter, a multiple of 8: quarter turns and mirror images then map the directions onto
            themselves.
        max_depth: Most reflections of a ray; 0 launches none.
        building_material: Material of the walls, a name of `radiodiff.propagation.materials`.
        reflection_loss_db: Loss of every reflection, whatever the angle, in place of the material's [dB]; None takes
            the material.
        polarization: Of both antennas.
        distance_exponent: Path loss exponent of the straight path and of reflected ones: 2 in free space.
        ground_material: Material of the ground, whose reflection then goes with every path; None for no ground.
        combination: How reflected rays and the path without reflections add, see `Combination`.
        corner_law: Law of the path around corners. Its line of sight is not used.
        rx_height_m: Height of the receivers above ground; only the ground's reflection depends on it [m].

    Raises:
        PropagationError: A setting is out of its range.
    """

    num_rays: int = 20_000
    max_depth: int = 5
    building_material: str = "concrete"
    reflection_loss_db: float | None = None
    polarization: Polarization = "vertical"
    distance_exponent: float = 2.0
    ground_material: str | None = None
    combination: Combination = "power-sum"
    corner_law: DominantPathLaw = field(default_factory=lambda: RADIOMAPSEER_LAW)
    rx_height_m: float = 1.5

    def __post_init__(self) -> None:
        for name, least in (("num_rays", RAYS_MULTIPLE), ("max_depth", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not (isinstance(value, int) and value >= least):
                raise PropagationError(
                    f"RayLaunchingSettings.{name} must be a whole number of at least {least}",
                    value=repr(value),
                    remedy="20,000 rays and 5 reflections are the default.",
                )
        if self.num_rays % RAYS_MULTIPLE:
            raise PropagationError(
                f"RayLaunchingSettings.num_rays must be a multiple of {RAYS_MULTIPLE}",
                value=self.num_rays,
                remedy=f"Use {self.num_rays + RAYS_MULTIPLE - self.num_rays % RAYS_MULTIPLE}.",
            )
        for name in ("distance_exponent", "rx_height_m"):
            check_constant(self, name, "Free space has the exponent 2; receivers stand at 1.5 m.")
        loss_db = self.reflection_loss_db
        if loss_db is not None and not 0.0 <= loss_db < np.inf:
            raise PropagationError(
                "RayLaunchingSettings.reflection_loss_db must be None, or finite and at least 0 dB",
                value=loss_db,
                remedy="None takes the reflection coefficient of the wall's material.",
            )
        for name, choices in (("combination", COMBINATIONS), ("polarization", POLARIZATIONS)):
            if getattr(self, name) not in choices:
                raise PropagationError(
                    f"RayLaunchingSettings.{name} must be one of {', '.join(choices)}",
                    value=repr(getattr(self, name)),
                    remedy="Choose one of these.",
                )
        material(self.building_material)
        if self.ground_material is not None:
            material(self.ground_material)

    @property
    def materials(self) -> tuple[str, ...]:
        """Names of the materials that count: walls without reflections, or with a fixed loss, have none."""
        walls = self.building_material if self.max_depth > 0 and self.reflection_loss_db is None else None
        return tuple(name for name in (walls, self.ground_material) if name is not None)
