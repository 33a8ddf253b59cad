"""Encoders of the condition: their published sizes, features at each stride, independence, gradients."""

import pytest
import torch
from torch import Tensor, nn

from radiodiff.models.backbones.base import Backbone
from radiodiff.models.backbones.build import build_backbone
from radiodiff.models.backbones.norms import FrozenBatchNorm2d, replace_batch_norm
from radiodiff.models.seeded_weights import seeded_weights
from radiodiff.models.unet_config import BackboneConfig

KINDS = ("conv", "vgg16", "resnet101", "efficientnet_b7", "swin_t", "swin_s", "swin_b")
SMALL_CONV = BackboneConfig(kind="conv", widths=(8, 12, 16, 20), blocks=1)


def config_of(kind: str, **settings: object) -> BackboneConfig:
    return SMALL_CONV.replaced(**settings) if kind == "conv" else BackboneConfig(kind=kind, **settings)


def built(kind: str, channels: int = 3, num_levels: int = 1, seed: int = 0, **settings: object) -> Backbone:
    """The first levels only: whole ones take seconds."""
    with seeded_weights(seed):
        return build_backbone(config_of(kind, **settings), channels, num_levels)


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # torchvision's published counts without classifiers and the layers that no feature here comes from.
        ("vgg16", 138_357_544 - 123_642_856),
        ("resnet101", 44_549_160 - 2_049_000),
        ("efficientnet_b7", 66_347_960 - 2_561_000 - 640 * 2_560 - 2 * 2_560),
        # And with a normalisation of each stage's end in place of one at the very end.
        ("swin_t", 28_288_354 - 769_000 - 2 * 768 + 2 * (96 + 192 + 384 + 768)),
        ("swin_s", 49_606_258 - 769_000 - 2 * 768 + 2 * (96 + 192 + 384 + 768)),
        ("swin_b", 87_768_224 - 1_025_000 - 2 * 1_024 + 2 * (128 + 256 + 512 + 1_024)),
    ],
)
def test_whole_layouts_have_the_published_parameters(kind: str, expected: int) -> None:
    with torch.device("meta"):
        network = build_backbone(BackboneConfig(kind=kind), 3, 4)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert len(network.channels) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rows", "cols"), [(16, 16), (24, 40)])
def test_features_have_the_strides(kind: str, rows: int, cols: int) -> None:
    network = built(kind, channels=5, num_levels=2)
    features = network(random_maps(2, 5, rows, cols))
    assert [tuple(feature.shape) for feature in features] == [
        (2, channels, rows // stride, cols // stride) for channels, stride in zip(network.channels, (4, 8), strict=True)
    ]


def test_all_four_strides_of_the_convolutional_one() -> None:
    features = built("conv", num_levels=4)(random_maps(1, 3, 64, 96))
    assert [tuple(feature.shape[1:]) for feature in features] == [(8, 16, 24), (12, 8, 12), (16, 4, 6), (20, 2, 3)]


def test_no_cell_of_the_condition_is_lost_at_the_entry_of_the_convolutional_one() -> None:
    network = built("conv")
    maps = random_maps(1, 3, 8, 8).requires_grad_()
    network(maps)[0].sum().backward()
    assert maps.grad is not None
    assert bool((maps.grad != 0).all())


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_gets_a_gradient(kind: str) -> None:
    network = built(kind, channels=4, num_levels=2)
    features = network(random_maps(2, 4, 32, 32))
    sum((feature * random_maps(*feature.shape, seed=9)).sum() for feature in features).backward()
    missing = [name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_does_not_depend_on_the_batch_the_mode_or_random_numbers(kind: str) -> None:
    network = built(kind, num_levels=2)
    maps = random_maps(3, 3, 32, 32)
    before = torch.get_rng_state()
    with torch.no_grad():
        together = network.train()(maps)
        alone = network.train()(maps[1:2])
        in_use = network.eval()(maps)
    assert torch.equal(torch.get_rng_state(), before)
    for feature, single, again in zip(together, alone, in_use, strict=True):
        torch.testing.assert_close(feature[1:2], single, rtol=1e-4, atol=1e-4)
        assert torch.equal(feature, again)


def test_larger_maps_leave_no_trace_in_swin() -> None:
    """Windows are padded, not shrunk to a small map for good."""
    network = built("swin_t", num_levels=2).eval()
    maps = random_maps(1, 3, 64, 64)
    with torch.no_grad():
        before = network(maps)
        network(random_maps(1, 3, 8, 8))
        after = network(maps)
    assert all(torch.equal(x, y) for x, y in zip(before, after, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_one_does_not_learn(kind: str) -> None:
    network = built(kind, is_frozen=True)
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network(random_maps(1, 3, 16, 16))[0].requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_no_batch_normalisation_is_left(kind: str) -> None:
    assert not [m for m in built(kind, num_levels=2).modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def test_frozen_statistics_are_batch_normalisation_in_eval_mode() -> None:
    plain = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, eps=1e-3))
    for _ in range(3):
        plain(random_maps(4, 3, 8, 8) * 5)
    plain.eval()
    frozen = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, eps=1e-3))
    replace_batch_norm(frozen, "frozen")
    assert isinstance(frozen[1], FrozenBatchNorm2d)
    found = frozen.load_state_dict(plain.state_dict(), strict=False)
    assert found.unexpected_keys == ["1.num_batches_tracked"]
    assert found.missing_keys == []
    maps = random_maps(2, 3, 8, 8, seed=1)
    torch.testing.assert_close(frozen.train()(maps), plain(maps))


def test_group_normalisation_takes_the_most_groups_that_divide() -> None:
    network = nn.Sequential(nn.BatchNorm2d(64), nn.BatchNorm2d(48), nn.BatchNorm2d(5))
    replace_batch_norm(network, "group")
    assert [norm.num_groups for norm in network] == [32, 24, 5]
