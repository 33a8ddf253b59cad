"""Checkpoints of the original program: the converted network computes what the original one does."""

import copy
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from original_autoencoder import (
    OriginalAutoencoder,
    OriginalSettings,
    checkpoint_content,
    random_original,
    save_original,
)
from radiodiff.errors import CheckpointError
from radiodiff.models.autoencoder import autoencoder_config
from radiodiff.models.compvis import convert_original, diffusers_name
from radiodiff.models.config import AutoencoderConfig

SMALL = OriginalSettings()
WIDE = OriginalSettings(ch_mult=(1, 2, 4), num_res_blocks=2)


def check_equal_outputs(original: OriginalAutoencoder, path: Path, settings: OriginalSettings, **options: Any) -> None:
    network, _ = convert_original(path, **options)
    generator = torch.Generator().manual_seed(3)
    factor = 2 ** (len(settings.ch_mult) - 1)
    maps = torch.rand((2, settings.in_channels, 8 * factor, 4 * factor), generator=generator) * 2 - 1
    latents = torch.randn((2, settings.z_channels, 8, 4), generator=generator)
    with torch.no_grad():
        moments = original.moments(maps)
        posterior = network.encode(maps).latent_dist
        torch.testing.assert_close(posterior.parameters, moments, rtol=1e-5, atol=1e-5)
        assert moments.std() > 0.1
        torch.testing.assert_close(network.decode(latents).sample, original.decode(latents), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        WIDE,
        OriginalSettings(ch_mult=(1,)),
        OriginalSettings(ch_mult=(1, 1, 2, 2), num_res_blocks=3),
        OriginalSettings(z_channels=4, in_channels=2, out_ch=3),
        OriginalSettings(ch=64, ch_mult=(1, 3)),
    ],
    ids=str,
)
def test_outputs_are_those_of_the_original(tmp_path: Path, settings: OriginalSettings) -> None:
    original = random_original(settings)
    path = save_original(tmp_path / "model-1.pt", original)
    check_equal_outputs(original, path, settings)
    network, found = convert_original(path)
    assert found.config == AutoencoderConfig(
        in_channels=settings.in_channels,
        out_channels=settings.out_ch,
        base_channels=settings.ch,
        channel_multipliers=settings.ch_mult,
        blocks_per_level=settings.num_res_blocks,
        latent_channels=settings.z_channels,
    )
    assert found.config == autoencoder_config(network)
    assert found.num_parameters == sum(parameter.numel() for parameter in original.parameters())
    assert not network.training


def test_the_average_or_the_weights_are_taken_as_asked(tmp_path: Path) -> None:
    model, ema = random_original(seed=1), random_original(seed=2)
    path = save_original(tmp_path / "model-1.pt", model, ema)
    check_equal_outputs(ema, path, SMALL)
    check_equal_outputs(ema, path, SMALL, use_ema=True)
    check_equal_outputs(model, path, SMALL, use_ema=False)
    assert [convert_original(path, use_ema=flag)[1].weights for flag in (True, False)] == ["ema", "model"]


@pytest.mark.parametrize("use_ema", [True, False])
def test_prefixes_of_a_network_that_several_gpus_trained(tmp_path: Path, use_ema: bool) -> None:
    original = random_original()
    check_equal_outputs(
        original, save_original(tmp_path / "model-1.pt", original, wrapper="module."), SMALL, use_ema=use_ema
    )


def test_what_is_left_out_is_listed(tmp_path: Path) -> None:
    original = random_original()
    path = save_original(tmp_path / "model-1.pt", original, step=5_000)
    found = convert_original(path)[1]
    assert found.step == 5_000
    entries = len(original.state_dict()) + 4
    assert found.ignored == {
        "ema: initted": 1,
        "ema: step": 1,
        "ema: loss": 4,
        "model": entries,
        "opt_ae": 2,
        "lr_scheduler_ae": found.ignored["lr_scheduler_ae"],
        "opt_disc": 2,
        "lr_scheduler_disc": found.ignored["lr_scheduler_disc"],
        "scaler": 1,
    }
    assert convert_original(path, use_ema=False)[1].ignored["model: loss"] == 4


def test_half_precision_and_the_old_file_format_are_read(tmp_path: Path) -> None:
    original = random_original()
    halved = copy.deepcopy(original).half()
    torch.save(checkpoint_content(halved, halved), tmp_path / "half.pt")
    network, _ = convert_original(tmp_path / "half.pt")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    check_equal_outputs(halved.float(), tmp_path / "half.pt", SMALL)
    torch.save(checkpoint_content(original, original), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    check_equal_outputs(original, tmp_path / "old.pt", SMALL)


def test_the_global_random_state_is_left_alone_and_weights_are_copies(tmp_path: Path) -> None:
    path = save_original(tmp_path / "model-1.pt", random_original())
    before = torch.get_rng_state()
    network, _ = convert_original(path)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    check_equal_outputs(random_original(), path, SMALL)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("decoder.up.0.block.1.nin_shortcut.weight", "decoder.up_blocks.2.resnets.1.conv_shortcut.weight"),
        ("decoder.up.2.upsample.conv.bias", "decoder.up_blocks.0.upsamplers.0.conv.bias"),
        ("encoder.mid.attn_1.proj_out.weight", "encoder.mid_block.attentions.0.to_out.0.weight"),
        ("encoder.down.1.attn.0.q.weight", None),
        ("encoder.mid.attn_1.rotary.weight", None),
        ("decoder.up.x.block.0.norm1.bias", None),
        ("discriminator.main.0.weight", None),
    ],
)
def test_names(name: str, expected: str | None) -> None:
    assert diffusers_name(name, 3) == expected


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A checkpoint that `change` has changed."""
    original = random_original()
    content = checkpoint_content(original, original)
    change(content)
    torch.save(content, tmp_path / "changed.pt")
    return tmp_path / "changed.pt"


def as_diffusion(content: dict[str, Any]) -> None:
    content["model"] = {f"first_stage_model.{name}": tensor for name, tensor in content["model"].items()}
    content["opt"] = content.pop("opt_ae")


def with_attention_in_a_level(content: dict[str, Any]) -> None:
    content["ema"]["ema_model.encoder.down.1.attn.0.q.weight"] = torch.zeros(64, 64, 1, 1)


def with_nan(content: dict[str, Any]) -> None:
    content["ema"]["ema_model.quant_conv.bias"] = torch.full((6,), torch.nan)


def with_other_first_width(content: dict[str, Any]) -> None:
    content["ema"]["ema_model.encoder.conv_in.weight"] = torch.zeros(48, 1, 3, 3)


def without_levels(content: dict[str, Any]) -> None:
    content["ema"] = {name: value for name, value in content["ema"].items() if ".down." not in name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (as_diffusion, r"that of a first stage; got .*a diffusion model .*first_stage\.ckpt_path"),
        (lambda c: c["model"].update(scale_factor=torch.ones(())), "that of a first stage"),
        (lambda c: c.pop("model"), r"entries step, model and ema; got .*entries: step, opt_ae"),
        (lambda c: c.update(model={"layer.weight": torch.ones(1)}), r"the network in it has layer\.weight"),
        (lambda c: c.update(model={}), "the network in it has no weights"),
        (lambda c: c.pop("ema"), r"under 'ema'; got .*Take the weights themselves: --no-ema"),
        (lambda c: c.update(ema=None), "under 'ema'"),
        (lambda c: c["ema"].update({"ema_model.encoder.conv_in.weight": 3}), "is a int"),
        (lambda c: c["ema"].pop("ema_model.encoder.conv_in.weight"), r"no encoder\.conv_in\.weight"),
        (lambda c: c["ema"].pop("ema_model.quant_conv.bias"), r"1 weights missing: quant_conv\.bias"),
        (with_attention_in_a_level, r"1 weights unexpected: encoder\.down\.1\.attn\.0\.q\.weight"),
        (with_nan, r"1 weights not finite: quant_conv\.bias"),
        (with_other_first_width, "levels of .* channels behind a first convolution of 48"),
        (without_levels, r"levels of \[\] channels"),
        (lambda c: c["ema"].update({"ema_model.decoder.conv_in.bias": torch.ones(5)}), "of another shape"),
    ],
)
def test_another_content_is_refused(tmp_path: Path, change: Callable[..., object], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        convert_original(changed(tmp_path, change))


def with_other_step(content: dict[str, Any], step: object) -> None:
    content["step"] = step


@pytest.mark.parametrize("step", [torch.tensor([1, 2]), torch.tensor([]), "many", float("nan"), True])
def test_a_step_that_is_no_number_is_refused(tmp_path: Path, step: object) -> None:
    path = changed(tmp_path, lambda content: with_other_step(content, step))
    with pytest.raises(CheckpointError, match=r"must be a whole file of torch\.save .*step is .*not a number"):
        convert_original(path)


@pytest.mark.parametrize(("step", "expected"), [(torch.tensor([7]), 7), (7.0, 7), (None, None)])
def test_a_step_may_be_written_in_several_ways(tmp_path: Path, step: object, expected: int | None) -> None:
    assert convert_original(changed(tmp_path, lambda content: with_other_step(content, step)))[1].step == expected


@pytest.mark.parametrize("name", ["encoder.conv_in.weight", "decoder.conv_in.weight", "post_quant_conv.weight"])
def test_convolutions_of_one_dimension_are_refused(tmp_path: Path, name: str) -> None:
    def flat(content: dict[str, Any]) -> None:
        content["model"][name] = content["model"][name].flatten()[:1]

    with pytest.raises(CheckpointError, match=rf"{name} of shape \(1,\), not of a convolution"):
        convert_original(changed(tmp_path, flat), use_ema=False)


def test_latents_with_other_channels_outside_than_inside_are_refused(tmp_path: Path) -> None:
    def embedded(content: dict[str, Any]) -> None:
        content["model"]["quant_conv.weight"] = torch.zeros(8, 6, 1, 1)
        content["model"]["quant_conv.bias"] = torch.zeros(8)
        content["model"]["post_quant_conv.weight"] = torch.zeros(3, 4, 1, 1)

    with pytest.raises(CheckpointError, match=r"embed_dim must be z_channels; got embed_dim=4 and z_channels=3 in"):
        convert_original(changed(tmp_path, embedded), use_ema=False)


def test_the_weights_themselves_must_be_tensors(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda c: c.update(model={"encoder.x": None}))
    with pytest.raises(CheckpointError, match=r"encoder\.x is a NoneType"):
        convert_original(path, use_ema=False)


def test_a_width_that_no_group_divides_is_refused(tmp_path: Path) -> None:
    narrow = {"ema_model.encoder.conv_in.weight": torch.zeros(8, 1, 3, 3)}
    for level in (0, 1):
        narrow[f"ema_model.encoder.down.{level}.block.0.conv1.weight"] = torch.zeros(8 * (level + 1), 8, 3, 3)
    with pytest.raises(CheckpointError, match="norm_groups must divide"):
        convert_original(changed(tmp_path, lambda c: c["ema"].update(narrow)))


class Surprise:
    """An object that runs code when it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("opened",)


def test_a_pickle_that_could_run_code_is_not_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed(tmp_path, lambda c: c.update(surprise=Surprise()))
    with pytest.raises(CheckpointError, match=r"could run code when they are opened; got .*no file of torch\.save"):
        convert_original(path)
    assert capsys.readouterr().out == ""


def test_files_that_are_no_checkpoint_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="must be a file"):
        convert_original(tmp_path / "absent.pt")
    with pytest.raises(CheckpointError, match="must be a file"):
        convert_original(tmp_path)
    whole = save_original(tmp_path / "whole.pt", random_original()).read_bytes()
    bad = {"empty.pt": b"", "text.pt": b"step: 3\nmodel: none\n", "noise.pt": bytes(range(256)), "cut.pt": whole[:5000]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("letter.txt", "hello")
    torch.save([1, 2], tmp_path / "list.pt")
    for name in [*bad, "other.pt", "list.pt"]:
        with pytest.raises(CheckpointError, match=r"(whole|no) file of torch\.save"):
            convert_original(tmp_path / name)
