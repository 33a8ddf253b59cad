"""First stages by the folder they are in, and what is stored with a model."""

import json
from pathlib import Path

import pytest
import torch

from first_stages import SETTINGS, write_first_stage
from radiodiff.data.create import CreateSettings, Scenario, create_data_set
from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.radiomapseer import pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import open_data_set
from radiodiff.data.splits import Split
from radiodiff.encoding import path_loss_channel
from radiodiff.errors import CheckpointError, FormatError
from radiodiff.layouts import CitySettings
from radiodiff.recipes.first_stage import load_first_stage
from radiodiff.recipes.load import load_recipe_of
from radiodiff.recipes.schema import BaselineRecipe, DiffusionRecipe
from radiodiff.recipes.train.model_record import model_record
from tiny_pipelines import tiny_diffusion, tiny_regression

TARGET = path_loss_channel("raw")


def test_places_of_a_first_stage(tmp_path: Path) -> None:
    folder = write_first_stage(tmp_path / "run/autoencoder", TARGET, "raw")
    weights = load_first_stage(folder).network.state_dict()
    for place in (folder, tmp_path / "run"):
        found = load_first_stage(place)
        assert (found.config, found.scaling_factor) == (SETTINGS, None)
        assert all(torch.equal(tensor, weights[name]) for name, tensor in found.network.state_dict().items())


def test_the_first_stage_of_a_diffusion_model(tmp_path: Path) -> None:
    model = tiny_diffusion(scale="raw")
    model.save_pretrained(tmp_path / "run/pipeline")
    weights = model.autoencoder.state_dict()
    for place in (tmp_path / "run/pipeline", tmp_path / "run"):
        found = load_first_stage(place)
        assert found.scaling_factor == 0.5
        assert found.folder == tmp_path / "run/pipeline/autoencoder"
        assert (found.record.scale, found.record.encoding.condition) == ("raw", (model.record.encoding.target,))
        assert all(torch.equal(tensor, weights[name]) for name, tensor in found.network.state_dict().items())


def test_no_first_stage(tmp_path: Path) -> None:
    tiny_regression().save_pretrained(tmp_path / "regression")
    with pytest.raises(CheckpointError, match=r"must be a diffusion model; got .*regression, a regression model"):
        load_first_stage(tmp_path / "regression")
    with pytest.raises(CheckpointError, match="must exist"):
        load_first_stage(tmp_path / "nowhere")
    tiny_diffusion().save_pretrained(tmp_path / "model")
    (tmp_path / "model/autoencoder/config.json").unlink()
    with pytest.raises(CheckpointError, match=r"autoencoder/config\.json"):
        load_first_stage(tmp_path / "model")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    city = CitySettings(rows=50, cols=60, cell_size_m=2.0)
    list(create_data_set(root / "city", CreateSettings(3, 1, 3, city=city)))
    settings = FakeRadioMapSeerSettings(3, 1, 0, size=64, simulations=("DPM",), cars=False, missing_layers=False)
    list(write_fake_radiomapseer(root / "fake", settings))
    list(write_fake_icassp(root / "rooms", FakeIcasspSettings(buildings=3, samples=1, smallest=40, largest=80)))
    return root


def baseline(*changes: str) -> BaselineRecipe:
    given = ("trainer.run_dir=run", "data.geometry=[]", "data.part=all", "data.split=all")
    return load_recipe_of(BaselineRecipe, "baseline/tiny", (*given, *changes))


@pytest.mark.parametrize(
    ("changes", "shape", "cell_m"),
    [
        (["data.root=city"], (50, 60), 2.0),
        (["data.root=city", "data.size=64", "data.fit=pad"], (64, 64), 2.0),
        # Cells are no squares then.
        (["data.root=city", "data.size=30"], (30, 30), None),
        (["data.root=fake"], (64, 64), 1.0),
        (["data.root=fake", "data.size=32"], (32, 32), 2.0),
    ],
)
def test_sizes_of_maps_and_cells(
    data: Path, monkeypatch: pytest.MonkeyPatch, changes: list[str], shape: tuple[int, int], cell_m: float | None
) -> None:
    monkeypatch.chdir(data)
    recipe = baseline(*changes)
    record = model_record(recipe, open_data_set(recipe.data))
    assert (record.kind, record.map_shape, record.cell_size_m) == ("regression", shape, cell_m)
    # Those of the published data set, and of `radiodiff dataset create`.
    assert (record.frequency_hz, record.tx_height_m) == (5.9e9, 1.5)
    assert record.is_resampled == (shape in ((30, 30), (32, 32)))


@pytest.mark.parametrize(("scenario", "height_m"), [("street", 2.5), ("rooftop", None)])
def test_carrier_and_heights_are_those_of_the_data(tmp_path: Path, scenario: Scenario, height_m: float | None) -> None:
    city = CitySettings(rows=64, cols=64, cell_size_m=2.0)
    settings = CreateSettings(2, 2, 3, city=city, scenario=scenario, frequency_hz=3.5e9)
    list(create_data_set(tmp_path / "city", settings))
    Split("all", {"all": (0, 1)}).write(tmp_path / "city/split.json")
    list(pack_data_set(tmp_path / "city", tmp_path / "packed"))
    for root in ("city", "packed"):
        recipe = baseline(f"data.root={tmp_path / root}", "data.heights=true")
        record = model_record(recipe, open_data_set(recipe.data))
        # None where it varies: the channel tells the network, no warning does.
        assert (record.frequency_hz, record.tx_height_m, record.cell_size_m) == (3.5e9, height_m, 2.0)
        ranges = {channel.name: (channel.low, channel.high) for channel in record.encoding.condition}
        assert ranges["building_height_m"] == ranges["transmitter_height_m"] == (0.0, 100.0)


def test_a_size_that_is_that_of_the_files_resamples_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    recipe = baseline("data.root=fake", "data.size=64")
    assert not model_record(recipe, open_data_set(recipe.data)).is_resampled


def test_no_folder_of_this_machine_is_in_a_record(data: Path, tmp_path: Path) -> None:
    Split("cities", {"train": (0, 1), "validation": (2,)}).write(tmp_path / "cities.json")
    curvature = tmp_path / "curvature"
    edges = tmp_path / "edges"
    for folder in (curvature, edges):
        folder.mkdir()
    for path in (data / "fake/gain/DPM").glob("*.png"):
        for folder in (curvature, edges):
            (folder / path.name).write_bytes(path.read_bytes())
    recipe = baseline(
        f"data.root={data / 'fake'}",
        f"data.split={tmp_path / 'cities.json'}",
        f"data.k2={curvature}",
        f"data.edge_weights={edges}",
        f"data.geometry_cache={tmp_path / 'cache'}",
        "data.allow_answer_channels=true",
        "data.part=train",
    )
    record = model_record(recipe, open_data_set(recipe.data))
    for folder in (tmp_path, data):
        assert str(folder) not in record.to_json()
    # What evaluates it is told by name what it lacks: another split would show maps of the training.
    assert (record.data["split"], record.data["k2"]) == ("cities.json", "curvature")
    assert not {"geometry_cache", "edge_weights"} & record.data.keys()
    named = baseline(f"data.root={data / 'fake'}", "data.edge_weights=k2")
    assert model_record(named, open_data_set(named.data)).data["split"] == "all"


def test_sizes_of_rooms(data: Path) -> None:
    given = ("trainer.run_dir=run", "data.kind=icassp", f"data.root={data / 'rooms'}", "data.part=all")
    for changes, shape in ((["data.size=32"], (32, 32)), (["data.crop=none"], None)):
        recipe = load_recipe_of(BaselineRecipe, "baseline/tiny", (*given, *changes))
        record = model_record(recipe, open_data_set(recipe.data))
        assert (record.map_shape, record.cell_size_m, record.scale) == (shape, 0.25, "db")


def test_how_a_diffusion_model_samples(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    changes = ("data.root=fake", "trainer.run_dir=run", "autoencoder=x", "data.geometry=[]", "data.augment=true")
    sampling = "sampling={num_inference_steps: [3, 1], is_stochastic: false}"
    recipe = load_recipe_of(DiffusionRecipe, "diffusion/tiny", (*changes, "data.part=all", "data.split=all", sampling))
    record = model_record(recipe, open_data_set(recipe.data))
    assert (record.kind, record.num_inference_steps, record.is_stochastic) == ("diffusion", 3, False)
    assert record.encoding.target == TARGET
    assert not {"root", "part", "augment"} & record.data.keys()
    assert json.loads(record.to_json())["data"]["cars_channel"] == "absent"


def test_a_damaged_record_of_a_generated_data_set(data: Path, tmp_path: Path) -> None:
    settings = FakeRadioMapSeerSettings(1, 1, 0, size=64, simulations=("DPM",), cars=False, missing_layers=False)
    list(write_fake_radiomapseer(tmp_path / "city", settings))
    (tmp_path / "city/dataset.json").write_text("{")
    recipe = baseline(f"data.root={tmp_path / 'city'}")
    with pytest.raises(FormatError, match=r"dataset\.json"):
        model_record(recipe, open_data_set(recipe.data))
