"""Settings of the ray launcher."""

import math

import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_launching import RayLaunchingSettings


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"num_rays": 0}, "num_rays must be a whole number of at least 8"),
        ({"num_rays": 1e4}, "num_rays must be a whole number"),
        ({"num_rays": 20_001}, "num_rays must be a multiple of 8"),
        ({"max_depth": -1}, "max_depth must be a whole number of at least 0"),
        ({"max_depth": True}, "max_depth must be a whole number"),
        ({"distance_exponent": math.nan}, "distance_exponent must be finite and above 0"),
        ({"rx_height_m": 0.0}, "rx_height_m must be finite and above 0"),
        ({"reflection_loss_db": -1.0}, "reflection_loss_db must be None, or finite"),
        ({"reflection_loss_db": math.nan}, "reflection_loss_db must be None, or finite"),
        ({"combination": "maximum"}, "combination must be one of power-sum, nlos-power-sum, strongest, none"),
        ({"polarization": "left"}, "polarization must be one of vertical, horizontal"),
        ({"building_material": "paper"}, "material must be one of"),
        ({"ground_material": "mud"}, "material must be one of"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object], rule: str) -> None:
    with pytest.raises(PropagationError, match=rule):
        RayLaunchingSettings(**changes)  # type: ignore[arg-type]
