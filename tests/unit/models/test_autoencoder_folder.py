"""Saved autoencoders: what comes back, what is refused, and what a failed write leaves."""

import errno
import json
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from command_line import tree
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.errors import CheckpointError, InputError
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord, load_autoencoder, save_autoencoder
from radiodiff.models.config import AutoencoderConfig

CONFIG, WEIGHTS, RECORD = "config.json", "diffusion_pytorch_model.safetensors", "radiodiff.json"
MAPS = torch.rand((2, 1, 16, 8), generator=torch.Generator().manual_seed(0))


def reconstruction(network: AutoencoderKL) -> torch.Tensor:
    with torch.no_grad():
        return network(MAPS).sample


@pytest.fixture
def saved(tmp_path: Path, tiny: AutoencoderKL, record: AutoencoderRecord) -> Path:
    save_autoencoder(tmp_path / "saved", tiny, record)
    return tmp_path / "saved"


def test_what_is_loaded_is_what_was_saved(saved: Path, tiny: AutoencoderKL, record: AutoencoderRecord) -> None:
    assert sorted(tree(saved)) == [CONFIG, WEIGHTS, RECORD]
    network, found = load_autoencoder(saved)
    assert found == record
    assert torch.equal(reconstruction(network), reconstruction(tiny))
    assert not network.training
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_who_may_read_the_record_may_read_the_weights(saved: Path) -> None:
    assert {(saved / name).stat().st_mode for name in (CONFIG, WEIGHTS)} == {(saved / RECORD).stat().st_mode}


def test_the_scaling_factor_is_that_of_the_latents(saved: Path, tiny: AutoencoderKL, tmp_path: Path) -> None:
    assert load_autoencoder(saved)[0].config.scaling_factor == 0.4
    assert tiny.config.scaling_factor == 1.0
    record = replace(load_autoencoder(saved)[1], latents=None)
    save_autoencoder(tmp_path / "unmeasured", tiny, record)
    network, found = load_autoencoder(tmp_path / "unmeasured")
    assert (network.config.scaling_factor, found.latents) == (1.0, None)


def test_diffusers_reads_it_too(saved: Path, tiny: AutoencoderKL) -> None:
    network = AutoencoderKL.from_pretrained(saved, local_files_only=True)
    torch.testing.assert_close(reconstruction(network), reconstruction(tiny), rtol=1e-5, atol=1e-6)
    assert network.config.scaling_factor == 0.4


def test_a_run_that_holds_it_can_be_given(tmp_path: Path, tiny: AutoencoderKL, record: AutoencoderRecord) -> None:
    run = tmp_path / "new/run"
    save_autoencoder(run / "autoencoder", tiny, record)
    (run / "checkpoints").mkdir()
    assert torch.equal(reconstruction(load_autoencoder(str(run))[0]), reconstruction(tiny))


def test_loading_leaves_the_global_state_and_aligns_the_weights(saved: Path) -> None:
    before = torch.get_rng_state()
    network, _ = load_autoencoder(saved)
    assert torch.equal(torch.get_rng_state(), before)
    assert {parameter.data_ptr() % 64 for parameter in network.parameters()} == {0}


def test_a_later_one_replaces_an_earlier_one(saved: Path, record: AutoencoderRecord, tiny: AutoencoderKL) -> None:
    (saved / "left-over.txt").touch()
    with torch.no_grad():
        tiny.decoder.conv_out.bias.add_(1.0)
    save_autoencoder(saved, tiny, replace(record, latents=None))
    assert sorted(tree(saved.parent)) == ["saved", *(f"saved/{name}" for name in (CONFIG, WEIGHTS, RECORD))]
    assert torch.equal(reconstruction(load_autoencoder(saved)[0]), reconstruction(tiny))


@contextmanager
def files_limited(size: int) -> Iterator[None]:
    """Let the system refuse files that grow beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [10, 5_000])
def test_a_full_disk_leaves_the_earlier_one_whole(
    saved: Path, tiny: AutoencoderKL, record: AutoencoderRecord, size: int
) -> None:
    before = tree(saved.parent)
    with files_limited(size), pytest.raises(CheckpointError, match=r"must be writable; got .*saved .*free space"):
        save_autoencoder(saved, tiny, record)
    assert tree(saved.parent) == before
    with files_limited(size), pytest.raises(CheckpointError, match="must be writable"):
        save_autoencoder(saved.parent / "first", tiny, record)
    assert tree(saved.parent) == before


def test_a_move_that_fails_puts_the_earlier_one_back(
    saved: Path, tiny: AutoencoderKL, record: AutoencoderRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(saved.parent)
    rename = Path.rename

    def refuse_the_new_one(self: Path, target: Path) -> Path:
        if self.name.startswith(".radiodiff-") and not self.name.endswith("-old"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new_one)
    with pytest.raises(CheckpointError, match="Input/output error"):
        save_autoencoder(saved, tiny, record)
    assert tree(saved.parent) == before


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_something_else_is_not_replaced(
    tmp_path: Path, tiny: AutoencoderKL, record: AutoencoderRecord, kind: str
) -> None:
    place = tmp_path / "letters"
    if kind == "file":
        place.write_text("dear")
    else:
        place.mkdir()
        (place / "one.txt").write_text("dear")
    before = tree(tmp_path)
    with pytest.raises(CheckpointError, match="must replace an earlier one, or nothing"):
        save_autoencoder(place, tiny, record)
    assert tree(tmp_path) == before


def test_a_record_that_json_cannot_hold_is_refused(
    tmp_path: Path, tiny: AutoencoderKL, record: AutoencoderRecord
) -> None:
    for value in (Path("x"), float("nan")):
        with pytest.raises(InputError, match="AutoencoderRecord must hold JSON types only"):
            save_autoencoder(tmp_path / "a", tiny, replace(record, training={"value": value}))
    assert tree(tmp_path) == {}


def test_a_record_of_other_channels_is_refused(saved: Path, tiny: AutoencoderKL, record: AutoencoderRecord) -> None:
    two = Encoding.of_names(("buildings", "cars"), path_loss_channel())
    with pytest.raises(InputError, match="1 input channels, 2 names: buildings, cars"):
        save_autoencoder(saved, tiny, replace(record, encoding=two))
    content = json.loads((saved / RECORD).read_text())
    (saved / RECORD).write_text(json.dumps(content | {"encoding": two.to_dict()}))
    with pytest.raises(CheckpointError, match="1 input channels, 2 names"):
        load_autoencoder(saved)


def rewritten(name: str, **changes: object) -> Callable[[Path], None]:
    """A change of keys of a JSON file."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | changes))

    return change


def with_text(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def cut_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])


def nan_weights(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["quant_conv.bias"] = torch.full((6,), torch.inf)
    save_file(weights, folder / WEIGHTS)


def fewer_weights(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    del weights["quant_conv.bias"]
    save_file(weights, folder / WEIGHTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, r"must exist; got .*Check the path"),
        (lambda folder: (folder / CONFIG).unlink(), r"which has no config\.json.*RUN/autoencoder of a finished run"),
        (lambda folder: (folder / RECORD).unlink(), r"must have radiodiff\.json.*a folder of diffusers without it"),
        (lambda folder: (folder / WEIGHTS).unlink(), "A file of weights must exist"),
        (cut_weights, "must be a whole safetensors file"),
        (nan_weights, r"Weights must be finite; got quant_conv\.bias"),
        (fewer_weights, r"must hold the weights of the network .*quant_conv\.bias"),
        (rewritten(CONFIG, latent_channels=4), "must hold the weights of the network .*size mismatch"),
        (rewritten(CONFIG, _class_name="UNet2DModel"), "must be of class AutoencoderKL; got UNet2DModel"),
        (rewritten(CONFIG, act_fn="relu"), r"that radiodiff can use; got .*act_fn='relu'"),
        (rewritten(CONFIG, norm_num_groups=3), "that radiodiff can use"),
        (rewritten(CONFIG, in_channels="one"), "that radiodiff can use"),
        (with_text(CONFIG, "{"), r"config\.json of an autoencoder must hold a JSON object"),
        (with_text(CONFIG, "[]"), "a list"),
        (with_text(RECORD, "{"), r"radiodiff\.json of an autoencoder must hold a JSON object"),
        (with_text(RECORD, "{}"), r"must hold the record of an autoencoder; got KeyError\('format'\)"),
        (rewritten(RECORD, format="letter"), "must hold the record of an autoencoder; got .*letter"),
        (rewritten(RECORD, version=3), "reads autoencoders up to version 2; got version 3"),
        (rewritten(RECORD, version="new"), "must hold the record"),
        (rewritten(RECORD, latents={}), "must hold the record .*LatentStatistics"),
        (rewritten(RECORD, encoding={}), "must hold the record"),
        (rewritten(RECORD, data=3), "must hold the record"),
    ],
)
def test_what_is_no_whole_autoencoder_is_refused(saved: Path, change: Callable[[Path], object], message: str) -> None:
    change(saved)
    with pytest.raises(CheckpointError, match=message):
        load_autoencoder(saved)


def test_a_run_that_has_not_finished_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(
        CheckpointError, match="This run has not finished: go on with radiodiff train autoencoder --resume RUN"
    ):
        load_autoencoder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="a file"):
        load_autoencoder(tmp_path / "file")


def test_networks_of_any_settings_come_back(tmp_path: Path) -> None:
    config = AutoencoderConfig(
        base_channels=8,
        channel_multipliers=(1, 3),
        norm_groups=2,
        in_channels=2,
        out_channels=3,
        middle_attention=False,
    )
    network = build_autoencoder(config)
    encoding = Encoding.of_names(("buildings", "cars"), path_loss_channel())
    save_autoencoder(tmp_path / "a", network, AutoencoderRecord(encoding, "raw"))
    found, record = load_autoencoder(tmp_path / "a")
    assert record == AutoencoderRecord(encoding, "raw")
    for name, parameter in found.named_parameters():
        assert torch.equal(parameter, network.get_parameter(name))
