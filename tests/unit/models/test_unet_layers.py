"""Layers of the U-Net against their formulas written out."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from radiodiff.models.layers.attention import ChannelNorm, FullAttention, LinearAttention
from radiodiff.models.layers.blocks import ResBlock, StandardizedConv2d, Upsample, downsample
from radiodiff.models.layers.fourier_time import FourierTime
from radiodiff.models.layers.relation import ConditionSum, RelationNet, pooled, position_code
from radiodiff.models.seeded_weights import seeded_weights


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with seeded_weights(3):
        yield


def test_kernels_have_mean_zero_and_one_over_fan_in_whatever_is_learnt() -> None:
    conv = StandardizedConv2d(4, 6, 3, padding=1, bias=False).double()
    maps = random_maps(2, 4, 8, 8)
    before = conv(maps)
    with torch.no_grad():
        conv.weight.mul_(30.0).add_(5.0)
    # The floor under the variance counts a little where kernels are small.
    torch.testing.assert_close(conv(maps), before, rtol=2e-3, atol=2e-3)
    kernels = conv.weight.flatten(1)
    kernels = (kernels - kernels.mean(1, keepdim=True)) / (kernels.std(1, correction=0, keepdim=True) * math.sqrt(36))
    expected = nn.functional.conv2d(maps, kernels.view(6, 4, 3, 3), padding=1)
    torch.testing.assert_close(conv(maps), expected, rtol=1e-5, atol=1e-6)


def test_the_signal_keeps_its_size_through_a_standardised_convolution() -> None:
    conv = StandardizedConv2d(64, 64, 3, bias=False).double()
    assert float(conv(random_maps(4, 64, 16, 16)).detach().std()) == pytest.approx(1.0, abs=0.05)


def test_a_residual_block_is_its_formula() -> None:
    block = ResBlock(4, 8, 16, 2).double()
    maps, code = random_maps(2, 4, 5, 6), random_maps(2, 16, seed=1)
    scale, shift = (code @ block.time.weight.T + block.time.bias).chunk(2, dim=1)
    branch = block.norm_1(block.conv_1(maps)) * (1 + scale[..., None, None]) + shift[..., None, None]
    branch = nn.functional.silu(block.norm_2(block.conv_2(nn.functional.silu(branch))))
    torch.testing.assert_close(block(maps, code), branch + block.shortcut(maps))


def test_levels_halve_and_double() -> None:
    maps = random_maps(1, 4, 6, 8).float()
    assert downsample(4, 5)(maps).shape == (1, 5, 3, 4)
    assert Upsample(4, 5)(maps).shape == (1, 5, 12, 16)


def test_channels_of_each_cell_are_normalised() -> None:
    norm = ChannelNorm(5).double()
    cells = norm(random_maps(2, 7, 5) * 3 + 1)
    torch.testing.assert_close(cells.mean(2), torch.zeros(2, 7, dtype=torch.float64))
    torch.testing.assert_close(cells.var(2, correction=0), torch.ones(2, 7, dtype=torch.float64), rtol=1e-4, atol=0)


def split(x: Tensor, num_heads: int) -> Tensor:
    """(B, heads, cells, channels of a head)."""
    return torch.stack(x.chunk(num_heads, dim=2), dim=1)


def test_full_attention_is_its_formula() -> None:
    layer = FullAttention(6, 2, 4).double()
    maps = random_maps(2, 6, 3, 4)
    cells = layer.norm(maps.flatten(2).mT)
    query, key, value = (split(part, 2) for part in (cells @ layer.qkv.weight.T).chunk(3, dim=2))
    found = (query @ key.mT / math.sqrt(4)).softmax(dim=3) @ value
    found = torch.cat(list(found.unbind(1)), dim=2) @ layer.out.weight.T + layer.out.bias
    torch.testing.assert_close(layer(maps), maps + found.mT.reshape(maps.shape))


def test_linear_attention_is_its_formula() -> None:
    layer = LinearAttention(6, 2, 4).double()
    maps = random_maps(2, 6, 3, 4)
    cells = layer.norm(maps.flatten(2).mT)
    query, key, value = (split(part, 2) for part in (cells @ layer.qkv.weight.T).chunk(3, dim=2))
    weights = torch.einsum("bhic,bhjc->bhij", query.softmax(dim=3) / math.sqrt(4), key.softmax(dim=2))
    found = torch.cat(list((weights @ value).unbind(1)), dim=2) @ layer.out.weight.T + layer.out.bias
    torch.testing.assert_close(layer(maps), maps + layer.norm_out(found).mT.reshape(maps.shape))


@pytest.mark.parametrize("kind", [LinearAttention, FullAttention])
def test_attention_moves_with_the_cells(kind: type[LinearAttention | FullAttention]) -> None:
    layer, maps = kind(6, 2, 4).double(), random_maps(1, 6, 4, 4)
    torch.testing.assert_close(layer(maps.roll((1, 2), (2, 3))), layer(maps).roll((1, 2), (2, 3)))


def test_what_linear_attention_adds_does_not_fade_on_larger_maps() -> None:
    """The mean over cells of a map laid side by side is that of the map."""
    layer, maps = LinearAttention(6, 2, 4).double(), random_maps(1, 6, 4, 4)
    larger = maps.repeat(1, 1, 8, 8)
    torch.testing.assert_close(layer(larger), layer(maps).repeat(1, 1, 8, 8))


def test_the_code_of_the_time_is_its_formula() -> None:
    layer = FourierTime(4, 16.0, 8)
    t = torch.tensor([1e-4, 0.3, 1.0])
    frequencies = layer.frequencies.double() * 2.0**-32
    drawn = torch.randn(4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(frequencies.float(), drawn * 16.0, rtol=0, atol=2.0**-32)
    phases = 2 * math.pi * frequencies * t.double().log()[:, None] / 4
    features = torch.cat([phases.sin(), phases.cos()], dim=1).float()
    expected = nn.functional.silu(layer.linear_2(nn.functional.gelu(layer.linear_1(features))))
    torch.testing.assert_close(layer(t), expected, rtol=0, atol=1e-4)


def test_frequencies_keep_their_precision_in_half_precision() -> None:
    layer = FourierTime(4, 16.0, 8)
    before = layer.frequencies.clone()
    layer.to(torch.bfloat16)
    assert torch.equal(layer.frequencies, before)
    assert layer(torch.tensor([0.5])).dtype == torch.bfloat16
    assert all(p.shape != (4,) for p in layer.parameters())


def test_position_codes_differ_and_do_not_depend_on_the_grid() -> None:
    code = position_code(16, 8, 6)
    assert torch.equal(code[:, :5, :4], position_code(16, 5, 4))
    cells = code.flatten(1).T
    distances = torch.cdist(cells, cells) + torch.eye(48) * 9
    assert float(distances.min()) > 0.5
    assert position_code(6, 2, 2).shape == (6, 2, 2)


def test_tokens_are_means_of_windows() -> None:
    maps = random_maps(1, 2, 4, 6)
    assert torch.equal(pooled(maps, (4, 6)), maps)
    torch.testing.assert_close(pooled(maps, (2, 3))[..., 1, 2], maps[..., 2:, 4:].mean(dim=(2, 3)))
    # A condition coarser than the tokens repeats its cells.
    assert torch.equal(pooled(maps, (8, 12)), maps.repeat_interleave(2, 2).repeat_interleave(2, 3))


@pytest.mark.parametrize("query", ["condition", "features"])
def test_the_relation_is_its_formula(query: str) -> None:
    layer = RelationNet(3, 8, 2, 2, 4, query).double()
    condition, x = random_maps(2, 3, 4, 6), random_maps(2, 8, 4, 6, seed=1)
    cond = layer.condition_norm(layer.condition_in(condition))
    feat = layer.features_norm(layer.features_in(x))
    asking, asked = (nn.functional.avg_pool2d(maps, 2) for maps in (cond, feat))
    if query == "features":
        asking, asked = asked, asking
    code = position_code(8, 2, 3).double()
    q, kv = ((maps + code).flatten(2).mT for maps in (asking, asked))
    query_heads, key, value = (
        split(part(cells), 2) for part, cells in ((layer.query, q), (layer.key, kv), (layer.value, kv))
    )
    # Divided by the root of a head's channels.
    found = (query_heads @ key.mT / 2.0).softmax(dim=3) @ value
    tokens = asking + torch.cat(list(found.unbind(1)), dim=2).mT.reshape(asking.shape)
    tokens = tokens + layer.mlp_2(nn.functional.silu(layer.mlp_1(tokens)))
    back = layer.out(nn.functional.interpolate(tokens, size=(4, 6), mode="bilinear", align_corners=False))
    weight = torch.cat([layer.mix_condition.weight, layer.mix_features.weight], dim=1)
    mixed = nn.functional.conv2d(torch.cat([cond, feat], dim=1), weight, layer.mix_features.bias)
    torch.testing.assert_close(layer(condition, x), x + layer.mix_norm(feat + mixed) + back)


@pytest.mark.parametrize("query", ["condition", "features"])
@pytest.mark.parametrize("size", [(8, 12), (2, 3), (4, 6), (1, 2)])
def test_a_condition_may_be_finer_or_coarser_than_the_level(query: str, size: tuple[int, int]) -> None:
    layer = RelationNet(3, 8, 2, 2, 4, query).double()
    assert layer(random_maps(1, 3, *size), random_maps(1, 8, 4, 6)).shape == (1, 8, 4, 6)
    assert ConditionSum(3, 8).double()(random_maps(1, 3, *size), random_maps(1, 8, 4, 6)).shape == (1, 8, 4, 6)


@pytest.mark.parametrize("query", ["condition", "features"])
def test_the_relation_sees_the_condition_of_other_places(query: str) -> None:
    layer = RelationNet(3, 8, 2, 2, 4, query).double()
    condition, x = random_maps(1, 3, 8, 8).requires_grad_(), random_maps(1, 8, 8, 8)
    layer(condition, x)[0, :, 0, 0].sum().backward()
    assert condition.grad is not None
    assert float(condition.grad[..., 6:, 6:].abs().max()) > 0.0
