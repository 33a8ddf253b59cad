"""Every recipe of this package, checked and run for two steps through the command line, on a small data set."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from command_line import Run
from first_stages import write_first_stage
from radiodiff.data.icassp.channels import ICASSP_CHANNELS
from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import open_data_set
from radiodiff.models.autoencoder_folder import load_autoencoder
from radiodiff.pipeline.load import load_pipeline
from radiodiff.recipes.check.sizes import network_sizes
from radiodiff.recipes.load import load_recipe, load_recipe_of, recipe_names, recipe_text
from radiodiff.recipes.schema import AutoencoderRecipe

SHORT = (
    *("trainer.max_steps=2", "trainer.batch_size=2", "trainer.save_every=2", "trainer.log_every=1"),
    *("trainer.validation.num_examples=1", "trainer.validation.num_previews=1", "trainer.cpu=true"),
)

SMALL = {
    "autoencoder": (
        *("autoencoder.base_channels=8", "autoencoder.norm_groups=4", "discriminator.base_channels=8"),
        *("loss.adversarial.start=2", "latents.num_examples=2"),
    ),
    "diffusion": (
        *("unet.base_channels=8", "unet.channel_multipliers=[1,2]", "unet.norm_groups=4", "unet.fourier_features=4"),
        *("unet.relation={window_sizes: [2, 1], num_heads: 2}", "unet.attention_heads=2", "unet.head_channels=4"),
        *("unet.backbone={kind: conv, widths: [8, 8, 8, 8], blocks: 1}", "latents.num_examples=2"),
        "sampling.num_inference_steps=[1]",
    ),
    "baseline": ("network.base_channels=8", "network.channel_multipliers=[1,2]", "network.norm_groups=4"),
}

DPM = ("data.simulation=DPM", "data.heights=false", "data.geometry=[los_mask]")

WHOLE = ("data.buildings.layer=complete", "data.buildings.share=1", "data.unknown_heights=0")

TRACED = {"autoencoder/default": DPM, "baseline/default": (*DPM, *WHOLE), "diffusion/default": DPM}
"""Those of the default model learn traced maps with heights, which this city has not."""

SOURCES = {"radiomapseer": "city", "icassp": "rooms", "edges": "edges"}

SIZES = {"radiomapseer": "examples.crop_size=32", "icassp": "data.size=32", "edges": "examples.crop_size=32"}

LOSSES = {"l1", "mse", "perceptual", "nll", "logvar", "kl", "total"}

ADVERSARIAL = {"generator", "adversarial_weight", "discriminator", "logits_true", "logits_reconstructed"}

FIRST, LATER = (
    [name for name in recipe_names() if name.startswith("autoencoder/") == is_first] for is_first in (True, False)
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city, rooms, the edges of the city's maps, and a first stage for each."""
    root = tmp_path_factory.mktemp("data")
    simulations = ("DPM", "IRT2", "IRT4")
    city = FakeRadioMapSeerSettings(4, 2, 0, size=64, simulations=simulations, cars=True, missing_layers=False)
    list(write_fake_radiomapseer(root / "city", city))
    parts = {"train": [0, 1], "validation": [2], "test": [3]}
    split = {"format": "radiodiff-split", "format_version": 1, "name": "small", "parts": parts}
    (root / "city/split.json").write_text(json.dumps(split))
    list(write_fake_icassp(root / "rooms", FakeIcasspSettings(buildings=3, samples=2, smallest=40, largest=50)))
    # The command that the recipe gives makes what the recipe needs.
    said = next(
        line for line in recipe_text("autoencoder/edges").splitlines() if "radiodiff dataset edges data" in line
    )
    edges = said.lstrip("# ").replace(" data/", " ").split()
    subprocess.run([sys.executable, "-m", *edges, "--workers", "1"], cwd=root, check=True, capture_output=True)
    maps = open_data_set(RadioMapSeerConfig(root=root / "city"))
    write_first_stage(root / "first/radiomapseer", maps.encoding.target, maps.scale)
    write_first_stage(root / "first/icassp", ICASSP_CHANNELS["path_loss_db"], "db", latent_channels=1)
    lines = open_data_set(
        load_recipe("baseline/tiny", ("data.kind=edges", f"data.root={root / 'edges'}", "trainer.run_dir=x")).data
    )
    write_first_stage(root / "first/edges", lines.encoding.target, lines.scale)
    return root


def changes_of(name: str, data: Path) -> tuple[str, ...]:
    """What a recipe needs to run here."""
    stage = name.partition("/")[0]
    given = ("data.root=x", "trainer.run_dir=run", *(["autoencoder=y"] if stage == "diffusion" else []))
    kind = load_recipe(name, given).data.kind
    size = SIZES[kind] if stage == "autoencoder" or kind == "icassp" else ""
    first = f"autoencoder={data / 'first' / kind}" if stage == "diffusion" else ""
    root = f"data.root={data / SOURCES[kind]}"
    return tuple(filter(None, (root, "trainer.run_dir=run", first, size, *SMALL[stage], *TRACED.get(name, ()), *SHORT)))


def logged_steps(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "total" in line]


@pytest.mark.parametrize("name", FIRST)
def test_a_recipe_runs_and_leaves_an_autoencoder(radiodiff: Run, data: Path, tmp_path: Path, name: str) -> None:
    changes = changes_of(name, data)
    checked = radiodiff("config", "check", name, *changes)
    assert (checked.code, checked.err) == (0, "")

    done = radiodiff("train", "autoencoder", "--config", name, *changes)
    assert done.code == 0, done.err
    run = tmp_path / "run"
    recipe = load_recipe_of(AutoencoderRecipe, name, changes)
    assert load_recipe(run / "recipe.yaml") == recipe

    steps = logged_steps(run)
    assert [line["step"] for line in steps] == [1, 2]
    assert all(set(line) >= LOSSES for line in steps)
    assert ADVERSARIAL.isdisjoint(steps[0])
    assert set(steps[1]) >= ADVERSARIAL

    written = sum(file.stat().st_size for file in (run / "checkpoints/step-00000002").glob("*.safetensors"))
    assert written == pytest.approx(network_sizes(recipe).checkpoint_bytes, rel=0.1)

    network, record = load_autoencoder(run)
    channels = (recipe.autoencoder.in_channels, recipe.autoencoder.out_channels)
    assert (network.config["in_channels"], network.config["out_channels"]) == channels
    assert len(record.encoding.names) == channels[0]
    latents = network.encode(torch.zeros(1, channels[0], 32, 32)).latent_dist.mode()
    assert latents.shape == (1, recipe.autoencoder.latent_channels, 8, 8)
    assert network.decode(latents).sample.shape == (1, channels[1], 32, 32)

    again = radiodiff("config", "check", name, *changes)
    assert again.code == 0
    assert "holds a run with a checkpoint of step 2" in again.out


@pytest.mark.parametrize("name", LATER)
def test_a_recipe_runs_and_leaves_a_model(radiodiff: Run, data: Path, tmp_path: Path, name: str) -> None:
    stage, changes = name.partition("/")[0], changes_of(name, data)
    checked = radiodiff("config", "check", name, *changes)
    assert (checked.code, checked.err) == (0, "")

    done = radiodiff("train", stage, "--config", name, *changes)
    assert done.code == 0, done.err
    run = tmp_path / "run"
    recipe = load_recipe(name, changes)
    assert load_recipe(run / "recipe.yaml") == recipe
    assert [line["step"] for line in logged_steps(run)] == [1, 2]
    written = sum(file.stat().st_size for file in (run / "checkpoints/step-00000002").glob("*.safetensors"))
    assert written == pytest.approx(network_sizes(recipe).checkpoint_bytes, rel=0.15)

    model, source = load_pipeline(run), open_data_set(recipe.data)
    assert (model.record.encoding, model.record.scale) == (source.encoding, source.scale)
    rows, cols = source[0].condition.shape[1:]
    assert model.record.map_shape == (rows, cols)
    found = model.predict(torch.from_numpy(source[0].condition)[None], [torch.Generator().manual_seed(0)])
    assert found.shape == (1, 1, 1, rows, cols)
