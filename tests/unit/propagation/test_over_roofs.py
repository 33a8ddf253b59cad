"""The profile over the roofs against Fresnel's integrals, a construction by hand, and laws."""

import math

import numpy as np
import pytest
from scipy.special import fresnel
from shapely import box

from radiodiff.errors import PropagationError
from radiodiff.propagation import FreeSpace, OverRoofs
from radiodiff.propagation.over_roofs_kernels import _knife_edge_db, roof_diffraction_losses_db
from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from radiodiff.units import SPEED_OF_LIGHT_M_PER_S

GRID = Grid(24, 40, 1.0)
WAVELENGTH_M = SPEED_OF_LIGHT_M_PER_S / 5.9e9


def walled(height_m: float | None, *, cell_size_m: float = 1.0) -> Scene:
    """A wall two cells thick across the map, columns 20 and 21."""
    grid = Grid(24, 40, cell_size_m)
    wall = box(20 * cell_size_m, 0, 22 * cell_size_m, 24 * cell_size_m)
    return Scene.from_footprints(grid, [Footprint(wall, height_m)])


def tx_at(scene: Scene, col: int, row: int, height_m: float) -> Transmitter:
    return Transmitter.at_cell(scene.grid, col, row, height_m=height_m)


@pytest.mark.parametrize("parameter", [-0.7, -0.3, 0.0, 0.5, 1.0, 2.4, 5.0, 20.0])
def test_a_knife_edge_is_that_of_fresnel_s_integrals(parameter: float) -> None:
    sine, cosine = fresnel(parameter)
    exact_db = -20 * math.log10(math.hypot(1 - cosine - sine, cosine - sine) / 2)
    # The approximation of the recommendation.
    assert _knife_edge_db(parameter) == pytest.approx(exact_db, abs=0.35)


def test_roofs_far_below_the_line_cost_nothing() -> None:
    scene = walled(3.0)
    high = tx_at(scene, 2, 12, 60.0)
    near_tx = np.s_[:, :20]
    free_db = FreeSpace().radio_map(scene, high).path_loss_db
    np.testing.assert_array_equal(OverRoofs().radio_map(scene, high).path_loss_db[near_tx], free_db[near_tx])


@pytest.mark.parametrize("cell_size_m", [1.0, 2.5])
@pytest.mark.parametrize(("tx_m", "roof_m"), [(12.0, 10.0), (2.0, 10.0), (30.0, 4.0)])
def test_a_wall_is_bullington_s_construction(cell_size_m: float, tx_m: float, roof_m: float) -> None:
    scene = walled(roof_m, cell_size_m=cell_size_m)
    tx = tx_at(scene, 5, 12, tx_m)
    loss_db = OverRoofs().radio_map(scene, tx).path_loss_db - FreeSpace().radio_map(scene, tx).path_loss_db
    for col in (22, 25, 39):
        distance_m = (col - 5) * cell_size_m
        edges_m = [(cell_size_m * (edge - 5.5), roof_m) for edge in (20, 21, 22)]
        assert loss_db[12, col] == pytest.approx(bullington_db(edges_m, distance_m, tx_m, 1.5), abs=1e-4)


def bullington_db(edges_m: list[tuple[float, float]], distance_m: float, tx_m: float, rx_m: float) -> float:
    """ITU-R P.526-15, section 4.5.1, written down anew; edges as (distance from the transmitter, height)."""
    line = (rx_m - tx_m) / distance_m
    steepest = max((height - tx_m) / at for at, height in edges_m)
    if steepest < line:
        parameter = max(
            (height - tx_m - line * at) * math.sqrt(2 * distance_m / (WAVELENGTH_M * at * (distance_m - at)))
            for at, height in edges_m
        )
    else:
        back = max((height - rx_m) / (distance_m - at) for at, height in edges_m)
        at = (rx_m - tx_m + back * distance_m) / (steepest + back)
        height = tx_m + steepest * at
        parameter = (height - tx_m - line * at) * math.sqrt(2 * distance_m / (WAVELENGTH_M * at * (distance_m - at)))
    edge_db = 0.0
    if parameter > -0.78:
        edge_db = 6.9 + 20 * math.log10(math.sqrt((parameter - 0.1) ** 2 + 1) + parameter - 0.1)
    return edge_db + (1 - math.exp(-edge_db / 6)) * (10 + 0.02 * distance_m / 1000)


def test_higher_roofs_never_cost_less() -> None:
    losses_db = [OverRoofs().radio_map(s, tx_at(s, 5, 9, 12.0)).path_loss_db for s in map(walled, (4.0, 11.0, 25.0))]
    rises_db = np.diff(np.stack(losses_db), axis=0)[:, ~walled(4.0).buildings]
    assert (rises_db >= -1e-4).all()
    assert (rises_db > 5.0).any()


def test_a_profile_through_a_corner_has_the_lower_roof_beside_it() -> None:
    roofs = np.zeros((6, 6))
    roofs[2, 3] = 30.0
    place = (1.5, 1.5, 2.0)
    open_db = roof_diffraction_losses_db(roofs, place, 1.5, WAVELENGTH_M, 1.0)
    roofs[3, 2] = 10.0
    tight_db = roof_diffraction_losses_db(roofs, place, 1.5, WAVELENGTH_M, 1.0)
    # The diagonal passes the corner between the cells (2, 3) and (3, 2).
    assert open_db[4, 4] == pytest.approx(
        roof_diffraction_losses_db(np.zeros((6, 6)), place, 1.5, 0.05, 1.0)[4, 4], abs=9
    )
    assert tight_db[4, 4] > 10.0


def test_a_grazing_line_loses_what_an_edge_on_it_does() -> None:
    roofs = np.zeros((3, 21))
    roofs[1, 10] = 2.0
    loss_db = roof_diffraction_losses_db(roofs, (0.5, 1.5, 2.0), 2.0, WAVELENGTH_M, 1.0)[1, 20]
    edge_db = 6.9 + 20 * math.log10(math.sqrt(1.01) - 0.1)
    assert loss_db == pytest.approx(edge_db + (1 - math.exp(-edge_db / 6)) * 10.0, abs=1e-3)


def test_roofs_of_unknown_height_have_the_default_one() -> None:
    known, unknown = walled(12.0), walled(None)
    tx = tx_at(known, 5, 12, 2.0)
    np.testing.assert_array_equal(
        OverRoofs(default_height_m=12.0).radio_map(unknown, tx).path_loss_db,
        OverRoofs().radio_map(known, tx).path_loss_db,
    )


@pytest.mark.parametrize("height_m", [0.0, -1.0, math.nan, math.inf])
def test_a_default_height_that_is_none_is_refused(height_m: float) -> None:
    with pytest.raises(PropagationError, match="default_height_m must be finite and above 0"):
        OverRoofs(default_height_m=height_m)
