"""Every recipe of this package, checked and run for two steps through the command line, on a small data set."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from command_line import Run
from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.models.autoencoder_folder import load_autoencoder
from radiodiff.recipes.check.networks import network_sizes
from radiodiff.recipes.load import load_recipe, recipe_names, recipe_text

SMALL = (
    *("autoencoder.base_channels=8", "autoencoder.norm_groups=4", "discriminator.base_channels=8"),
    *("loss.adversarial.start=2", "latents.num_examples=2"),
    *("trainer.max_steps=2", "trainer.batch_size=2", "trainer.save_every=2", "trainer.log_every=1"),
    *("trainer.validation.num_examples=1", "trainer.validation.num_previews=1", "trainer.cpu=true"),
)

SOURCES = {"radiomapseer": "city", "icassp": "rooms", "edges": "edges"}

SIZES = {"radiomapseer": "examples.crop_size=32", "icassp": "data.size=32", "edges": "examples.crop_size=32"}

LOSSES = {"l1", "mse", "perceptual", "nll", "logvar", "kl", "total"}

ADVERSARIAL = {"generator", "adversarial_weight", "discriminator", "logits_true", "logits_reconstructed"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city, rooms, and the edges of the city's maps."""
    root = tmp_path_factory.mktemp("data")
    city = FakeRadioMapSeerSettings(4, 2, 0, size=64, simulations=("DPM",), cars=False, missing_layers=False)
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
    return root


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_runs_and_leaves_an_autoencoder(radiodiff: Run, data: Path, tmp_path: Path, name: str) -> None:
    kind = load_recipe(name, ("data.root=x", "trainer.run_dir=y")).data.kind
    changes = (f"data.root={data / SOURCES[kind]}", "trainer.run_dir=run", SIZES[kind], *SMALL)
    checked = radiodiff("config", "check", name, *changes)
    assert (checked.code, checked.err) == (0, "")

    done = radiodiff("train", "autoencoder", "--config", name, *changes)
    assert done.code == 0, done.err
    run = tmp_path / "run"
    recipe = load_recipe(name, changes)
    assert load_recipe(run / "recipe.yaml") == recipe

    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "total" in line]
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
