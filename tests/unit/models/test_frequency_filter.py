"""The frequency filter against torch.fft, and its laws on maps of several sizes."""

import math

import pytest
import torch
from torch import Tensor

from radiodiff.models.layers.frequency_filter import FrequencyFilter, interpolation, waves


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def learned() -> FrequencyFilter:
    layer = FrequencyFilter(3, 8).double()
    with torch.no_grad():
        layer.weight.copy_(random_maps(*layer.weight.shape, seed=1))
    return layer


def with_factor(value: complex, num_cells: int = 8) -> FrequencyFilter:
    layer = FrequencyFilter(2, num_cells).double()
    with torch.no_grad():
        layer.weight[..., 0], layer.weight[..., 1] = value.real, value.imag
    return layer


@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (10, 10), (8, 12), (5, 7), (1, 6), (16, 3)])
def test_it_is_a_product_between_two_transforms_of_torch(learned: FrequencyFilter, rows: int, cols: int) -> None:
    maps = random_maps(2, 3, rows, cols)
    factors = torch.view_as_complex(learned.factors(rows, cols).contiguous())
    expected = torch.fft.irfft2(torch.fft.rfft2(maps, norm="ortho") * factors, s=(rows, cols), norm="ortho")
    torch.testing.assert_close(learned(maps), expected, rtol=0, atol=1e-12)


def test_on_the_stored_size_each_frequency_has_its_own_factor(learned: FrequencyFilter) -> None:
    assert torch.equal(learned.factors(8, 8), learned.weight)
    assert learned.weight.shape == (3, 8, 5, 2)


@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (10, 10), (9, 11), (6, 16)])
def test_the_factor_one_changes_nothing(rows: int, cols: int) -> None:
    maps = random_maps(1, 2, rows, cols)
    torch.testing.assert_close(with_factor(1.0)(maps), maps, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [8, 9, 10, 32])
def test_waves_are_orthonormal(size: int) -> None:
    cosine, sine = waves(size, size, torch.zeros(1, dtype=torch.float64))
    whole = torch.complex(cosine, -sine)
    torch.testing.assert_close(whole @ whole.mH, torch.eye(size, dtype=whole.dtype), rtol=0, atol=1e-12)
    torch.testing.assert_close(
        whole, torch.fft.fft(torch.eye(size, dtype=torch.float64), norm="ortho"), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (9, 11)])
def test_the_mean_has_the_factor_of_frequency_zero(learned: FrequencyFilter, rows: int, cols: int) -> None:
    maps = random_maps(2, 3, rows, cols)
    expected = maps.mean(dim=(2, 3)) * learned.weight[:, 0, 0, 0]
    torch.testing.assert_close(learned(maps).mean(dim=(2, 3)), expected)
    level = torch.full((1, 3, rows, cols), 2.0, dtype=torch.float64)
    torch.testing.assert_close(learned(level), level * learned.weight[:, 0, 0, 0, None, None])


def test_factors_of_modulus_one_keep_the_energy() -> None:
    # Odd sizes: the frequency 1/2, where only real factors count, is not among theirs.
    maps = random_maps(1, 2, 9, 11)
    maps = maps - maps.mean(dim=3, keepdim=True)
    turned = with_factor(complex(math.cos(0.7), math.sin(0.7)))(maps)
    torch.testing.assert_close(turned.square().sum(), maps.square().sum())


@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (10, 10), (5, 12), (7, 9)])
@pytest.mark.parametrize("times", [(2, 1), (1, 2), (3, 2)])
def test_a_map_laid_side_by_side_gives_its_result_side_by_side(
    learned: FrequencyFilter, rows: int, cols: int, times: tuple[int, int]
) -> None:
    """Larger maps are treated as by one convolution: what happens does not depend on how far the map goes on."""
    maps = random_maps(1, 3, rows, cols)
    result = learned(maps.repeat(1, 1, *times))
    torch.testing.assert_close(result, learned(maps).repeat(1, 1, *times), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("rows", "cols"), [(16, 16), (24, 8), (40, 16)])
def test_a_wave_of_given_length_has_one_factor_on_all_maps(learned: FrequencyFilter, rows: int, cols: int) -> None:
    """A wave of 8 rows and 4 columns: frequencies 1/8 and 2/8, which are stored."""
    row, col = torch.arange(rows, dtype=torch.float64)[:, None], torch.arange(cols, dtype=torch.float64)
    phases = 2 * math.pi * (row / 8 + col / 4)
    factor = torch.view_as_complex(learned.weight.detach())[:, 1, 2]
    expected = (torch.polar(torch.ones_like(phases), phases) * factor[:, None, None]).real
    found = learned(phases.cos().expand(1, 3, rows, cols))[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stored", [2, 5, 8, 9])
@pytest.mark.parametrize("is_half", [True, False])
@pytest.mark.parametrize("num_cells", [1, 5, 8, 20])
def test_shares_of_stored_factors_add_up_to_one(stored: int, is_half: bool, num_cells: int) -> None:
    shares = interpolation(num_cells, stored, torch.zeros(1, dtype=torch.float64), is_half=is_half)
    assert float(shares.min()) >= 0.0
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(shares), dtype=torch.float64))


def test_between_stored_frequencies_factors_are_straight_lines(learned: FrequencyFilter) -> None:
    factors = learned.factors(16, 16)
    torch.testing.assert_close(factors[:, ::2, ::2], learned.weight)
    torch.testing.assert_close(factors[:, 2, 5], (learned.weight[:, 1, 2] + learned.weight[:, 1, 3]) / 2)
    # Rows go round: beyond the last stored frequency comes the first.
    torch.testing.assert_close(factors[:, 15, 0], (learned.weight[:, 7, 0] + learned.weight[:, 0, 0]) / 2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_transforms_in_single(learned: FrequencyFilter, dtype: torch.dtype) -> None:
    maps = random_maps(1, 3, 8, 8).to(dtype)
    layer = FrequencyFilter(3, 8)
    layer.weight.data = learned.weight.data.to(dtype)
    found = layer(maps)
    assert found.dtype == dtype
    exact = FrequencyFilter(3, 8).double()
    exact.weight.data = layer.weight.data.double()
    # Only the result is rounded.
    torch.testing.assert_close(found, exact(maps.double()).to(dtype), rtol=torch.finfo(dtype).eps, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        single = layer.float()(maps.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact(maps.double()), rtol=0, atol=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    layer = FrequencyFilter(1, 4).double()
    maps = random_maps(1, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, w: torch.func.functional_call(layer, {"weight": w}, (x,)),
        (maps, layer.weight.detach().requires_grad_()),
    )
