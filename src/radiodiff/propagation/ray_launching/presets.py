"""Settings of the ray launcher chosen for a purpose."""

from collections.abc import Mapping
from dataclasses import replace

from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW
from radiodiff.propagation.ray_launching.settings import RayLaunchingSettings

__all__ = ["RAY_LAUNCHING_SETTINGS"]

FAST = RayLaunchingSettings(num_rays=5_000)

REFERENCE = RayLaunchingSettings(num_rays=200_000, max_depth=10)

IRT2 = RayLaunchingSettings(
    max_depth=2,
    reflection_loss_db=8.1,
    distance_exponent=2.61,
    combination="nlos-power-sum",
    corner_law=replace(
        RADIOMAPSEER_LAW,
        nlos_exponent=2.74,
        corner_offset_db=4.2,
        corner_max_db=14.5,
        corner_saturation_deg=61.0,
        # Below the floor: real maps are dark where no path leads around corners.
        over_roof_loss_db=100.0,
    ),
)

IRT4 = RayLaunchingSettings(
    max_depth=4,
    reflection_loss_db=8.4,
    distance_exponent=2.61,
    combination="nlos-power-sum",
    corner_law=replace(
        RADIOMAPSEER_LAW,
        nlos_exponent=2.84,
        corner_offset_db=0.0,
        corner_max_db=14.0,
        corner_saturation_deg=97.0,
        over_roof_loss_db=100.0,
        max_corners=4,
    ),
)

RAY_LAUNCHING_SETTINGS: Mapping[str, RayLaunchingSettings] = {
    "fast": FAST,
    "reference": REFERENCE,
    "irt2": IRT2,
    "irt4": IRT4,
}
"""By name. `fast` is for quantity; `reference` has ten times the rays of the default, and reflections until they no
longer count. `irt2` and `irt4` are nearest to those simulations of RadioMapSeer: their constants were fitted to
map 419, transmitters 0 to 3 and 0, see docs/engines.md."""
