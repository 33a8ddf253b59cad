"""Pretrained weights of encoders: files as their publishers write them give the features of their own networks."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from radiodiff.errors import CheckpointError
from radiodiff.models.backbones.base import Backbone
from radiodiff.models.backbones.build import build_backbone
from radiodiff.models.backbones.weights import load_backbone_weights
from radiodiff.models.seeded_weights import seeded_weights
from radiodiff.models.unet_config import BackboneConfig

LEVELS = 2


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def with_statistics(network: nn.Module) -> nn.Module:
    """Batch normalisation as after a training: statistics and factors that are not those of the first step."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                assert tensor is not None
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return network.eval()


def resnet() -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(depths=[3, 4], hidden_sizes=[256, 512], num_labels=7)
    return ResNetForImageClassification(config)


def efficientnet() -> nn.Module:
    from transformers import EfficientNetConfig, EfficientNetForImageClassification

    stages = {
        "in_channels": [32, 16, 24],
        "out_channels": [16, 24, 40],
        "kernel_sizes": [3, 3, 5],
        "strides": [1, 2, 2],
        "num_block_repeats": [1, 2, 2],
        "expand_ratios": [1, 6, 6],
    }
    config = EfficientNetConfig(width_coefficient=2.0, depth_coefficient=3.1, hidden_dim=2560, num_labels=7, **stages)
    return EfficientNetForImageClassification(config)


def swin() -> nn.Module:
    from transformers import SwinConfig, SwinForImageClassification

    return SwinForImageClassification(SwinConfig(embed_dim=96, depths=[2, 2], num_heads=[3, 6], num_labels=7))


def vgg() -> nn.Module:
    layers: list[nn.Module] = []
    width_in = 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0):
        layers += [nn.Conv2d(width_in, width, 3, padding=1), nn.ReLU()] if width else [nn.MaxPool2d(2)]
        width_in = width or width_in
    return nn.ModuleDict({"features": nn.Sequential(*layers), "classifier": nn.Linear(2, 2)})


def features_of(kind: str, network: Any, maps: Tensor) -> tuple[Tensor, ...]:
    """What the publisher's own network gives at strides 4 and 8."""
    with torch.no_grad():
        if kind == "vgg16":
            return tuple(network["features"][:end](maps) for end in (10, 17))
        if kind == "resnet101":
            return network.resnet(maps, output_hidden_states=True).hidden_states[1:]
        if kind == "efficientnet_b7":
            hidden = network.efficientnet(maps, output_hidden_states=True).hidden_states
            return hidden[11], hidden[18]
        first = network.swin(
            maps,
            always_partition=True,
            output_hidden_states=True,
            output_hidden_states_before_downsampling=True,
        )
        # After the stem; the ends of the stages are normalised here, by normalisations that have not learnt yet.
        return tuple(
            nn.functional.layer_norm(hidden.permute(0, 2, 3, 1), hidden.shape[1:2]).permute(0, 3, 1, 2)
            for hidden in first.reshaped_hidden_states[1:3]
        )


NETWORKS = {"vgg16": vgg, "resnet101": resnet, "efficientnet_b7": efficientnet, "swin_t": swin}


@pytest.fixture(scope="module", params=list(NETWORKS))
def published(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    with seeded_weights(1):
        return request.param, with_statistics(NETWORKS[request.param]())


def built(kind: str, channels: int = 3) -> Backbone:
    with seeded_weights(2):
        return build_backbone(BackboneConfig(kind=kind), channels, LEVELS, "frozen")


def saved(network: nn.Module, path: Path) -> Path:
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_gives_the_features_of_its_own_network(
    published: tuple[str, nn.Module], suffix: str, tmp_path: Path
) -> None:
    kind, network = published
    backbone = built(kind)
    load_backbone_weights(backbone, saved(network, tmp_path / f"weights{suffix}"), kind)
    maps = random_maps(2, 3, 64, 96)
    with torch.no_grad():
        found = backbone.train()(maps)
    for feature, expected in zip(found, features_of(kind, network, maps), strict=True):
        torch.testing.assert_close(feature, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_earlier_names_of_swin_are_read(tmp_path: Path) -> None:
    with seeded_weights(1):
        network = swin()
    old = {}
    for name, tensor in network.state_dict().items():
        for new, earlier in (
            ("attention.q_proj", "attention.self.query"),
            ("attention.k_proj", "attention.self.key"),
            ("attention.v_proj", "attention.self.value"),
            ("attention.o_proj", "attention.output.dense"),
            ("relative_position_bias.relative_position_bias_table", "self.relative_position_bias_table"),
            ("mlp.fc1", "intermediate.dense"),
            ("mlp.fc2", "output.dense"),
        ):
            name = name.replace(new, earlier)
        old[name] = tensor.contiguous()
    assert "swin.encoder.layers.0.blocks.1.attention.self.relative_position_bias_table" in old
    save_file(old, tmp_path / "old.safetensors")
    backbone = built("swin_t")
    load_backbone_weights(backbone, tmp_path / "old.safetensors", "swin_t")
    maps = random_maps(1, 3, 32, 32)
    with torch.no_grad():
        found = backbone(maps)
    for feature, expected in zip(found, features_of("swin_t", network.eval(), maps), strict=True):
        torch.testing.assert_close(feature, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels_take_the_first_ones_and_zeros(
    published: tuple[str, nn.Module], channels: int, tmp_path: Path
) -> None:
    kind, network = published
    path = saved(network, tmp_path / "weights.pth")
    three, other = built(kind), built(kind, channels)
    load_backbone_weights(three, path, kind)
    load_backbone_weights(other, path, kind)
    maps = random_maps(1, 5, 32, 32)
    as_three = torch.zeros(1, 3, 32, 32)
    shared = min(channels, 3)
    as_three[:, :shared] = maps[:, :shared]
    with torch.no_grad():
        for feature, expected in zip(other(maps[:, :channels]), three(as_three), strict=True):
            torch.testing.assert_close(feature, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_the_convolutional_one_reads_its_own_weights(tmp_path: Path) -> None:
    config = BackboneConfig(kind="conv", widths=(8, 8, 8, 8), blocks=1)
    with seeded_weights(1):
        first, second = (build_backbone(config, 2, LEVELS) for _ in range(2))
    load_backbone_weights(second, saved(first, tmp_path / "own.safetensors"), "conv")
    maps = random_maps(1, 2, 16, 16)
    assert all(torch.equal(x, y) for x, y in zip(first(maps), second(maps), strict=True))


def test_a_missing_file_and_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"backbone weights of vgg16 must be there.*unet\.backbone\.weights"):
        load_backbone_weights(built("vgg16"), tmp_path / "none.pth", "vgg16")
    with seeded_weights(1):
        path = saved(swin(), tmp_path / "swin.safetensors")
    backbone = built("resnet101")
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"must hold resnet\.embedder.*got none in .*swin\.safetensors"):
        load_backbone_weights(backbone, path, "resnet101")
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.state_dict().items())


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    state = {name: tensor.contiguous() for name, tensor in vgg().state_dict().items()}
    state["features.0.weight"] = torch.zeros(64, 5, 3, 3)
    save_file(state, tmp_path / "five.safetensors")
    with pytest.raises(CheckpointError, match=r"of shape \(64, 3, 3, 3\); got shape \(64, 5, 3, 3\)"):
        load_backbone_weights(built("vgg16", 5), tmp_path / "five.safetensors", "vgg16")
