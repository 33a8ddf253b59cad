"""Directions of rays: their density, and the weights that undo it."""

import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_tracing.directions import Directions, batch_shift

LAWS = [Directions(0.01), Directions(0.3, 0.95, 0.1), Directions(0.004, 1.0, 0.3), Directions(0.05, 0.5, 0.02)]
UNIFORM = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_elevations_rise_from_straight_down(law: Directions) -> None:
    z = law.elevation(UNIFORM)
    assert (np.diff(z) >= 0.0).all()
    assert -1.0 <= z[0] < -0.99
    assert z[-1] <= 1.0


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_shares_are_as_told(law: Directions) -> None:
    z = law.elevation(UNIFORM)
    assert (z < 0.0).mean() == pytest.approx(law.share_down, abs=1e-5)
    assert (np.abs(z) < law.edge).mean() == pytest.approx(law.share_flat, abs=1e-4)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("band", [(-1.0, -0.5), (-0.5, -0.05), (-0.05, -0.001), (-0.001, -1e-5)], ids=str)
def test_weights_restore_even_directions(law: Directions, band: tuple[float, float]) -> None:
    # Archimedes: the share of the sphere between two heights is half their difference.
    z = law.elevation(UNIFORM)
    is_inside = (z >= band[0]) & (z < band[1])
    assert (law.weight(z) * is_inside).mean() == pytest.approx((band[1] - band[0]) / 2.0, rel=0.02)


def test_rays_meet_the_plane_evenly_over_the_distance() -> None:
    height_m, reach_m = 1.0, 200.0
    z = Directions(height_m / np.hypot(height_m, reach_m), 1.0).elevation(UNIFORM)
    distance_m = height_m * np.sqrt(1.0 / z**2 - 1.0)
    counts, _ = np.histogram(distance_m, bins=np.linspace(5.0, 195.0, 20))
    np.testing.assert_allclose(counts, counts.mean(), rtol=0.03)


@pytest.mark.parametrize("wrong", [(0.0, 0.5, 0.1), (1.0, 0.5, 0.1), (0.1, 0.0, 0.1), (0.1, 1.1, 0.1), (0.1, 0.5, 0.0)])
def test_directions_without_rays_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(PropagationError, match="Directions need"):
        Directions(*wrong)


def test_shifts_differ_and_fill_the_square() -> None:
    shifts = np.array([batch_shift(batch) for batch in range(64)])
    assert shifts.min() >= 0.0
    assert shifts.max() < 1.0
    # An 8 x 8 board: chance would leave 23 of 64 fields empty.
    fields = {(int(x * 8), int(y * 8)) for x, y in shifts}
    assert len(fields) > 50
