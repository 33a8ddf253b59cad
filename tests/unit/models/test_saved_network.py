"""Both networks saved and loaded: equal outputs, no random numbers, all weights or none."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.errors import CheckpointError
from radiodiff.models.radio_unet import RadioUnet, build_radio_unet
from radiodiff.models.saved_network import SavedNetwork
from radiodiff.models.unet import ConditionalUnet, build_unet
from radiodiff.models.unet_config import BackboneConfig, RadioUnetConfig, RelationConfig, UnetConfig

WEIGHTS = "diffusion_pytorch_model.safetensors"


def unet(backbone: BackboneConfig, **diffusion: object) -> ConditionalUnet:
    config = UnetConfig(
        base_channels=8,
        channel_multipliers=(1, 2),
        backbone=backbone,
        relation=RelationConfig(window_sizes=(4, 2), num_heads=2, query="features"),
        norm_groups=4,
    )
    return build_unet(
        config,
        condition_channels=5,
        latent_channels=3,
        latent_factor=4,
        diffusion=DiffusionConfig(**diffusion),
        seed=4,
    )


def radio_unet() -> RadioUnet:
    config = RadioUnetConfig(base_channels=8, channel_multipliers=(1, 2), stem_factor=2)
    return build_radio_unet(config, in_channels=5, seed=4)


CONV = BackboneConfig(kind="conv", widths=(8, 8, 8, 8), blocks=1)
NETWORKS = {
    "conv": lambda: unet(CONV, prediction_type="pred_v"),
    "frozen conv": lambda: unet(CONV.replaced(is_frozen=True), preconditioning="published"),
    "swin": lambda: unet(BackboneConfig(kind="swin_t")),
    "resnet": lambda: unet(BackboneConfig(kind="resnet101")),
    "regression": radio_unet,
}


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> SavedNetwork:
    made: SavedNetwork = NETWORKS[request.param]()
    return made.eval()


def output_of(network: SavedNetwork) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    condition = torch.rand((2, 5, 32, 32), generator=generator) * 2 - 1
    with torch.no_grad():
        if isinstance(network, RadioUnet):
            return network(condition)
        noisy = torch.randn((2, 3, 8, 8), generator=generator)
        found: Tensor = network(noisy, torch.tensor([0.1, 0.8]), condition)
        return found


def test_a_loaded_network_is_the_saved_one(network: SavedNetwork, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    before = torch.get_rng_state()
    loaded = type(network).from_pretrained(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    assert not loaded.training
    assert sorted(loaded.state_dict()) == sorted(network.state_dict())
    assert [p.requires_grad for p in loaded.parameters()] == [p.requires_grad for p in network.parameters()]
    assert loaded.size_multiple == network.size_multiple
    # Bitwise: kernels round by address, so weights are not left where they lie in the file.
    assert torch.equal(output_of(loaded), output_of(network))


def test_a_loaded_network_can_learn_and_be_saved_again(network: SavedNetwork, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path / "first")
    loaded = type(network).from_pretrained(tmp_path / "first")
    with torch.no_grad():
        for parameter in loaded.parameters():
            parameter.add_(0.01)
    loaded.save_pretrained(tmp_path / "second")
    assert torch.equal(output_of(type(network).from_pretrained(tmp_path / "second")), output_of(loaded))


def test_the_folder_holds_json_and_safetensors_alone(network: SavedNetwork, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", WEIGHTS]
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["_class_name"] == type(network).__name__


def test_it_can_be_loaded_in_half_precision(network: SavedNetwork, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    loaded = type(network).from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
    assert loaded.dtype == torch.bfloat16
    expected = output_of(network)
    assert float((output_of(loaded) - expected).abs().max()) < 0.1 * float(expected.abs().max())
    for name, buffer in network.named_buffers():
        if not buffer.is_floating_point():
            assert torch.equal(loaded.get_buffer(name), buffer)


def test_missing_and_unknown_weights_are_refused(tmp_path: Path) -> None:
    radio_unet().save_pretrained(tmp_path)
    weights = load_file(tmp_path / WEIGHTS)
    weights["extra"] = weights.pop("out.weight").clone()
    save_file(weights, tmp_path / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"1 missing \(out\.weight\) and 1 unknown \(extra\)"):
        RadioUnet.from_pretrained(tmp_path)


def test_the_file_of_the_backbones_weights_is_not_needed_again(tmp_path: Path) -> None:
    first = unet(CONV)
    torch.save(first.backbone.state_dict(), tmp_path / "conv.pth")
    second = unet(CONV.replaced(weights=tmp_path / "conv.pth"))
    assert all(
        torch.equal(x, y) for x, y in zip(first.backbone.parameters(), second.backbone.parameters(), strict=True)
    )
    second.save_pretrained(tmp_path / "unet")
    (tmp_path / "conv.pth").unlink()
    assert "conv.pth" not in (tmp_path / "unet" / "config.json").read_text()
    assert torch.equal(output_of(ConditionalUnet.from_pretrained(tmp_path / "unet")), output_of(second.eval()))


def test_pretrained_statistics_are_kept(tmp_path: Path) -> None:
    from transformers import ResNetConfig, ResNetForImageClassification

    published = ResNetForImageClassification(ResNetConfig(depths=[3, 4], hidden_sizes=[256, 512], num_labels=2))
    published.save_pretrained(tmp_path / "resnet")
    network = unet(BackboneConfig(kind="resnet101", weights=tmp_path / "resnet" / "model.safetensors")).eval()
    assert network.config["backbone_norm"] == "frozen"
    assert [name for name, _ in network.backbone.named_buffers()]
    network.save_pretrained(tmp_path / "unet")
    assert torch.equal(output_of(ConditionalUnet.from_pretrained(tmp_path / "unet")), output_of(network))


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"backbone weights of conv must be there.*none\.pth"):
        unet(CONV.replaced(weights=tmp_path / "none.pth"))
