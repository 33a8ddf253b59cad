"""Settings of losses that contradict each other are refused."""

from pathlib import Path

import pytest

from radiodiff.errors import ConfigError
from radiodiff.losses.config import AutoencoderLossConfig, HelmholtzConfig, PerceptualConfig


def test_a_loss_without_pointwise_errors_is_refused() -> None:
    with pytest.raises(ConfigError, match="l1_weight or mse_weight above 0"):
        AutoencoderLossConfig(l1_weight=0, mse_weight=0)


def test_an_edge_mode_without_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs an edge_weight above 0; got edge_mode='elsewhere'"):
        AutoencoderLossConfig(edge_mode="elsewhere")
    assert AutoencoderLossConfig(edge_mode="elsewhere", edge_weight=0.1).edge_mode == "elsewhere"


@pytest.mark.parametrize("files", [{}, {"vgg16": Path("vgg.pth")}, {"heads": Path("lin.pth")}])
def test_lpips_without_its_files_is_refused(files: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="needs the files vgg16 and heads"):
        PerceptualConfig(kind="lpips", **files)


def test_files_without_lpips_are_refused() -> None:
    with pytest.raises(ConfigError, match="belong to kind 'lpips'; got vgg16"):
        PerceptualConfig(vgg16=Path("vgg.pth"))


@pytest.mark.parametrize("values", [{"span_db": 0}, {"span_db": 1000}, {"floor": 0}, {"weight": -1}, {"quantity": "x"}])
def test_helmholtz_settings_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"HelmholtzConfig.{next(iter(values))} must be"):
        HelmholtzConfig(**values)
