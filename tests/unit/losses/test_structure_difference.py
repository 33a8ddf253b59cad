"""The structural difference: laws, and figures by hand."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from radiodiff.errors import InputError
from radiodiff.losses.structure import (
    MIN_SIZE,
    gradient_difference,
    spectral_difference,
    structure_difference,
)


def layout_map(batch: int = 1, size: int = 64, seed: int = 0) -> Tensor:
    """Maps with blocks on a slope, like buildings in a field that fades."""
    random = np.random.default_rng(seed)
    maps = np.empty((batch, 1, size, size), dtype=np.float32)
    for values in maps[:, 0]:
        values[:] = np.linspace(0.8, -0.4, size)[None]
        for row, col in random.integers(0, size - 8, (8, 2)):
            values[row : row + 8, col : col + 6] = -1.0
    return torch.from_numpy(maps)


def blurred(maps: Tensor, sigma: float) -> Tensor:
    return torch.from_numpy(gaussian_filter(maps.numpy(), (0, 0, sigma, sigma)))


def test_gradients_of_a_ramp_by_hand() -> None:
    target = torch.zeros(2, 1, 4, 4)
    ramp = target.clone()
    ramp[1] = 0.5 * torch.arange(4.0)[:, None] - 0.25 * torch.arange(4.0)
    assert gradient_difference(ramp, target).tolist() == pytest.approx([0.0, 0.75])
    # A constant is no structure.
    assert gradient_difference(ramp + 3.0, target).tolist() == pytest.approx([0.0, 0.75])


def test_amplitudes_of_a_spectrum_are_those_of_numpy() -> None:
    first, second = layout_map(seed=1).double(), layout_map(seed=2).double()
    window = np.hanning(64)[:, None] * np.hanning(64)
    window /= np.sqrt((window**2).mean())
    logs = [
        0.5 * np.log(np.abs(np.fft.rfft2(maps[0, 0].numpy() * window) / 64) ** 2 + 0.1**2) for maps in (first, second)
    ]
    assert spectral_difference(first, second).item() == pytest.approx(np.abs(logs[0] - logs[1]).mean(), rel=1e-9)


def test_white_noise_has_the_amplitude_of_its_deviation() -> None:
    # Exponentially distributed power: the mean of log |F| is log(deviation) minus half of Euler's constant. Of some
    # 2,000 independent frequencies it has a deviation of 0.64 / sqrt(2000) = 0.014.
    noise = 100.0 * torch.randn((1, 1, 128, 128), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean_log = spectral_difference(noise, torch.zeros_like(noise)).item() + math.log(0.1)
    assert mean_log == pytest.approx(math.log(100.0) - 0.5772 / 2, abs=0.05)


@pytest.mark.parametrize("compare", [structure_difference, gradient_difference, spectral_difference])
def test_equal_maps_do_not_differ_and_others_do(compare) -> None:
    maps = layout_map(2)
    assert compare(maps, maps).tolist() == [0.0, 0.0]
    assert compare(maps, maps.flip(3)).min() > 0.0
    torch.testing.assert_close(compare(maps, maps.flip(3)), compare(maps.flip(3), maps))


def test_a_constant_shift_is_seen_by_the_spectrum() -> None:
    maps = layout_map()
    assert structure_difference(maps, maps + 0.1).item() > 0.0


def test_a_shift_by_one_cell_is_seen() -> None:
    maps = layout_map()
    assert structure_difference(maps, maps.roll(1, dims=3)).item() > 0.01


def test_the_more_a_map_is_blurred_the_more_it_costs() -> None:
    maps = layout_map(3)
    costs = torch.stack([structure_difference(blurred(maps, sigma), maps) for sigma in (0.3, 0.6, 1.0, 2.0, 4.0)])
    assert (costs.diff(dim=0) > 0).all()


def test_the_more_noise_a_map_has_the_more_it_costs() -> None:
    maps = layout_map(3)
    noise = torch.randn(maps.shape, generator=torch.Generator().manual_seed(0))
    costs = torch.stack([structure_difference(maps + level * noise, maps) for level in (0.01, 0.03, 0.1)])
    assert (costs.diff(dim=0) > 0).all()


def test_the_cost_of_a_map_does_not_depend_on_its_batch() -> None:
    first, second = layout_map(3, seed=1), layout_map(3, seed=2)
    alone = torch.cat([structure_difference(first[i : i + 1], second[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(structure_difference(first, second), alone)


def test_channels_are_averaged() -> None:
    first, second = layout_map(5, seed=1), layout_map(5, seed=2)
    alone = structure_difference(first, second)
    together = structure_difference(first.transpose(0, 1), second.transpose(0, 1))
    assert together.item() == pytest.approx(alone.mean().item(), rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, MIN_SIZE, MIN_SIZE), (1, 1, 9, 31), (2, 3, 32, 8)])
def test_any_size_from_the_least_on_has_a_finite_gradient_even_for_equal_maps(shape: tuple[int, ...]) -> None:
    maps = torch.zeros(shape)
    prediction = maps.clone().requires_grad_()
    structure_difference(prediction, maps).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


def test_smaller_maps_are_refused() -> None:
    maps = torch.zeros(1, 1, MIN_SIZE - 1, 32)
    with pytest.raises(InputError, match=r"8 rows and columns at least .*; got 7 x 32.*loss\.perceptual to"):
        structure_difference(maps, maps)


def test_maps_of_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        structure_difference(torch.zeros(1, 1, 8, 8), torch.zeros(2, 1, 8, 8))


def test_its_gradient_is_that_of_finite_differences() -> None:
    target = layout_map(2, size=12).double()
    noise = torch.rand(target.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(structure_difference, ((target + 0.3 * noise).requires_grad_(), target))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_compared_in_float32(dtype: torch.dtype) -> None:
    first, second = layout_map(seed=1).to(dtype), layout_map(seed=2).to(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        found = structure_difference(first, second)
    assert found.dtype == torch.float32
    assert found.item() == structure_difference(first.float(), second.float()).item()
