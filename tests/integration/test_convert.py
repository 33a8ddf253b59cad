"""`radiodiff convert autoencoder`: a file of the original program becomes a folder that ours and diffusers read."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from command_line import Run, tree
from original_autoencoder import OriginalSettings, checkpoint_content, random_original, save_original
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.models.autoencoder_folder import load_autoencoder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_original(tmp_path / "model-30.pt", random_original(seed=1), random_original(seed=2))


def test_the_folder_computes_what_the_original_does(radiodiff: Run, tmp_path: Path, file: Path) -> None:
    done = radiodiff("convert", "autoencoder", file, "--out", "new/autoencoder")
    assert done.code == 0, done.err
    network, record = load_autoencoder(tmp_path / "new/autoencoder")
    maps = torch.rand((1, 1, 64, 32), generator=torch.Generator().manual_seed(0))
    original = random_original(seed=2)
    with torch.no_grad():
        posterior = network.encode(maps).latent_dist
        torch.testing.assert_close(posterior.parameters, original.moments(maps), rtol=1e-5, atol=1e-5)
        expected = original.decode(posterior.mode())
        for same in (network, AutoencoderKL.from_pretrained(tmp_path / "new/autoencoder", local_files_only=True)):
            torch.testing.assert_close(same.decode(posterior.mode()).sample, expected, rtol=1e-5, atol=1e-5)
    raw = path_loss_channel("raw")
    assert record.encoding == Encoding((raw,), raw)
    assert (record.scale, record.latents) == ("raw", None)
    data = RadioMapSeerConfig(root=tmp_path, **record.data)
    assert (data.scale, data.simulation, data.split) == ("raw", "DPM", "radiodiff")
    assert record.examples == {"input": "target", "with_condition": False, "crop_size": None}
    assert record.training == {"converted_from": "model-30.pt", "step": 150_000, "weights": "ema"}


def test_what_it_prints(radiodiff: Run, file: Path) -> None:
    original = random_original()
    done = radiodiff("convert", "autoencoder", file, "--out", "out")
    lines = done.out.splitlines()
    count = sum(parameter.numel() for parameter in original.parameters())
    assert lines[0] == f"out: {count:,} parameters, moving average of step 150,000"
    assert lines[1] == "network: 1 to 1 channels, levels (32, 64), 1 blocks, 3 latent channels, factor 2"
    assert lines[2].startswith("ignored: ")
    for part in ("ema: loss (4)", "opt_ae (2)", "opt_disc (2)", "scaler (1)"):
        assert part in lines[2]
    assert lines[3].startswith("check: a map of noise is reconstructed to finite values from ")
    assert lines[4:] == [
        "taken as trained on: RadioMapSeer, raw scale, simulation DPM, split radiodiff; the file does not say it",
        "latents: not measured, scaling_factor is 1; next: radiodiff latents --model out --data DIR --save",
    ]


def test_what_the_user_says_is_stored(radiodiff: Run, tmp_path: Path, file: Path) -> None:
    options = ("--no-ema", "--data-scale", "thresholded", "--simulation", "IRT4", "--cars", "--split", "disjoint")
    done = radiodiff("convert", "autoencoder", file, "--out", "out", *options)
    assert done.code == 0, done.err
    assert "weights of step" in done.out
    network, record = load_autoencoder(tmp_path / "out")
    expected = random_original(seed=1).quant_conv.weight
    assert torch.equal(network.quant_conv.weight, expected)
    assert record.scale == "thresholded"
    assert record.encoding.target == path_loss_channel("thresholded")
    data = RadioMapSeerConfig(root=tmp_path, **record.data)
    assert (data.scale, data.simulation, data.cars, data.split) == ("thresholded", "IRT4", True, "disjoint")


def written(path: Path, **changes: Any) -> Path:
    """A checkpoint with other entries."""
    original = random_original()
    torch.save(checkpoint_content(original, original) | changes, path)
    return path


def test_bad_input_is_refused_and_nothing_is_written(radiodiff: Run, tmp_path: Path, file: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").touch()
    diffusion = written(tmp_path / "diffusion.pt", model={"first_stage_model.encoder.conv_in.weight": torch.ones(1)})
    building = save_original(tmp_path / "building.pt", random_original(OriginalSettings(in_channels=2, out_ch=2)))
    huge = random_original()
    with torch.no_grad():
        huge.encoder.conv_in.weight.fill_(3e38)
    huge_file = save_original(tmp_path / "huge.pt", huge)
    before = tree(tmp_path)
    convert_to = ("convert", "autoencoder")
    radiodiff(*convert_to, "absent.pt", "--out", "out").check_refusal("must be a file; got absent.pt")
    radiodiff(*convert_to, file, "--out", "full").check_refusal("--out must be a folder", "full, which holds something")
    radiodiff(*convert_to, file, "--out", file).check_refusal("--out must be a folder", "which is a file")
    radiodiff(*convert_to, diffusion, "--out", "out").check_refusal("a diffusion model of the original program")
    radiodiff(*convert_to, building, "--out", "out").check_refusal("one channel in and out", "with 2 in and 2 out")
    radiodiff(*convert_to, huge_file, "--out", "out").check_refusal("must give finite values", "huge.pt")
    radiodiff(*convert_to, file, "--out", "out", "--data-scale", "grey").check_refusal(
        "RadioMapSeerConfig.scale must be 'raw' or 'thresholded'; got 'grey'"
    )
    for split in ("nosuch", "nosuch.json", "huge.pt"):
        radiodiff(*convert_to, file, "--out", "out", "--split", split).check_refusal(
            "--split must be disjoint, radiounet, radiodiff, all or the path", f"got '{split}'"
        )
    radiodiff(*convert_to, file, "--out", "out", "--simulation", "DMP").check_refusal("simulation", "'DPM'")
    assert tree(tmp_path) == before


def test_an_empty_folder_is_filled(radiodiff: Run, tmp_path: Path, file: Path) -> None:
    (tmp_path / "out").mkdir()
    assert radiodiff("convert", "autoencoder", file, "--out", "out").code == 0
    load_autoencoder(tmp_path / "out")


def test_help_has_an_example(radiodiff: Run) -> None:
    done = radiodiff("convert", "autoencoder", "--help")
    said = " ".join(done.out.split())
    assert "Example: radiodiff convert autoencoder model-30.pt --out" in said
    assert "One channel in and out is taken as the path loss of RadioMapSeer" in said
