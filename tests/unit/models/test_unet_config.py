"""Settings of the second stage's networks: what they refuse, and that they survive a file."""

import pytest

from radiodiff.errors import ConfigError
from radiodiff.models.unet_config import BackboneConfig, RadioUnetConfig, RelationConfig, UnetConfig


def test_defaults_are_the_published_network() -> None:
    config = UnetConfig()
    assert config.level_channels == (128, 256, 512, 512)
    assert config.time_channels == 512
    assert config.factor == 8
    assert config.backbone.kind == "swin_b"
    assert config.relation is not None
    assert config.relation.window_sizes == (8, 4, 2, 1)


@pytest.mark.parametrize(
    "config",
    [
        UnetConfig(),
        UnetConfig(relation=None, backbone=BackboneConfig(kind="conv", widths=(8, 8, 8, 8), is_frozen=True)),
        RadioUnetConfig(stem_factor=2),
    ],
)
def test_settings_come_back_from_plain_values(config: UnetConfig | RadioUnetConfig) -> None:
    assert type(config)(**config.model_dump(mode="json")) == config


@pytest.mark.parametrize("settings", [{"widths": (8, 8, 8, 8)}, {"blocks": 1}])
def test_widths_and_blocks_belong_to_the_convolutional_backbone(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"widths and blocks belong to kind 'conv'; got kind='resnet101'"):
        BackboneConfig(kind="resnet101", **settings)


def test_groups_must_divide_the_channels_of_every_level() -> None:
    with pytest.raises(ConfigError, match=r"norm_groups must divide.*got 8 groups, 12 channels"):
        UnetConfig(base_channels=12)


def test_there_must_be_a_window_for_each_level() -> None:
    with pytest.raises(ConfigError, match=r"one size for each level.*got 4 sizes, 2 levels"):
        UnetConfig(channel_multipliers=(1, 2))


def test_heads_must_divide_the_channels_of_every_level() -> None:
    with pytest.raises(ConfigError, match=r"num_heads must divide.*got 3 heads, 128 channels"):
        UnetConfig(relation=RelationConfig(num_heads=3))


@pytest.mark.parametrize(
    "settings",
    [
        {"channel_multipliers": (1,)},
        {"channel_multipliers": (1, 1, 1, 1, 1), "relation": None},
        {"filter_cells": 1},
        {"fourier_scale": 0.0},
        {"base_channels": 0},
    ],
)
def test_values_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        UnetConfig(**settings)


def test_levels_of_the_regression_network() -> None:
    config = RadioUnetConfig(base_channels=16, channel_multipliers=(1, 2, 3), stem_factor=4)
    assert config.level_channels == (16, 32, 48)
    assert config.factor == 16
