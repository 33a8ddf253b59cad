"""The Helmholtz residual against fields whose wave number is known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from radiodiff.data.curvature import curvature_map
from radiodiff.errors import ConfigError, InputError
from radiodiff.losses.config import HelmholtzConfig
from radiodiff.losses.helmholtz import effective_k2, field, helmholtz_residual, laplacian

CONFIG = HelmholtzConfig()
CELLS = torch.arange(24, dtype=torch.float64)


def encoded(amplitude: Tensor, span_db: float = CONFIG.span_db) -> Tensor:
    """The map (1, 1, rows, cols) in [-1, 1] of an amplitude; 1 becomes +1."""
    return (2.0 * (20.0 * amplitude.log10() / span_db + 1.0) - 1.0)[None, None]


def standing_wave(k_row: float, k_col: float) -> Tensor:
    """A standing wave around its crest, positive, at most 1."""
    return torch.cos(k_row * (CELLS - 12))[:, None] * torch.cos(k_col * (CELLS - 11))


def test_the_laplacian_of_a_paraboloid_is_exact() -> None:
    u = 1.5 * CELLS[:, None] ** 2 - 0.25 * CELLS**2 + CELLS[:, None] * CELLS + 3.0
    found = laplacian(u)
    assert found.shape == (22, 22)
    torch.testing.assert_close(found, torch.full_like(found, 2 * 1.5 - 2 * 0.25))


@pytest.mark.parametrize("k", [0.05, 0.1])
def test_a_standing_wave_has_the_eigenvalue_of_the_laplacian(k: float) -> None:
    # sin(k col): u(col - 1) + u(col + 1) - 2 u = (2 cos k - 2) u, which tends to -k^2.
    u = torch.sin(k * (CELLS + 1)).expand(24, 24)
    found = effective_k2(u)
    torch.testing.assert_close(found, torch.full_like(found, 2 * math.cos(k) - 2), rtol=1e-9, atol=1e-12)
    assert found.mean().item() == pytest.approx(-(k**2), rel=1e-3)


def test_waves_along_both_axes_add_their_eigenvalues() -> None:
    found = effective_k2(standing_wave(0.06, 0.09))
    expected = 2 * math.cos(0.06) - 2 + 2 * math.cos(0.09) - 2
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=1e-9, atol=1e-12)


def test_a_plane_wave_has_it_in_both_of_its_parts() -> None:
    # exp(i (a row + b col)), where neither part is 0.
    phase = 0.04 * CELLS[:, None] + 0.03 * CELLS
    wave = torch.polar(torch.ones_like(phase), phase - 0.8)
    expected = 2 * math.cos(0.04) - 2 + 2 * math.cos(0.03) - 2
    for part in (wave.real, wave.imag):
        part = part[..., : 15 if part is wave.imag else 24]
        found = effective_k2(part)
        near_zero = part[1:-1, 1:-1].abs() < 1e-3
        torch.testing.assert_close(found[~near_zero], torch.full_like(found[~near_zero], expected), rtol=1e-6, atol=0)


def test_an_evanescent_field_has_a_positive_one() -> None:
    found = effective_k2(torch.exp(-0.1 * CELLS).expand(24, 24))
    torch.testing.assert_close(found, torch.full_like(found, 2 * math.cosh(0.1) - 2))


def test_the_source_adds_one_where_it_stands() -> None:
    source = torch.zeros(24, 24, dtype=torch.float64)
    source[5, 7] = 1.0
    u = standing_wave(0.06, 0.09)
    added = effective_k2(u, source) - effective_k2(u)
    torch.testing.assert_close(added, source[1:-1, 1:-1])


@pytest.mark.parametrize("span_db", [99.16, 79.328, 150.0])
def test_the_amplitude_of_a_map_in_decibels_is_a_field_again(span_db: float) -> None:
    # What makes "amplitude" the quantity: a wave goes through decibels and back; the unit drops out.
    u = standing_wave(0.06, 0.09)
    back = field(encoded(u, span_db), HelmholtzConfig(span_db=span_db))[0, 0]
    torch.testing.assert_close(back, u)
    expected = 2 * math.cos(0.06) - 2 + 2 * math.cos(0.09) - 2
    assert effective_k2(back).mean().item() == pytest.approx(expected, rel=1e-6)
    level = field(encoded(u, span_db), HelmholtzConfig(quantity="level"))[0, 0]
    assert abs(effective_k2(level).mean().item() / expected - 1.0) > 0.5


def test_the_level_gives_the_curvature_map_of_the_data_set() -> None:
    level = torch.from_numpy(0.2 + 0.6 * np.random.default_rng(0).random((24, 24)))
    found = effective_k2(field(2.0 * level - 1.0, HelmholtzConfig(quantity="level"))).clamp(min=0.0)
    curvature = torch.from_numpy(curvature_map(level.numpy())[1:-1, 1:-1])
    below = curvature < 1.0
    scale = found[below].max() / curvature[below].max()
    torch.testing.assert_close(found[below].float(), (curvature * scale)[below].float(), rtol=1e-4, atol=1e-6)


def test_the_residual_of_two_waves_by_hand() -> None:
    config = HelmholtzConfig(floor=0.002)
    first, second = encoded(standing_wave(0.06, 0.0)), encoded(standing_wave(0.0, 0.09))
    k2_first, k2_second = 2 - 2 * math.cos(0.06), 2 - 2 * math.cos(0.09)
    expected = (k2_second - k2_first) / (k2_second + k2_first + 0.002)
    assert helmholtz_residual(first, second, config).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("quantity", ["amplitude", "level"])
def test_it_is_zero_for_equal_maps_and_bounded_for_others(quantity: str) -> None:
    config = HelmholtzConfig(quantity=quantity, floor=1e-3)
    maps = torch.rand((3, 1, 16, 16), generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0
    assert helmholtz_residual(maps, maps, config).tolist() == [0.0] * 3
    others = helmholtz_residual(maps.flip(0) * 5.0, maps, config)
    assert others.min() > 0.0
    assert others.max() <= 1.0


def test_the_strength_of_the_field_does_not_matter() -> None:
    target, other = encoded(standing_wave(0.05, 0.06)), encoded(0.9 * standing_wave(0.06, 0.03))
    found = helmholtz_residual(other - 0.1, target, CONFIG)
    torch.testing.assert_close(found, helmholtz_residual(other, target, CONFIG))
    assert helmholtz_residual(target - 0.1, target, CONFIG).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("where", ["tx", "buildings", "level 0"])
def test_cells_left_out_take_their_neighbours_with_them(where: str) -> None:
    target = encoded(standing_wave(0.05, 0.06)).float()
    if where == "level 0":
        target[0, 0, 8, 9] = -1.0
    prediction = target.clone()
    prediction[0, 0, 8, 9] = 0.9
    buildings = torch.zeros(1, 1, 24, 24, dtype=torch.bool)
    buildings[0, 0, 8, 9] = True
    tx = torch.tensor([[8, 9]])
    masks = {"tx": {"tx": tx}, "buildings": {"buildings": buildings}, "level 0": {}}[where]
    assert helmholtz_residual(prediction, target, CONFIG, **masks).item() == 0.0
    prediction[0, 0, 8, 10] = 0.9
    assert helmholtz_residual(prediction, target, CONFIG, **masks).item() > 0.0


def test_only_cells_that_are_looked_at_count_in_the_mean() -> None:
    # Left half decays faster in the prediction, right half is equal; leaving the right half out doubles the mean.
    target = encoded(torch.exp(-0.02 * CELLS).expand(24, 24))
    prediction = target.clone()
    prediction[..., :12] = encoded(torch.exp(-0.3 * CELLS).expand(24, 24))[..., :12]
    right = torch.zeros(1, 1, 24, 24, dtype=torch.bool)
    right[..., 11:] = True
    residual = helmholtz_residual(prediction, target, CONFIG, buildings=right).item()
    fast, slow = 2 * math.cosh(0.3) - 2, 2 * math.cosh(0.02) - 2
    assert residual == pytest.approx((fast - slow) / (fast + slow + 1.0), rel=1e-6)


@pytest.mark.parametrize("tx", [[-1, 5], [5, -3], [24, 5], [100, 100]])
def test_a_transmitter_outside_the_window_leaves_no_cell_out(tx: list[int]) -> None:
    target, prediction = encoded(standing_wave(0.05, 0.06)), encoded(standing_wave(0.06, 0.09))
    found = helmholtz_residual(prediction, target, CONFIG, tx=torch.tensor([tx]))
    assert found.item() == helmholtz_residual(prediction, target, CONFIG).item()


def test_each_map_of_a_batch_has_its_own_masks() -> None:
    generator = torch.Generator().manual_seed(3)
    target, prediction = (torch.rand((3, 1, 10, 12), generator=generator) - 0.5 for _ in range(2))
    tx = torch.tensor([[4, 5], [2, 9], [-1, 3]])
    buildings = torch.rand((3, 1, 10, 12), generator=generator) < 0.2
    together = helmholtz_residual(prediction, target, CONFIG, tx=tx, buildings=buildings)
    for i in range(3):
        part = slice(i, i + 1)
        alone = helmholtz_residual(prediction[part], target[part], CONFIG, tx=tx[part], buildings=buildings[part])
        torch.testing.assert_close(together[part], alone)


@pytest.mark.parametrize("quantity", ["amplitude", "level"])
@pytest.mark.parametrize("value", [-1e6, -1.0, 0.0, 1.0, 1e6])
def test_gradients_are_finite_whatever_is_predicted(quantity: str, value: float) -> None:
    target = torch.rand((2, 1, 12, 12), generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0
    target[:, :, :4] = -1.0
    prediction = target.clone()
    prediction[:, :, ::2, ::3] = value
    prediction.requires_grad_()
    helmholtz_residual(prediction, target, HelmholtzConfig(quantity=quantity, span_db=200.0)).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 1, 2, 2), (1, 1, 1, 5)])
def test_a_map_without_a_cell_to_look_at_costs_nothing(shape: tuple[int, ...]) -> None:
    prediction = torch.full(shape, 0.3, requires_grad=True)
    found = helmholtz_residual(prediction, torch.full(shape, -1.0), CONFIG)
    found.sum().backward()
    assert found.item() == 0.0
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


@pytest.mark.parametrize("quantity", ["amplitude", "level"])
def test_its_gradient_is_that_of_finite_differences(quantity: str) -> None:
    config = HelmholtzConfig(quantity=quantity)
    generator = torch.Generator().manual_seed(0)
    target, other = (torch.rand((2, 1, 6, 7), generator=generator, dtype=torch.float64) * 1.6 - 0.8 for _ in range(2))
    assert torch.autograd.gradcheck(lambda values: helmholtz_residual(values, target, config), other.requires_grad_())


def test_half_precision_is_compared_in_float32() -> None:
    generator = torch.Generator().manual_seed(0)
    target, other = ((torch.rand((2, 1, 16, 16), generator=generator) * 1.6 - 0.8).bfloat16() for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        found = helmholtz_residual(other, target, CONFIG)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, helmholtz_residual(other.float(), target.float(), CONFIG), rtol=0, atol=0)


def test_several_channels_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"maps of one channel; got 3 channels.*loss\.helmholtz to null"):
        helmholtz_residual(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8), CONFIG)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        helmholtz_residual(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 9), CONFIG)
