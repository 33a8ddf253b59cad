import numpy as np
import pytest

from radiodiff.errors import InputError
from radiodiff.grey_scale import RADIOMAPSEER_GREY, GreyScale


def test_the_window_of_radiomapseer() -> None:
    # Yapar et al. (2022), section III: -147 to -47.84 dB of gain, noise floor -127.2 dB.
    assert (RADIOMAPSEER_GREY.min_gain_db, RADIOMAPSEER_GREY.max_gain_db) == (-147.0, -47.84)
    assert RADIOMAPSEER_GREY.threshold == 0.2
    ends_db = RADIOMAPSEER_GREY.to_path_loss_db([0, 255], thresholded=False)
    np.testing.assert_allclose(ends_db, [147.0, 47.84])
    ends_db = RADIOMAPSEER_GREY.to_path_loss_db([0, 255], thresholded=True)
    np.testing.assert_allclose(ends_db, [127.168, 47.84])


def test_raw_grey_of_known_losses() -> None:
    losses_db = [47.84, 147.0 - 0.4 * 99.16, 147.0]
    np.testing.assert_array_equal(RADIOMAPSEER_GREY.to_grey(losses_db, thresholded=False), [255, 102, 0])


def test_thresholded_grey_of_known_losses() -> None:
    # g = 0.68 becomes (0.68 - 0.2) / 0.8 = 0.6.
    losses_db = [47.84, 147.0 - 0.68 * 99.16, 127.168, 140.0]
    np.testing.assert_array_equal(RADIOMAPSEER_GREY.to_grey(losses_db, thresholded=True), [255, 153, 0, 0])


@pytest.mark.parametrize("thresholded", [False, True])
def test_losses_beyond_the_window_are_clipped(thresholded: bool) -> None:
    np.testing.assert_array_equal(RADIOMAPSEER_GREY.to_grey([0.0, 300.0], thresholded=thresholded), [255, 0])


@pytest.mark.parametrize("thresholded", [False, True])
def test_no_value_is_grey_0(thresholded: bool) -> None:
    level = RADIOMAPSEER_GREY.to_level([[np.nan, 47.84]], thresholded=thresholded)
    np.testing.assert_array_equal(level, [[0.0, 1.0]])
    grey = RADIOMAPSEER_GREY.to_grey([[np.nan, 47.84]], thresholded=thresholded)
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, [[0, 255]])


def test_one_step() -> None:
    assert RADIOMAPSEER_GREY.step_db(thresholded=False) == pytest.approx(0.38886, abs=1e-5)
    assert RADIOMAPSEER_GREY.step_db(thresholded=True) == pytest.approx(0.31109, abs=1e-5)


@pytest.mark.parametrize(("low", "high"), [(-50.0, -50.0), (-50.0, -60.0), (np.nan, -50.0), (-50.0, np.nan)])
def test_the_window_must_have_a_width(low: float, high: float) -> None:
    with pytest.raises(InputError, match="min_gain_db < max_gain_db"):
        GreyScale(low, high)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, np.nan])
def test_the_threshold_must_leave_a_range(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        GreyScale(threshold=threshold)
