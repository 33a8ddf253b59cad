"""Weights to begin with: where they are found, what fits, and that an error changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch import Tensor, nn

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.errors import CheckpointError
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord, save_autoencoder
from radiodiff.models.config import AutoencoderConfig, DiscriminatorConfig
from radiodiff.models.discriminator import build_discriminator
from radiodiff.models.unet import ConditionalUnet, build_unet
from radiodiff.models.unet_config import RelationConfig
from radiodiff.models.warm_start import load_weights
from radiodiff.models.weight_meaning import settings_of
from second_stage import UNET


@pytest.fixture
def fresh(tiny_config: AutoencoderConfig) -> AutoencoderKL:
    """A network with other weights than `tiny`."""
    return build_autoencoder(tiny_config, seed=6)


def is_same(first: nn.Module, second: nn.Module) -> bool:
    states = first.state_dict(), second.state_dict()
    return states[0].keys() == states[1].keys() and all(
        torch.equal(tensor, states[1][name]) for name, tensor in states[0].items()
    )


def as_trained(network: nn.Module, name: str = "autoencoder") -> dict[str, Tensor]:
    """Weights as a checkpoint has them: those of the network as it is trained."""
    state = {f"{name}.{key}": tensor.clone() for key, tensor in network.state_dict().items()}
    return {**state, "log_variance": torch.zeros(())}


def test_a_model_a_run_and_a_file(
    tmp_path: Path, tiny: AutoencoderKL, tiny_config: AutoencoderConfig, record: AutoencoderRecord
) -> None:
    run = tmp_path / "run"
    save_autoencoder(run / "autoencoder", tiny, record)
    file = run / "autoencoder/diffusion_pytorch_model.safetensors"
    for path in (run / "autoencoder", str(run), file):
        network = build_autoencoder(tiny_config, seed=9)
        assert not is_same(network, tiny)
        report = load_weights(network, path)
        assert is_same(network, tiny)
        assert report.is_complete
        assert set(report.loaded) == set(tiny.state_dict())
        assert report.source == (file,)


def test_a_checkpoint_gives_its_moving_average_or_the_weights(
    tmp_path: Path, tiny: AutoencoderKL, fresh: AutoencoderKL, tiny_config: AutoencoderConfig
) -> None:
    average = build_autoencoder(tiny_config, seed=7)
    save_file(as_trained(tiny), tmp_path / "autoencoder.safetensors")
    save_file({"discriminator.layers.conv_in.bias": torch.ones(3)}, tmp_path / "discriminator.safetensors")
    report = load_weights(fresh, tmp_path)
    assert report.is_complete
    assert is_same(fresh, tiny)
    save_file(as_trained(average), tmp_path / "ema.safetensors")
    report = load_weights(fresh, tmp_path)
    assert is_same(fresh, average)
    assert [path.name for path in report.source] == ["autoencoder.safetensors", "ema.safetensors"]
    load_weights(fresh, tmp_path / "autoencoder.safetensors")
    assert is_same(fresh, tiny)


def test_what_an_average_lacks_comes_from_the_weights(tmp_path: Path) -> None:
    """Averages hold parameters, not the running statistics of norms."""
    config = DiscriminatorConfig(base_channels=8)
    first, second = (build_discriminator(1, config, seed=seed) for seed in (1, 2))
    first.layers.norm_1.running_mean.fill_(3.0)
    save_file(as_trained(first, "discriminator"), tmp_path / "discriminator.safetensors")
    parameters = {f"discriminator.{name}": 2 * p.detach() for name, p in first.named_parameters()}
    save_file(parameters, tmp_path / "ema.safetensors")
    assert load_weights(second, tmp_path, network="discriminator").is_complete
    assert torch.equal(second.layers.conv_in.weight, 2 * first.layers.conv_in.weight)
    assert second.layers.norm_1.running_mean[0] == 3.0


def test_a_network_as_it_is_trained_keeps_its_names(tmp_path: Path, tiny: AutoencoderKL, fresh: AutoencoderKL) -> None:
    save_file(as_trained(tiny), tmp_path / "autoencoder.safetensors")
    trained = nn.Module()
    trained.autoencoder = fresh
    trained.log_variance = nn.Parameter(torch.ones(()))
    assert load_weights(trained, tmp_path).is_complete
    assert is_same(fresh, tiny)
    assert float(trained.log_variance.detach()) == 0.0


def unet_of(diffusion: DiffusionConfig | None = None, seed: int = 0, **changes: object) -> ConditionalUnet:
    config = UNET.model_copy(update=changes)
    shape = {"condition_channels": 2, "latent_channels": 3, "latent_factor": 2}
    return build_unet(config, **shape, diffusion=diffusion or DiffusionConfig(prediction_type="pred_x0"), seed=seed)


@pytest.mark.parametrize("place", ["model", "checkpoint"])
@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"diffusion": DiffusionConfig(prediction_type="pred_noise")}, "diffusion.prediction_type 'pred_noise'"),
        (
            {"diffusion": DiffusionConfig(prediction_type="pred_x0", preconditioning="none")},
            "diffusion.preconditioning 'none'",
        ),
        ({"fourier_scale": 3.0}, "unet.fourier_scale 3.0"),
        ({"relation": RelationConfig(window_sizes=(8, 4), num_heads=2, query="features")}, "query 'features'"),
    ],
)
def test_weights_that_fit_and_mean_something_else_are_refused(
    tmp_path: Path, other: dict[str, Any], said: str, place: str
) -> None:
    source = unet_of(seed=1)
    if place == "model":
        source.save_pretrained(tmp_path / "unet")
    else:
        save_file(as_trained(source, "unet"), tmp_path / "unet.safetensors")
        state = {"settings": {"unet": settings_of(source)}}
        (tmp_path / "state.json").write_text(json.dumps(state))
    same, network = unet_of(), unet_of(**other)
    assert load_weights(same, tmp_path, network="unet").is_complete
    assert is_same(same, source)
    before = unet_of(**other)
    with pytest.raises(CheckpointError, match="settings differ: ") as caught:
        load_weights(network, tmp_path, network="unet")
    assert said in str(caught.value)
    assert is_same(network, before)
    # Who takes what fits is told.
    report = load_weights(network, tmp_path, network="unet", allow_missing=True)
    assert is_same(network, source)
    assert not report.is_complete
    assert said in str(report)


def test_what_does_not_change_the_meaning_may_differ(tmp_path: Path, tiny: AutoencoderKL, fresh: AutoencoderKL) -> None:
    tiny.register_to_config(scaling_factor=0.3, force_upcast=False)
    tiny.save_pretrained(tmp_path / "autoencoder")
    assert load_weights(fresh, tmp_path).is_complete


@pytest.mark.parametrize(("name", "content"), [("config.json", "{"), ("config.json", "[]"), ("state.json", "{}")])
def test_settings_that_cannot_be_read_are_an_error(
    tmp_path: Path, tiny: AutoencoderKL, fresh: AutoencoderKL, name: str, content: str
) -> None:
    file = "diffusion_pytorch_model.safetensors" if name == "config.json" else "autoencoder.safetensors"
    save_file(dict(tiny.state_dict()), tmp_path / file)
    (tmp_path / name).write_text(content)
    with pytest.raises(CheckpointError, match=f"{name} beside weights must hold the settings"):
        load_weights(fresh, tmp_path)


@pytest.fixture
def odd_file(tmp_path: Path, tiny: AutoencoderKL) -> Path:
    """Weights of which two are missing, one is left over, and one has another shape."""
    state = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    del state["quant_conv.bias"], state["quant_conv.weight"]
    state["extra.bias"] = torch.ones(3)
    state["encoder.conv_in.weight"] = torch.ones(8, 2, 3, 3)
    save_file(state, tmp_path / "odd.safetensors")
    return tmp_path / "odd.safetensors"


def test_what_does_not_fit_is_an_error_that_changes_nothing(
    odd_file: Path, fresh: AutoencoderKL, tiny_config: AutoencoderConfig
) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_weights(fresh, odd_file)
    text = str(caught.value)
    for part in (
        "must be those of this network",
        "2 missing: quant_conv.weight, quant_conv.bias",
        "1 unexpected: extra.bias",
        "1 mismatched: encoder.conv_in.weight (8, 2, 3, 3) in the file, (8, 1, 3, 3) in the network",
        "--allow-missing",
    ):
        assert part in text
    assert is_same(fresh, build_autoencoder(tiny_config, seed=6))


def test_what_fits_can_be_taken_and_the_rest_is_listed(
    odd_file: Path, fresh: AutoencoderKL, tiny: AutoencoderKL
) -> None:
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    report = load_weights(fresh, odd_file, allow_missing=True)
    assert (report.missing, report.unexpected) == (("quant_conv.weight", "quant_conv.bias"), ("extra.bias",))
    assert len(report.mismatched) == 1
    assert not report.is_complete
    assert len(report.loaded) == len(before) - 3
    for name, tensor in fresh.state_dict().items():
        source = tiny.state_dict()[name] if name in report.loaded else before[name]
        assert torch.equal(tensor, source)


def test_a_long_list_is_cut_short(tmp_path: Path, fresh: AutoencoderKL) -> None:
    save_file({"quant_conv.bias": torch.zeros(6)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"1 weights loaded; 123 missing: (\S+, ){4}\S+ and 118 more"):
        load_weights(fresh, tmp_path / "a.safetensors")


@pytest.mark.parametrize("allow_missing", [True, False])
def test_something_must_fit(tmp_path: Path, fresh: AutoencoderKL, allow_missing: bool) -> None:
    save_file({"weight": torch.zeros(6)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="Nothing of it fits: use weights of this kind of network"):
        load_weights(fresh, tmp_path / "a.safetensors", allow_missing=allow_missing)


def test_other_types_are_converted(tmp_path: Path, tiny: AutoencoderKL, fresh: AutoencoderKL) -> None:
    save_file({name: tensor.half() for name, tensor in tiny.state_dict().items()}, tmp_path / "a.safetensors")
    load_weights(fresh, tmp_path / "a.safetensors")
    assert {parameter.dtype for parameter in fresh.parameters()} == {torch.float32}
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in fresh.parameters())


def test_paths_that_lead_nowhere(tmp_path: Path, fresh: AutoencoderKL) -> None:
    with pytest.raises(CheckpointError, match="must exist"):
        load_weights(fresh, tmp_path / "absent")
    with pytest.raises(CheckpointError, match=r"autoencoder/ or autoencoder\.safetensors; got .*Check the path"):
        load_weights(fresh, tmp_path)
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(CheckpointError, match="give a checkpoint: RUN/checkpoints/step-N"):
        load_weights(fresh, tmp_path)
    (tmp_path / "model-3.pt").touch()
    with pytest.raises(CheckpointError, match=r"must be a safetensors file; got .*radiodiff convert autoencoder"):
        load_weights(fresh, tmp_path / "model-3.pt")


@pytest.mark.parametrize("content", [b"", b"not weights at all", bytes(64)])
def test_a_damaged_file_is_refused(tmp_path: Path, fresh: AutoencoderKL, content: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="must be a whole safetensors file"):
        load_weights(fresh, tmp_path / "a.safetensors")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, tiny: AutoencoderKL, fresh: AutoencoderKL) -> None:
    with torch.no_grad():
        tiny.post_quant_conv.bias[1] = torch.nan
    save_file(as_trained(tiny), tmp_path / "autoencoder.safetensors")
    with pytest.raises(CheckpointError, match=r"Weights must be finite; got autoencoder\.post_quant_conv\.bias"):
        load_weights(fresh, tmp_path)
