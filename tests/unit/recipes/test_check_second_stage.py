"""What a check finds of recipes of the second stage and of the baseline."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from first_stages import write_first_stage
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.encoding import path_loss_channel
from radiodiff.layouts import CitySettings
from radiodiff.models.autoencoder_folder import load_autoencoder, save_autoencoder
from radiodiff.models.latent_statistics import measure_latents
from radiodiff.recipes.check import CheckRow, check_recipe
from radiodiff.recipes.check.sizes import NetworkSizes, network_sizes
from radiodiff.recipes.first_stage import load_first_stage
from radiodiff.recipes.load import load_recipe

SMALL = (
    *("unet.base_channels=8", "unet.channel_multipliers=[1,2]", "unet.norm_groups=4", "unet.fourier_features=4"),
    *("unet.relation={window_sizes: [2, 1], num_heads: 2}", "unet.attention_heads=2", "unet.head_channels=4"),
    *("unet.backbone={kind: conv, widths: [8, 8, 8, 8], blocks: 1}", "trainer.batch_size=2"),
)
SMALL_BASELINE = (
    *("network.base_channels=8", "network.channel_multipliers=[1,2]", "network.norm_groups=4", "trainer.batch_size=2"),
    "network.stem_factor=1",
)

Check = Callable[..., list[CheckRow]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    list(create_data_set(root / "city", CreateSettings(3, 2, 3, city=CitySettings(rows=50, cols=50))))
    write_first_stage(root / "first", path_loss_channel("raw"), "raw")
    return root


@pytest.fixture
def check(data: Path, tmp_path: Path) -> Check:
    """Findings about the recipe `diffusion/tiny` with a small network on a small city, with changes."""

    def run(*changes: str) -> list[CheckRow]:
        given = (f"data.root={data / 'city'}", f"autoencoder={data / 'first'}", f"trainer.run_dir={tmp_path / 'run'}")
        return list(check_recipe("diffusion/tiny", (*given, *SMALL, *changes)))

    return run


def found(rows: Sequence[CheckRow], what: str, status: str) -> list[str]:
    return [row.finding for row in rows if (row.what, row.status) == (what, status)]


def has(rows: Sequence[CheckRow], what: str, status: str, *parts: str) -> bool:
    return any(all(part in finding for part in parts) for finding in found(rows, what, status))


def test_a_recipe_that_can_be_run(check: Check, data: Path) -> None:
    rows = check("data.size=48")
    assert {row.status for row in rows} == {"ok"}
    assert has(rows, "settings", "ok", "latents encoded in each step; validated with 1, 5 inference steps")
    assert has(rows, "training data", "ok", "condition buildings, transmitter, los_mask, log_distance_gain_db", "48 x")
    assert has(rows, "first stage", "ok", str(data / "first"), "3 channels, 4 x 4 cells in a latent cell")
    assert has(rows, "latents", "ok", "is measured on 200 maps before the first step")
    assert has(rows, "networks", "ok", "parameters of the U-Net", "of the first stage, which stays as it is")


def test_maps_that_are_padded(check: Check) -> None:
    assert has(check(), "training data", "warning", "50 x 50 cells are no multiples of 8: they are padded to 56 x 56")


def test_a_first_stage_that_is_not_there(check: Check) -> None:
    rows = check("autoencoder=nowhere")
    assert has(rows, "first stage", "error", "must exist; got nowhere")
    # All else is looked at.
    assert has(rows, "networks", "ok", "parameters of the U-Net")
    assert has(rows, "run folder", "ok", "free")
    assert found(rows, "latents", "ok") == []


def test_a_first_stage_of_other_maps(check: Check, data: Path, tmp_path: Path) -> None:
    write_first_stage(tmp_path / "other", path_loss_channel("thresholded"), "thresholded")
    assert has(check(f"autoencoder={tmp_path / 'other'}"), "first stage", "error", "'thresholded'", "'raw'")
    network, record = load_autoencoder(data / "first")
    save_autoencoder(tmp_path / "other", network, replace(record, data={"simulation": "IRT4", "cars": False}))
    rows = check(f"autoencoder={tmp_path / 'other'}")
    assert found(rows, "first stage", "warning") == [
        "it was trained with data.simulation=IRT4, the second stage has DPM"
    ]


def test_a_factor_that_is_known(check: Check, data: Path, tmp_path: Path) -> None:
    network, record = load_autoencoder(data / "first")
    maps = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    latents = measure_latents(network, [maps], seed=0)
    save_autoencoder(tmp_path / "measured", network, replace(record, latents=latents))
    rows = check(f"autoencoder={tmp_path / 'measured'}")
    assert has(rows, "latents", "warning", f"times {latents.scaling_factor:.6g}", "measured on 2 maps alone")
    save_autoencoder(tmp_path / "measured", network, replace(record, latents=replace(latents, num_maps=1_000)))
    rows = check(f"autoencoder={tmp_path / 'measured'}")
    assert has(rows, "latents", "ok", f"times {latents.scaling_factor:.6g}, as stored with the first stage")
    assert has(check("latents.scaling_factor=0.3"), "latents", "ok", "times 0.3, as the recipe says")


def test_a_cache_of_latents(check: Check, tmp_path: Path) -> None:
    rows = check(f"latents.cache={tmp_path / 'kept'}", "data.augment=true")
    # Two maps of two transmitters, in eight symmetries.
    assert has(rows, "latents", "ok", f"GiB in {tmp_path / 'kept'}", "16 maps to encode first")
    assert has(rows, "settings", "ok", f"latents kept in {tmp_path / 'kept'}")
    assert not (tmp_path / "kept").exists()
    (tmp_path / "file").touch()
    rows = check(f"latents.cache={tmp_path / 'file'}")
    assert has(rows, "latents", "error", f"{tmp_path / 'file'} is no folder that can be written")


WARNINGS = {
    "weights for nobody": ("data.edge_weights=canny", "the loss does not look at weights"),
    "answers": ("data.allow_answer_channels=true", "what the target follows from"),
    "the wrong sign": ("diffusion={prediction_type: pred_KC, preconditioning: published}", "wrong sign"),
    "validated on what it learns": ("data.part=validation", "validated on what it was trained on"),
    "no time for an average": ("trainer.max_steps=100", "trainer.ema.update_after=100 is not below"),
}


@pytest.mark.parametrize(("change", "part"), WARNINGS.values(), ids=WARNINGS)
def test_settings_that_may_not_be_meant(check: Check, change: str, part: str) -> None:
    assert has(check(change), "settings", "warning", part)


def test_weights_to_begin_with(check: Check, tmp_path: Path) -> None:
    assert has(check("trainer.warm_start.init_from=nowhere"), "warm start", "error", "must exist; got nowhere")
    rows = check(f"unet.backbone.weights={tmp_path / 'none.safetensors'}")
    assert has(rows, "condition encoder", "error", "none.safetensors")


def test_a_baseline(data: Path, tmp_path: Path) -> None:
    given = (f"data.root={data / 'city'}", f"trainer.run_dir={tmp_path / 'run'}", *SMALL_BASELINE)
    rows = list(check_recipe("baseline/tiny", given))
    assert {row.status for row in rows} == {"ok"}
    assert {row.what for row in rows}.isdisjoint({"first stage", "latents"})
    assert has(rows, "networks", "ok", "parameters of the regression network")
    rows = list(check_recipe("baseline/tiny", (*given, "trainer.warm_start.init_from=nowhere")))
    assert has(rows, "warm start", "error", "nowhere")


def test_sizes_are_those_of_the_networks(data: Path) -> None:
    given = ("data.root=x", "trainer.run_dir=y")
    state = torch.get_rng_state()
    published = load_recipe("diffusion/radiomapseer-dpm", (*given, "autoencoder=z"))
    sizes = network_sizes(published)
    count = sizes.learned["U-Net"]
    assert sizes == NetworkSizes({"U-Net": count}, averaged=count)
    assert sizes.checkpoint_bytes == 4 * 4 * count
    frozen = load_recipe(
        "diffusion/radiomapseer-dpm",
        (*given, "autoencoder=z", "unet.backbone.is_frozen=true", "unet.backbone.weights=w", "trainer.ema=null"),
    )
    sizes = network_sizes(frozen)
    assert sizes.frozen > 80_000_000
    assert sizes.learned["U-Net"] + sizes.frozen == count
    assert sizes.checkpoint_bytes == 4 * (3 * sizes.learned["U-Net"] + sizes.frozen)
    small = network_sizes(
        load_recipe("diffusion/tiny", (*given, "autoencoder=z", *SMALL)), load_first_stage(data / "first")
    )
    network, _ = load_autoencoder(data / "first")
    assert small.beside == sum(parameter.numel() for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)
