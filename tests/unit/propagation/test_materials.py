"""Materials against the numbers of the recommendation, and reflection against its limits."""

import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.materials import MATERIALS, complex_permittivity, electrical_constants, fresnel, material


def test_concrete_at_a_round_frequency() -> None:
    # ITU-R P.2040-3, table 3, by hand: 0.0462 * 10^0.7822.
    permittivity, conductivity = electrical_constants("concrete", 10e9)
    assert permittivity == pytest.approx(5.24)
    assert conductivity == pytest.approx(0.2798, abs=5e-5)


def test_ground_at_a_round_frequency() -> None:
    permittivity, conductivity = electrical_constants("medium_dry_ground", 10e9)
    assert permittivity == pytest.approx(15.0 / 10**0.1)
    assert conductivity == pytest.approx(0.035 * 10**1.63)


def test_losses_are_the_negative_imaginary_part() -> None:
    # 60 times wavelength times conductivity, the form of ITU-R P.527 (60 is 59.96).
    wavelength_m = 299_792_458.0 / 5.9e9
    _, conductivity = electrical_constants("concrete", 5.9e9)
    assert complex_permittivity("concrete", 5.9e9).imag == pytest.approx(-59.96 * wavelength_m * conductivity, rel=1e-4)


@pytest.mark.parametrize("name", sorted(MATERIALS))
def test_every_material_absorbs_and_none_amplifies(name: str) -> None:
    found = material(name)
    frequency_hz = 1e9 * np.sqrt(max(found.lowest_ghz, 1.0) * found.highest_ghz)
    for amplitude in fresnel(complex_permittivity(name, frequency_hz), np.linspace(0.0, 1.0, 91)):
        assert np.abs(amplitude).max() <= 1.0 + 1e-12


def test_nothing_is_refracted_at_grazing_incidence() -> None:
    across, inside = fresnel(complex_permittivity("brick", 2.4e9), 0.0)
    assert across == pytest.approx(-1.0)
    assert inside == pytest.approx(-1.0)


def test_both_fields_are_one_at_normal_incidence() -> None:
    across, inside = fresnel(4.0 + 0j, 1.0)
    # (1 - n) / (1 + n) with n = 2, and its negative.
    assert across == pytest.approx(-1.0 / 3.0)
    assert inside == pytest.approx(1.0 / 3.0)


def test_brewster_angle() -> None:
    index = 2.5
    cos_brewster = 1.0 / np.hypot(1.0, index)
    across, inside = fresnel(index**2 + 0j, cos_brewster)
    assert abs(inside) == pytest.approx(0.0, abs=1e-12)
    # There, tan of the angle is n: (1 - n^2) / (1 + n^2).
    assert across == pytest.approx((1.0 - index**2) / (1.0 + index**2))


def test_metal_is_a_mirror() -> None:
    for amplitude in fresnel(complex_permittivity("metal", 5.9e9), np.array([0.2, 0.6, 1.0])):
        np.testing.assert_allclose(np.abs(amplitude), 1.0, atol=2e-3)


def test_shape_of_the_angles_is_kept() -> None:
    across, inside = fresnel(5.0 - 1j, np.full((2, 3), 0.5))
    assert across.shape == inside.shape == (2, 3)


@pytest.mark.parametrize(("name", "near"), [("concret", "concrete"), ("granite", "Choose one")])
def test_an_unknown_material_is_refused(name: str, near: str) -> None:
    with pytest.raises(PropagationError, match="A material must be one of") as caught:
        material(name)
    assert near in str(caught.value)


@pytest.mark.parametrize(
    ("name", "frequency_hz", "message"),
    [
        ("medium_dry_ground", 28e9, "hold from 1 to 10 GHz.*hold there: concrete, brick, plasterboard, wood, glass"),
        ("concrete", 0.4e9, r"hold from 1 to 100 GHz; got 0\.4 GHz.*hold there: wood, glass\."),
        ("concrete", 300e9, "hold there: none does"),
    ],
)
def test_a_carrier_outside_the_range_is_refused(name: str, frequency_hz: float, message: str) -> None:
    with pytest.raises(PropagationError, match=message):
        complex_permittivity(name, frequency_hz)
