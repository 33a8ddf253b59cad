import numpy as np
import pytest

from radiodiff.errors import TransmitterError
from radiodiff.scene import IsotropicAntenna, SectorAntenna, TableAntenna


def test_isotropic_is_0_db_everywhere() -> None:
    np.testing.assert_array_equal(IsotropicAntenna().relative_gain_db([[0.0, 90.0], [180.0, 359.0]]), np.zeros((2, 2)))


def test_sector_has_the_cut_of_tr_38901() -> None:
    # Table 7.3-1: 3 dB down at half the beam width of 65 deg, 12 dB at the full one, at most 30 dB.
    gains_db = SectorAntenna().relative_gain_db([0.0, 32.5, 65.0, 110.0, 180.0])
    np.testing.assert_allclose(gains_db, [0.0, -3.0, -12.0, -30.0, -30.0])


def test_sector_is_symmetric_and_periodic() -> None:
    angles = np.linspace(0, 180, 50)
    antenna = SectorAntenna(beam_width_deg=90.0, front_to_back_db=20.0)
    np.testing.assert_allclose(antenna.relative_gain_db(-angles), antenna.relative_gain_db(angles))
    np.testing.assert_allclose(antenna.relative_gain_db(angles + 720), antenna.relative_gain_db(angles), atol=1e-9)


@pytest.mark.parametrize("width", [0.0, -1.0, 361.0, np.nan])
def test_sector_needs_a_width(width: float) -> None:
    with pytest.raises(TransmitterError, match="beam width"):
        SectorAntenna(beam_width_deg=width)


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.inf, np.nan])
def test_sector_needs_a_back(ratio: float) -> None:
    with pytest.raises(TransmitterError, match="front-to-back"):
        SectorAntenna(front_to_back_db=ratio)


def test_a_table_is_relative_to_its_maximum_and_linear_between() -> None:
    gains = [3.0] + [-7.0] * 359
    antenna = TableAntenna(tuple(gains))
    np.testing.assert_allclose(
        antenna.relative_gain_db([0.0, 0.5, 1.0, 180.0, 359.5, 360.0, -0.5]), [0, -5, -10, -10, -5, 0, -5]
    )


@pytest.mark.parametrize("gains", [(0.0,) * 359, (0.0,) * 361, (0.0,) * 359 + (np.nan,), (0.0,) * 359 + (-np.inf,)])
def test_a_table_has_360_finite_gains(gains: tuple[float, ...]) -> None:
    with pytest.raises(TransmitterError, match="360 finite gains"):
        TableAntenna(gains)
